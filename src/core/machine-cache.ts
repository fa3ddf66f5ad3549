/**
 * The folder of this machine that all workspaces share; what lies in it can be made again. `TUNELOOP_CACHE` names it,
 * otherwise the platform's convention does. Undefined where neither the variables nor a home folder say where.
 */
export function machineCacheFolder(
  variables: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): string | undefined {
  const { TUNELOOP_CACHE, XDG_CACHE_HOME, LOCALAPPDATA, HOME, USERPROFILE } = variables
  if (TUNELOOP_CACHE) return TUNELOOP_CACHE
  if (XDG_CACHE_HOME) return `${XDG_CACHE_HOME}/tuneloop`
  if (platform === "win32" && LOCALAPPDATA) return `${LOCALAPPDATA}/tuneloop`
  const home = HOME || USERPROFILE
  if (!home) return undefined
  if (platform === "darwin") return `${home}/Library/Caches/tuneloop`
  return platform === "win32" ? `${home}/tuneloop` : `${home}/.cache/tuneloop`
}

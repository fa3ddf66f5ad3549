import { hash } from "node:crypto"
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import type { BackendContext, Check } from "../core/contracts/backend.ts"
import { ToolkitError } from "../core/errors.ts"
import { machineCacheFolder } from "../core/machine-cache.ts"
import { isAlive } from "./_processes.ts"
import { ask, findPython, type Place, runStep, withLock } from "./_set-up-steps.ts"

/** Room for torch's CUDA build and all the rest (5.8 GB measured), and for what is unpacked on the way. */
const neededBytes = 7.5e9
const sizeNote = "about 2.5 GB to download, 6 GB on disk"
const isWindows = process.platform === "win32"
const spaceHint = "Free some disk space, or set TUNELOOP_CACHE to a folder with more."

/**
 * The Python that runs the trainer, with everything it needs: `TUNELOOP_PYTHON` as it is, or an environment made once
 * in the user's cache folder under the digest of trainer/requirements.txt, so that every workspace shares it. One that
 * was not finished is made again. Starts no process when all is there.
 */
export async function trainerPython(context: BackendContext): Promise<string> {
  const own = ownPython(context)
  if (own) {
    if (!existsSync(own) && ask(context, own, ["--version"]) === undefined)
      throw new ToolkitError(`TUNELOOP_PYTHON names ${own}, which cannot be run`, {
        code: "no-python",
        exitCode: 2,
        hint: "Name the python of an environment that has trainer/requirements.txt, or unset it.",
      })
    return own
  }
  const folder = environmentFolder(context)
  const made = pythonMadeIn(folder)
  if (made !== undefined) return made
  mkdirSync(folder, { recursive: true })
  return withLock(context, folder, async () => pythonMadeIn(folder) ?? (await make(context, folder)))
}

/** The Python of `trainerPython` where it is there already; undefined otherwise. Makes and installs nothing. */
export function madeTrainerPython(context: BackendContext): string | undefined {
  const own = ownPython(context)
  if (own) return ask(context, own, ["--version"]) !== undefined ? own : undefined
  return pythonMadeIn(environmentFolder(context))
}

/** What `doctor` says of Python and the environment. */
export function environmentChecks(context: BackendContext): Check[] {
  const own = ownPython(context)
  const name = "trainer environment"
  if (own) {
    const status = ask(context, own, ["--version"]) !== undefined ? "ok" : "failed"
    return [{ name, status, detail: `TUNELOOP_PYTHON: ${own}`, hint: "Name a python that can be run." }]
  }
  const python = findPython(context)
  const folder = environmentFolder(context)
  const free = freeBytes(folder)
  const isMade = pythonMadeIn(folder) !== undefined
  return [
    python
      ? { name: "python", status: "ok", detail: `${python.version} (${python.command})` }
      : {
          name: "python",
          status: "missing",
          detail: "no Python 3.11 or newer on the PATH",
          hint: "Install Python, or set TUNELOOP_PYTHON.",
        },
    isMade
      ? { name, status: "ok", detail: folder }
      : { name, status: "missing", detail: `will be made in ${folder} on the first training (${sizeNote})` },
    {
      name: "disk",
      status: free > (isMade ? 1e9 : neededBytes) ? "ok" : "failed",
      detail: `${gigabytes(free)} free for the trainer environment and runs`,
      hint: spaceHint,
    },
  ]
}

/** The Python that the user names, as seen from any folder; a bare name is looked up on the PATH. */
function ownPython({ environment: { TUNELOOP_PYTHON: own } }: BackendContext): string | undefined {
  return own !== undefined && /[\\/]/.test(own) ? resolve(own) : own
}

/** Each attempt has a folder of its own; `complete` names the one that was finished and is written last, whole. */
async function make(context: BackendContext, folder: string): Promise<string> {
  const system = findPython(context)
  if (!system)
    throw new ToolkitError("no Python 3.11 or newer on the PATH", {
      code: "no-python",
      hint: "Install Python 3.11 or newer, or set TUNELOOP_PYTHON to an environment that has trainer/requirements.txt.",
    })
  rmSync(join(folder, "complete"), { force: true })
  removeAttempts(folder)
  const free = freeBytes(folder)
  if (free < neededBytes)
    throw new ToolkitError(
      `the trainer environment needs ${gigabytes(neededBytes)} and ${folder} has ${gigabytes(free)} free`,
      { code: "no-space", hint: spaceHint },
    )
  context.progress(`making the trainer environment, once, in ${folder} (${sizeNote})`)
  const attempt = `venv-${process.pid}`
  const python = pythonOf(folder, attempt)
  await runStep({ context, cwd: folder }, system.command, ["-I", "-m", "venv", join(folder, attempt)])
  await install({ context, cwd: folder, index: packageIndex(context, python) }, python)
  writeFileSync(join(folder, attempt, "complete"), attempt)
  renameSync(join(folder, attempt, "complete"), join(folder, "complete"))
  return python
}

/** By uv, which is one of the requirements and installed first; by pip alone where uv does not get through. */
async function install(place: Place, python: string): Promise<void> {
  const requirements = join(place.context.packageRoot, "trainer", "requirements.txt")
  // The file is complete and of wheels only: no code runs that has no hash.
  const checked = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r"]
  const pip = (file: string) => {
    const words = ["--retries", "1", "--disable-pip-version-check", "--progress-bar", "off", "--ignore-installed"]
    return runStep(place, python, ["-I", "-m", "pip", "install", ...words, ...checked, file])
  }
  try {
    const uvAlone = join(python, "..", "uv.txt")
    writeFileSync(uvAlone, /^uv==.*(?:\n .*--hash.*)*/m.exec(readFileSync(requirements, "utf8"))?.[0] ?? "")
    await pip(uvAlone)
    const uv = join(python, "..", isWindows ? "uv.exe" : "uv")
    await runStep(place, uv, ["pip", "install", "--python", python, ...checked, requirements])
  } catch (error) {
    if (place.context.signal.aborted) throw error
    place.context.progress("uv did not get through; trying pip")
    await pip(requirements)
  }
}

/** The index that uv or pip is configured with: uv, which does not read pip's configuration, is told of it. */
function packageIndex(context: BackendContext, python: string): string {
  const own = context.environment["UV_DEFAULT_INDEX"] || context.environment["UV_INDEX_URL"]
  if (own) return own
  const pips = ask(context, python, ["-I", "-m", "pip", "config", "list"]) ?? ""
  return /\.index-url='([^']+)'/.exec(pips)?.[1] ?? "https://pypi.org/simple"
}

/** Removes the attempts of processes that are gone. */
function removeAttempts(folder: string): void {
  for (const name of readdirSync(folder).filter((name) => name.startsWith("venv-"))) {
    const pid = Number(name.slice("venv-".length))
    if (pid === process.pid || !isAlive(pid, null))
      rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 10 })
  }
}

function environmentFolder(context: BackendContext): string {
  const requirements = readFileSync(join(context.packageRoot, "trainer", "requirements.txt"))
  // Where the variables do not say it, the system knows the home folder: a workspace is never taken for it.
  const cache =
    machineCacheFolder(context.environment, process.platform) ??
    machineCacheFolder({ HOME: homedir() }, process.platform)
  return join(resolve(cache ?? homedir()), `trainer-${hash("sha256", requirements, "hex").slice(0, 12)}`)
}

function pythonMadeIn(folder: string): string | undefined {
  if (!existsSync(join(folder, "complete"))) return undefined
  const python = pythonOf(folder, readFileSync(join(folder, "complete"), "utf8"))
  return existsSync(python) ? python : undefined
}

function pythonOf(folder: string, attempt: string): string {
  return isWindows ? join(folder, attempt, "Scripts", "python.exe") : join(folder, attempt, "bin", "python")
}

function freeBytes(folder: string): number {
  let existing = folder
  while (!existsSync(existing)) existing = join(existing, "..")
  const { bavail, bsize } = statfsSync(existing)
  return bavail * bsize
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}

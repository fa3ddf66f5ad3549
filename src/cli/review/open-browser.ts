import { spawn } from "node:child_process"
import { homedir } from "node:os"
import { delimiter, isAbsolute } from "node:path"
import { platform } from "../machine.ts"

/**
 * Opens the file in the system's own way, from the home folder and without the keys that stand in the environment.
 * `onFailure` is called where the system has no way. A file, not an address: every user sees a command line.
 */
export function openBrowser(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  onFailure: () => void,
): void {
  const [command, ...words] =
    platform === "darwin"
      ? ["open", file]
      : platform === "win32"
        ? ["rundll32", "url.dll,FileProtocolHandler", file]
        : ["xdg-open", file]
  const options = { cwd: homedir(), env: desktopEnvironment(environment), stdio: "ignore", detached: true } as const
  const child = spawn(command as string, words, options)
  child.once("error", onFailure)
  child.once("exit", (code) => {
    if (code !== 0) onFailure()
  })
  child.unref()
}

/** A document that leads to the address. */
export function leadingTo(url: string): string {
  const quoted = url.replace(/[&"<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)
  return (
    '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">' +
    `<meta http-equiv="refresh" content="0; url=${quoted}"><title>Tuneloop</title>` +
    `<a href="${quoted}">Open the page</a>\n`
  )
}

/** What a program of the desktop needs to find its screen, its settings and itself. */
const desktop = [
  /^(HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TEMP|TMP|XDG_\w+|BROWSER|DESKTOP_SESSION)$/,
  /^(DISPLAY|XAUTHORITY|WAYLAND_DISPLAY|DBUS_SESSION_BUS_ADDRESS|(GDK|GNOME|KDE|WSL)_\w+)$/,
  /^(SYSTEMROOT|SYSTEMDRIVE|COMSPEC|PATHEXT|USERPROFILE|(LOCAL)?APPDATA|PROGRAM(DATA|FILES))$/i,
]

export function desktopEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => {
      if (value === undefined) return []
      // A program that lies in a workspace is not the system's.
      if (/^PATH$/i.test(name)) return [[name, value.split(delimiter).filter(isAbsolute).join(delimiter)]]
      return desktop.some((list) => list.test(name)) ? [[name, value]] : []
    }),
  )
}

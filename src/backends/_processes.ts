import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"

/**
 * Whether the process that began at `startedTicks` still runs: a number alone may have been given to another process
 * since, and a zombie is dead. Where there is no /proc, a process with the number must do.
 */
export function isAlive(pid: number, startedTicks: number | null): boolean {
  const stat = statOf(pid)
  if (stat === undefined) return process.platform !== "linux" && answersSignals(pid)
  return !stat.isZombie && (startedTicks === null || stat.startedTicks === startedTicks)
}

/** The state and start time from the text of /proc/PID/stat. */
export function parseStat(text: string): { readonly isZombie: boolean; readonly startedTicks: number } {
  // The command in parentheses may hold spaces: fields are counted after it. The state is field 3, the start time field
  // 22.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  return { isZombie: fields[0] === "Z" || fields[0] === "X", startedTicks: Number(fields[19]) }
}

/** When the process began, as `isAlive` takes it; null where there is no /proc. */
export function startedTicks(pid: number): number | null {
  return statOf(pid)?.startedTicks ?? null
}

/**
 * Sends the signal to the whole process group; false when it is gone. Windows has no groups and no signals: there the
 * process and its children are ended at once.
 */
export function signalGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): boolean {
  try {
    if (process.platform === "win32") return spawnSync("taskkill", ["/PID", String(pid), "/T", "/F"]).status === 0
    process.kill(-pid, signal)
    return true
  } catch {
    return false
  }
}

function statOf(pid: number): ReturnType<typeof parseStat> | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return undefined
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

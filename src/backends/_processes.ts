import { readFileSync } from "node:fs"

/**
 * Whether the process that began at `startedTicks` still runs: a number alone may have been given to another process
 * since, and a zombie is dead. Where there is no /proc, a process with the number must do.
 */
export function isAlive(pid: number, startedTicks: number | null): boolean {
  const fields = statFields(pid)
  if (fields === undefined) return process.platform !== "linux" && answersSignals(pid)
  return fields[0] !== "Z" && (startedTicks === null || Number(fields[19]) === startedTicks)
}

/** When the process began, as `isAlive` takes it; null where there is no /proc. */
export function startedTicks(pid: number): number | null {
  const ticks = statFields(pid)?.[19]
  return ticks === undefined ? null : Number(ticks)
}

/** The fields of /proc/<pid>/stat from the state (field 3) on: the start time (field 22) is the one at 19. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The command in parentheses may hold spaces.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  } catch {
    return undefined
  }
}

/** Sends the signal to the whole process group; false when it is gone. */
export function signalGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): boolean {
  try {
    process.kill(-pid, signal)
    return true
  } catch {
    return false
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

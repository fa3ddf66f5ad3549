import { readFileSync } from "node:fs"

/**
 * Whether the process that began at `startedTicks` still runs: a number alone may have been given to another process
 * since, and a zombie is dead. Where there is no /proc, a process with the number must do.
 */
export function isAlive(pid: number, startedTicks: number | null): boolean {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  } catch {
    return process.platform !== "linux" && answersSignals(pid)
  }
  // The command in parentheses may hold spaces: fields are counted after it. The state is field 3, the start time field
  // 22.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return fields[0] !== "Z" && (startedTicks === null || Number(fields[19]) === startedTicks)
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

import { createHash, randomBytes } from "node:crypto"
import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs"
import { hostname } from "node:os"
import { dirname, join } from "node:path"

/**
 * A name beside the path for what is on its way there. It says which process it is of where the system tells: then what
 * a kill leaves is removed by the next that writes into the folder.
 */
export function temporaryBeside(path: string): string {
  const owner = ownProcess()
  const whose = owner === undefined ? "" : `-${owner.machine}-${owner.pid}-${owner.started}`
  return join(dirname(path), `.${randomBytes(6).toString("hex")}${whose}.tmp`)
}

/** Whether a file or folder of that name is on its way to its place, or what a kill left of one. */
export function isTemporary(name: string): boolean {
  return form.test(name)
}

/**
 * Removes files and folders by a temporary's name that a kill left: at once where their process was one of this machine
 * and of this user, and is no more; all others a day old by the clock of the file system itself. A younger one may be
 * of a process at work, here or on another machine that shares the folder.
 */
export function removeLeftOvers(folder: string, nowMs: number): void {
  try {
    for (const name of readdirSync(folder).filter(isTemporary)) {
      const path = join(folder, name)
      if (isOfDeadProcess(path, name) || nowMs - statSync(path).mtimeMs > leftOverAfterMs)
        rmSync(path, { recursive: true, force: true })
    }
  } catch {
    // Another process was faster, or may remove what we may not: what was asked for is written all the same.
  }
}

/** Whether a process may be at work on a temporary, here or elsewhere; one of no known process is taken for left. */
export function mayBeAtWork(path: string, name: string): boolean {
  return form.exec(name)?.[1] !== undefined && !isOfDeadProcess(path, name)
}

const leftOverAfterMs = 24 * 60 * 60 * 1000
const form = /^\.[0-9a-f]{12}(?:-([0-9a-f]{16})-(\d+)-(\d+))?\.tmp$/

interface ProcessName {
  /** Of the machine since it was started, and of the processes that see each other on it. */
  readonly machine: string
  readonly pid: string
  /** In ticks since the machine was started: another process may have its number later. */
  readonly started: string
  readonly user: number
}

let own: ProcessName | null | undefined

/** Undefined where there is no /proc that tells all of it. */
function ownProcess(): ProcessName | undefined {
  own ??= readOwn() ?? null
  return own ?? undefined
}

function readOwn(): ProcessName | undefined {
  try {
    const pid = readlinkSync("/proc/self")
    const started = startedAt(pid)
    if (started === undefined) return undefined
    const since = readFileSync("/proc/sys/kernel/random/boot_id", "utf8")
    const names = [hostname(), since, readlinkSync("/proc/self/ns/pid")]
    const machine = createHash("sha256").update(names.join("\n")).digest("hex").slice(0, 16)
    return { machine, pid, started, user: statSync("/proc/self").uid }
  } catch {
    return undefined
  }
}

/** False whenever that cannot be known: another user's process may be hidden, another machine's is not seen. */
function isOfDeadProcess(path: string, name: string): boolean {
  const [, machine, pid, started] = form.exec(name) ?? []
  const here = ownProcess()
  if (machine === undefined || pid === undefined || here === undefined || machine !== here.machine) return false
  return lstatSync(path).uid === here.user && startedAt(pid) !== started
}

/** Undefined for a process that is not there. */
function startedAt(pid: string): string | undefined {
  try {
    // What comes before the last bracket is the name of the program, with any characters.
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(")").at(-1)?.trim().split(" ")[19]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ESRCH")
      return undefined
    throw error
  }
}

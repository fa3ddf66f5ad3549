import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { DataError } from "../../core/errors.ts"
import { makeFolder } from "./files.ts"

const longestWaitMs = 30_000

/**
 * No other process runs work under the same lock file meanwhile; a second one waits its turn. The lock is the operating
 * system's, by way of SQLite: it goes with the process that held it, however that ended. The file itself stays empty.
 */
export function withLock<Result>(file: string, what: string, work: () => Result): Result {
  makeFolder(dirname(file))
  const lock = openLock(file)
  try {
    acquire(lock, what)
    return work()
  } finally {
    lock.close()
  }
}

/** The same without waiting: where another process has the lock, the work is left undone. */
export function withLockIfFree(file: string, work: () => void): void {
  makeFolder(dirname(file))
  const lock = openLock(file)
  try {
    if (tryAcquire(lock)) work()
  } finally {
    lock.close()
  }
}

/** The same for work that waits for something else, such as the ledger. */
export async function withLockAcross<Result>(file: string, what: string, work: () => Promise<Result>): Promise<Result> {
  makeFolder(dirname(file))
  const lock = openLock(file)
  try {
    acquire(lock, what)
    return await work()
  } finally {
    lock.close()
  }
}

/**
 * The same for work that takes long: a second process waits its turn however long that is, and is told so once. An
 * abort ends the waiting.
 */
export async function withLongLock<Result>(
  file: string,
  wait: {
    readonly sleep: (milliseconds: number) => Promise<void>
    readonly signal: AbortSignal
    readonly onWait: () => void
  },
  work: () => Promise<Result>,
): Promise<Result> {
  makeFolder(dirname(file))
  const lock = openLock(file)
  try {
    for (let isFirst = true; !tryAcquire(lock); isFirst = false) {
      if (isFirst) wait.onWait()
      await wait.sleep(200)
      wait.signal.throwIfAborted()
    }
    return await work()
  } finally {
    lock.close()
  }
}

/** The same for work that is left where another process is at it: then it resolves to `busy` at once. */
export async function tryWithLock<Result>(file: string, work: () => Promise<Result>): Promise<Result | "busy"> {
  makeFolder(dirname(file))
  const lock = openLock(file)
  try {
    return tryAcquire(lock) ? await work() : "busy"
  } finally {
    lock.close()
  }
}

function tryAcquire(lock: DatabaseSync): boolean {
  try {
    lock.exec("pragma busy_timeout = 0; begin exclusive")
    return true
  } catch (error) {
    if (/locked|busy/.test((error as Error).message)) return false
    throw error
  }
}

function openLock(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file)
  } catch (error) {
    throw new DataError(
      `not allowed to write ${file} (${(error as Error).message})`,
      [],
      "Check the permissions of the file and its folder.",
    )
  }
}

function acquire(lock: DatabaseSync, what: string): void {
  try {
    lock.exec(`pragma busy_timeout = ${longestWaitMs}; begin exclusive`)
  } catch (error) {
    if (/readonly/.test((error as Error).message))
      throw new DataError(
        `not allowed to change ${what}: ${(error as Error).message}`,
        [],
        "Check the permissions of the folder.",
      )
    if (!/locked|busy/.test((error as Error).message)) throw error
    throw new DataError(
      `another command has been changing ${what} for over ${longestWaitMs / 1000} seconds`,
      [],
      "Wait until it has finished, or end it, and run the command again; nothing was written.",
    )
  }
}

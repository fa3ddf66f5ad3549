import { existsSync, mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { pathToFileURL } from "node:url"
import type { Ledger } from "../../core/contracts/ledger.ts"
import { ToolkitError } from "../../core/errors.ts"
import { SqliteExports } from "./sqlite-exports.ts"
import { SqliteOpenings } from "./sqlite-openings.ts"
import { SqliteRequests } from "./sqlite-requests.ts"
import { SqliteRuns } from "./sqlite-runs.ts"
import { scrubDatabase } from "./sqlite-erasure.ts"
import { migrate, requireCurrent, requireLedger } from "./sqlite-schema.ts"
import { verifyDatabase } from "./sqlite-verify.ts"

/** A ledger in a file. SQLite answers at once; who waits for it must not count on that. */
export class SqliteLedger implements Ledger {
  readonly isReadOnly: boolean
  readonly runs: SqliteRuns
  readonly requests: SqliteRequests
  readonly openings: SqliteOpenings
  readonly exports: SqliteExports
  private readonly database: DatabaseSync

  private constructor(database: DatabaseSync, now: () => Date, isReadOnly = false) {
    this.database = database
    this.isReadOnly = isReadOnly
    this.runs = new SqliteRuns(database, now)
    this.requests = new SqliteRequests(database, now)
    this.openings = new SqliteOpenings(database, now)
    this.exports = new SqliteExports(database, now)
  }

  /** The ledger of the file, which is made where there is none. */
  static open(file: string, now: () => Date): SqliteLedger {
    const existed = existsSync(file)
    try {
      mkdirSync(dirname(file), { recursive: true })
      const database = new DatabaseSync(file)
      // Before anything is read: another process may be making the tables just now.
      database.exec("pragma busy_timeout = 10000")
      requireLedger(database)
      database.exec(
        "pragma journal_mode = wal; pragma synchronous = full; " +
          "pragma foreign_keys = on; pragma secure_delete = on;",
      )
      migrate(database)
      return new SqliteLedger(database, now)
    } catch (error) {
      if (error instanceof ToolkitError) throw error
      const what = isWriteForbidden(error) && existed ? "not allowed to write" : "cannot open"
      throw new ToolkitError(`${what} the ledger ${file}: ${(error as Error).message}`, {
        code: "ledger",
        hint: unopenedHint(error, existed),
        cause: error,
      })
    }
  }

  /**
   * The ledger of the file to read from: an empty one where there is none, which is then not made; the file as it is
   * where nobody may write.
   */
  static read(file: string, now: () => Date): SqliteLedger {
    if (!existsSync(file)) {
      const database = new DatabaseSync(":memory:")
      migrate(database)
      return new SqliteLedger(database, now)
    }
    try {
      return SqliteLedger.open(file, now)
    } catch (error) {
      // A log beside it holds what the file itself does not have yet: then it takes the right to write to read it.
      if (!(error instanceof ToolkitError) || !isWriteForbidden(error.cause) || existsSync(`${file}-wal`)) throw error
      const database = openUnchanged(file)
      if (database === undefined) throw error
      requireCurrent(database)
      return new SqliteLedger(database, now, true)
    }
  }

  async scrub(): Promise<"clean" | "busy"> {
    return scrubDatabase(this.database)
  }

  async verify(): Promise<string[]> {
    try {
      return verifyDatabase(this.database)
    } catch (error) {
      if ((error as { code?: string }).code !== "ERR_SQLITE_ERROR") throw error
      return [`it cannot be read to its end: ${(error as Error).message}`]
    }
  }

  async close(): Promise<void> {
    this.database.close()
  }
}

/** What to do about a ledger that did not open: one that others hold is neither damaged nor to be replaced. */
export function unopenedHint(error: unknown, existed: boolean): string {
  if (isHeld(error)) return "Other commands are at work on it and it is whole. Run this again when they are done."
  return !existed || isWriteForbidden(error)
    ? "Check that you may write the file and its folder, and that the disk is not full."
    : damagedHint
}

/** SQLITE_BUSY and SQLITE_LOCKED, whatever they say more (https://sqlite.org/rescode.html). */
function isHeld(error: unknown): boolean {
  return [5, 6].includes(((error as { errcode?: number } | undefined)?.errcode ?? 0) & 0xff)
}

/** What to do with a ledger that is damaged. */
export const damagedHint =
  "It may be damaged. Keep a copy of it, then put a backup in its place, or what `sqlite3 <file> .recover` saves. " +
  "Without it runs, costs and openings of test sets are not known any more; rows and versions are files of their own."

/** The database as a file that nobody changes; undefined when it cannot be read either. */
function openUnchanged(file: string): DatabaseSync | undefined {
  const address = pathToFileURL(file)
  address.search = "immutable=1"
  try {
    return new DatabaseSync(address, { readOnly: true })
  } catch {
    return undefined
  }
}

/** SQLite's codes for "read-only" and "cannot open", or the system's for a folder. */
function isWriteForbidden(error: unknown): boolean {
  const { errcode, code } = (error ?? {}) as { errcode?: number; code?: string }
  return (
    (errcode !== undefined && [8, 14].includes(errcode & 0xff)) || ["EACCES", "EPERM", "EROFS"].includes(code ?? "")
  )
}

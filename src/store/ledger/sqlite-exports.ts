import type { DatabaseSync } from "node:sqlite"
import type { ExportLedger, LedgerExport } from "../../core/contracts/ledger.ts"
import { select } from "./sqlite-statements.ts"

const columns = "at, task, version, holdout, format, split, path, rows, digest"

/** Exports of versions in SQLite. */
export class SqliteExports implements ExportLedger {
  private readonly database: DatabaseSync
  private readonly now: () => Date

  constructor(database: DatabaseSync, now: () => Date) {
    this.database = database
    this.now = now
  }

  async record(entry: Omit<LedgerExport, "at">): Promise<void> {
    const { task, version, holdout, format, split, path, rows, digest } = entry
    this.database
      .prepare(`insert or ignore into exports (${columns}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(this.now().toISOString(), task, version, holdout, format, split, path, rows, digest)
  }

  async of(task: string): Promise<LedgerExport[]> {
    return select(this.database, `select ${columns} from exports where task = ? order by export`, task)
  }
}

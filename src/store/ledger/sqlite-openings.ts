import type { DatabaseSync } from "node:sqlite"
import type { OpeningLedger } from "../../core/contracts/ledger.ts"
import { select } from "./sqlite-statements.ts"

/** Openings of test sets in SQLite. */
export class SqliteOpenings implements OpeningLedger {
  private readonly database: DatabaseSync
  private readonly now: () => Date

  constructor(database: DatabaseSync, now: () => Date) {
    this.database = database
    this.now = now
  }

  async record({ task, holdout, evaluation, purpose }: Parameters<OpeningLedger["record"]>[0]): Promise<void> {
    this.database
      .prepare("insert or ignore into holdout_openings (at, task, holdout, evaluation, purpose) values (?, ?, ?, ?, ?)")
      .run(this.now().toISOString(), task, holdout, evaluation, purpose)
  }

  async of(holdout: string): Promise<{ at: string; evaluation: string; purpose: string }[]> {
    return select(
      this.database,
      "select at, evaluation, purpose from holdout_openings where holdout = ? order by opening",
      holdout,
    )
  }
}

import type { DatabaseSync } from "node:sqlite"
import type { ModelRequest } from "../../core/contracts/model.ts"

/**
 * The batches that were given to a provider; a part of the ledger. A batch and its attempts are there before the
 * provider hears of it.
 */
export class Batches {
  private readonly database: DatabaseSync
  private readonly now: () => Date

  constructor(database: DatabaseSync, now: () => Date) {
    this.database = database
    this.now = now
  }

  /**
   * The task's batches that have not ended, oldest first. `remote` is undefined where it is not known whether the
   * provider has it.
   */
  open(task: string): OpenBatch[] {
    const rows = this.database
      .prepare(
        "select batch, submission_key as submissionKey, remote, created_at as createdAt from batches where task = ? and ended_at is null order by batch",
      )
      .all(task) as { batch: number; submissionKey: string; remote: string | null; createdAt: string }[]
    return rows.map((row) => ({ ...row, remote: row.remote ?? undefined, attempts: this.attempts(row.batch) }))
  }

  /** The provider has it, under this id. */
  submitted(batch: number, remote: string): void {
    this.database.prepare("update batches set state = 'submitted', remote = ? where batch = ?").run(remote, batch)
  }

  /** Nothing more comes of it. What is not settled by now was erased meanwhile: it stays at its worst case. */
  ended(batch: number, state: string): void {
    const at = this.now().toISOString()
    this.database
      .prepare(
        "update attempts set state = 'unknown', settled_at = ?, cost_usd = worst_usd where batch = ? and state = 'sent'",
      )
      .run(at, batch)
    this.database.prepare("update batches set state = ?, ended_at = ? where batch = ?").run(state, at, batch)
  }

  /** Those that are not settled; a request that was erased is not among them. */
  private attempts(batch: number): BatchedAttempt[] {
    const rows = this.database
      .prepare(
        "select attempt, key, request from attempts join requests using (key) where batch = ? and state = 'sent' order by attempt",
      )
      .all(batch) as { attempt: number; key: string; request: string }[]
    return rows
      .map(({ attempt, key, request }) => ({ attempt, key, request: JSON.parse(request) as ModelRequest }))
      .filter(({ request }) => "messages" in request)
  }
}

export interface OpenBatch {
  readonly batch: number
  readonly submissionKey: string
  readonly remote: string | undefined
  readonly createdAt: string
  readonly attempts: readonly BatchedAttempt[]
}

export interface BatchedAttempt {
  readonly attempt: number
  readonly key: string
  readonly request: ModelRequest
}

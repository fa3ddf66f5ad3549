import type { DatabaseSync } from "node:sqlite"
import type { BatchedAttempt, NewBatch, OpenBatch, Sending } from "../../core/contracts/ledger.ts"
import { parseRequest } from "./request-texts.ts"
import { inTransaction, select } from "./sqlite-statements.ts"

/** The new batch's number. A batch and its attempts are there before the provider hears of it. */
export function insertBatch(
  database: DatabaseSync,
  { task, purpose }: Sending,
  { baseUrl, name }: NewBatch,
  at: string,
): number {
  const [before] = select<{ count: number }>(database, "select count(*) as count from batches")
  const { lastInsertRowid } = database
    .prepare(
      `insert into batches (task, strategy, submission_key, base_url, state, created_at)
       values (?, ?, ?, ?, 'submitting', ?)`,
    )
    .run(task, purpose, `${name}-${before?.count ?? 0}`, baseUrl, at)
  return Number(lastInsertRowid)
}

/** See `RequestLedger.openBatches`. */
export function openBatches(database: DatabaseSync, task: string): OpenBatch[] {
  return select<{ batch: number; submissionKey: string; remote: string | null; createdAt: string }>(
    database,
    `select batch, submission_key as submissionKey, remote, created_at as createdAt from batches
     where task = ? and ended_at is null order by batch`,
    task,
  ).map((row) => ({ ...row, remote: row.remote ?? undefined, attempts: unsettledAttempts(database, row.batch) }))
}

function unsettledAttempts(database: DatabaseSync, batch: number): BatchedAttempt[] {
  return select<{ attempt: number; key: string; request: string }>(
    database,
    `select attempt, key, request from attempts join requests using (key)
     where batch = ? and state = 'sent' order by attempt`,
    batch,
  ).flatMap(({ attempt, key, request: text }) => {
    const request = parseRequest(database, key, text)
    return request === undefined ? [] : [{ attempt, key, request }]
  })
}

/** See `RequestLedger.batchEnded`. */
export function endBatch(database: DatabaseSync, batch: number, state: string, at: string): void {
  inTransaction(database, () => {
    database
      .prepare(
        `update attempts set state = 'unknown', settled_at = ?, cost_usd = worst_usd
         where batch = ? and state = 'sent'`,
      )
      .run(at, batch)
    database.prepare("update batches set state = ?, ended_at = ? where batch = ?").run(state, at, batch)
  })
}

import type { DatabaseSync } from "node:sqlite"
import type { Begun, Ceilings, NewBatch, ReachedCeiling, Sending, Settlement } from "../../core/contracts/ledger.ts"
import { erasedMeanwhile, idDigest } from "../../core/rows/erasure.ts"
import { erasedRequest } from "./request-texts.ts"
import { insertBatch } from "./sqlite-batches.ts"
import { spentUsd } from "./sqlite-spending.ts"
import { inTransaction, keyList, select } from "./sqlite-statements.ts"

/** See `RequestLedger.begin`. */
export function beginAttempts(
  database: DatabaseSync,
  sendings: readonly Sending[],
  {
    ceilings,
    newBatch,
    at,
  }: { readonly ceilings: Ceilings; readonly newBatch: NewBatch | undefined; readonly at: string },
): Begun {
  return inTransaction(database, () => {
    const [first] = sendings
    if (first === undefined) return { attempts: [] }
    requireAllowed(database, first.task, sendings)
    const worstUsd = sendings.reduce((sum, sending) => sum + (sending.worstUsd ?? 0), 0)
    const reached = reachedCeiling(database, first.task, worstUsd, ceilings)
    if (reached !== undefined) return { reached }
    const batch = newBatch === undefined ? null : insertBatch(database, first, newBatch, at)
    return { attempts: sendings.map((sending) => insertAttempt(database, sending, batch, at)) }
  })
}

/** Throws where an erasure took what a request shows, also while the command that sends it was running. */
function requireAllowed(database: DatabaseSync, task: string, sendings: readonly Sending[]): void {
  const names = new Set(sendings.flatMap(({ key, rows = [] }) => [key, ...rows.map(idDigest)]))
  const forbidden = select(
    database,
    "select 1 from forbidden where task = ? and name in (select value from json_each(?)) limit 1",
    task,
    keyList(names),
  )
  if (forbidden.length > 0) throw erasedMeanwhile(task)
}

function reachedCeiling(
  database: DatabaseSync,
  task: string,
  worstUsd: number,
  { taskUsd, workspaceUsd }: Ceilings,
): ReachedCeiling | undefined {
  for (const [scope, limitUsd, of] of [
    ["task", taskUsd, task],
    ["workspace", workspaceUsd, undefined],
  ] as const) {
    if (limitUsd === undefined) continue
    const spent = spentUsd(database, of)
    if (spent + worstUsd > limitUsd) return { scope, limitUsd, spentUsd: spent }
  }
  return undefined
}

function insertAttempt(
  database: DatabaseSync,
  { key, request, task, purpose, worstUsd, rows = [] }: Sending,
  batch: number | null,
  at: string,
): number {
  database
    .prepare(
      `insert into requests (key, task, strategy, request, sent_at, attempts) values (?, ?, ?, ?, ?, 1)
       on conflict (key) do update set attempts = attempts + 1, sent_at = excluded.sent_at, request = excluded.request`,
    )
    .run(key, task, purpose, JSON.stringify(request), at)
  const shown = database.prepare("insert or ignore into request_rows (key, row) values (?, ?)")
  for (const row of rows) shown.run(key, idDigest(row))
  const { lastInsertRowid } = database
    .prepare(
      "insert into attempts (key, task, strategy, batch, state, sent_at, worst_usd) values (?, ?, ?, ?, 'sent', ?, ?)",
    )
    .run(key, task, purpose, batch, at, worstUsd)
  return Number(lastInsertRowid)
}

/** See `RequestLedger.settle`. */
export function settleAttempts(database: DatabaseSync, settlements: readonly Settlement[], at: string): void {
  inTransaction(database, () => {
    for (const settlement of settlements) {
      if (settlement.outcome === "answered") settleAnswered(database, settlement, at)
      else settleUnanswered(database, settlement, at)
    }
  })
}

function requireAttempt(database: DatabaseSync, attempt: number): void {
  if (select(database, "select 1 from attempts where attempt = ?", attempt).length === 0)
    throw new Error(`the ledger has no attempt ${attempt}`)
}

function settleAnswered(
  database: DatabaseSync,
  { attempt, answer, costUsd }: Extract<Settlement, { outcome: "answered" }>,
  at: string,
): void {
  const { changes } = database
    .prepare(
      `update attempts set state = 'answered', settled_at = ?, cost_usd = ?, input_tokens = ?, output_tokens = ?
       where attempt = ?`,
    )
    .run(at, costUsd, answer.inputTokens, answer.outputTokens, attempt)
  if (changes === 0) requireAttempt(database, attempt)
  database
    .prepare(
      `update requests set answered_at = ?, answer = ?
       where key = (select key from attempts where attempt = ?) and answer is null and request <> ?`,
    )
    .run(at, JSON.stringify(answer), attempt, erasedRequest)
}

function settleUnanswered(
  database: DatabaseSync,
  { attempt, outcome }: Exclude<Settlement, { outcome: "answered" }>,
  at: string,
): void {
  const cost = outcome === "refused" ? "0" : "worst_usd"
  const { changes } = database
    .prepare(
      `update attempts set state = ?, settled_at = ?, cost_usd = case when worst_usd is null then null else ${cost} end
       where attempt = ? and state = 'sent'`,
    )
    .run(outcome, at, attempt)
  if (changes === 0) requireAttempt(database, attempt)
}

/** See `RequestLedger.bookLost`. */
export function bookLostAttempts(
  database: DatabaseSync,
  task: string,
  at: string,
): { readonly attempts: number; readonly usd: number } {
  return inTransaction(database, () => {
    const isLost = "task = ? and state = 'sent' and batch is null"
    const [lost] = select<{ attempts: number; usd: number }>(
      database,
      `select count(*) as attempts, coalesce(sum(worst_usd), 0) as usd from attempts where ${isLost}`,
      task,
    )
    database
      .prepare(`update attempts set state = 'unknown', settled_at = ?, cost_usd = worst_usd where ${isLost}`)
      .run(at, task)
    return { attempts: lost?.attempts ?? 0, usd: lost?.usd ?? 0 }
  })
}

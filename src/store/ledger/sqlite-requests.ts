import type { DatabaseSync } from "node:sqlite"
import type {
  Begun,
  Ceilings,
  LedgerRequest,
  NewBatch,
  OpenBatch,
  RequestLedger,
  RequestTotals,
  Sending,
  Settlement,
  Spending,
} from "../../core/contracts/ledger.ts"
import type { ModelAnswer, ModelRequest } from "../../core/contracts/model.ts"
import { erasedRequest, parseAnswer, parseRequest } from "./request-texts.ts"
import { beginAttempts, bookLostAttempts, settleAttempts } from "./sqlite-attempts.ts"
import { endBatch, openBatches } from "./sqlite-batches.ts"
import { eraseRequests, forbidRequests, keysSaying, keysShowing } from "./sqlite-erasure.ts"
import { spendingByPurpose, spendingOf, spentUsd } from "./sqlite-spending.ts"
import { keyList, select } from "./sqlite-statements.ts"

/** Requests to models, their attempts, batches and cost in SQLite. */
export class SqliteRequests implements RequestLedger {
  private readonly database: DatabaseSync
  private readonly now: () => Date

  constructor(database: DatabaseSync, now: () => Date) {
    this.database = database
    this.now = now
  }

  async answers(keys: Iterable<string>): Promise<ReadonlyMap<string, ModelAnswer>> {
    return new Map(answersOf(this.database, keys))
  }

  async answered(keys: Iterable<string>): Promise<ReadonlySet<string>> {
    const rows = select<{ key: string }>(
      this.database,
      "select key from requests where key in (select value from json_each(?)) and answer is not null",
      keyList(keys),
    )
    return new Set(rows.map(({ key }) => key))
  }

  async find(keys: Iterable<string>): Promise<ReadonlyMap<string, LedgerRequest>> {
    const rows = select<RequestRow>(
      this.database,
      `select key, task, strategy as purpose, request, sent_at as sentAt, attempts, answered_at as answeredAt, answer
       from requests where key in (select value from json_each(?))`,
      keyList(keys),
    )
    return new Map(rows.map((row) => [row.key, requestOf(this.database, row)]))
  }

  async recording(task: string): Promise<{ request: ModelRequest; answer: ModelAnswer }[]> {
    const rows = select<{ key: string; request: string; answer: string }>(
      this.database,
      `select key, request, answer from requests where task = ? and answer is not null
       and strategy not like 'recorded:%' and strategy not like 'evaluated:%' order by rowid`,
      task,
    )
    return rows.flatMap(({ key, request: text, answer }) => {
      const request = parseRequest(this.database, key, text)
      return request === undefined ? [] : [{ request, answer: parseAnswer(this.database, key, answer) }]
    })
  }

  async totals(task?: string): Promise<RequestTotals> {
    const rows = select<{ key: string; attempts: number; answer: string | null }>(
      this.database,
      "select key, attempts, answer from requests where task = coalesce(?, task)",
      task ?? null,
    )
    const answers = rows.flatMap(({ key, answer }) =>
      answer === null ? [] : [parseAnswer(this.database, key, answer)],
    )
    return {
      requests: rows.length,
      sent: rows.reduce((sum, row) => sum + row.attempts, 0),
      answered: answers.length,
      inputTokens: answers.reduce((sum, answer) => sum + (answer.inputTokens ?? 0), 0),
      outputTokens: answers.reduce((sum, answer) => sum + (answer.outputTokens ?? 0), 0),
    }
  }

  async saying(
    task: string,
    texts: readonly string[],
    { withoutRows = false }: { readonly withoutRows?: boolean } = {},
  ): Promise<string[]> {
    return keysSaying(this.database, { task, texts, withoutRows })
  }

  async showing(task: string, rows: Iterable<string>): Promise<string[]> {
    return keysShowing(this.database, task, rows)
  }

  async erase(keys: readonly string[]): Promise<void> {
    eraseRequests(this.database, keys)
  }

  async forbid(
    task: string,
    names: { readonly rows: Iterable<string>; readonly keys: Iterable<string> },
  ): Promise<void> {
    forbidRequests(this.database, task, names)
  }

  async reopen(keys: readonly string[]): Promise<void> {
    this.database
      .prepare(
        `update requests set answer = null, answered_at = null
         where key in (select value from json_each(?)) and request <> ?`,
      )
      .run(keyList(keys), erasedRequest)
  }

  async begin(sendings: readonly Sending[], ceilings: Ceilings = {}, newBatch?: NewBatch): Promise<Begun> {
    return beginAttempts(this.database, sendings, { ceilings, newBatch, at: this.timestamp() })
  }

  async settle(settlements: readonly Settlement[]): Promise<void> {
    settleAttempts(this.database, settlements, this.timestamp())
  }

  async bookLost(task: string): Promise<{ readonly attempts: number; readonly usd: number }> {
    return bookLostAttempts(this.database, task, this.timestamp())
  }

  async openBatches(task: string): Promise<OpenBatch[]> {
    return openBatches(this.database, task)
  }

  async batchSubmitted(batch: number, remote: string): Promise<void> {
    this.database.prepare("update batches set state = 'submitted', remote = ? where batch = ?").run(remote, batch)
  }

  async batchEnded(batch: number, state: string): Promise<void> {
    endBatch(this.database, batch, state, this.timestamp())
  }

  async spentUsd(task?: string): Promise<number> {
    return spentUsd(this.database, task)
  }

  async spendingOf(keys: Iterable<string>): Promise<Spending> {
    return spendingOf(this.database, keys)
  }

  async spendingByPurpose(): Promise<(Spending & { readonly task: string; readonly purpose: string })[]> {
    return spendingByPurpose(this.database)
  }

  private timestamp(): string {
    return this.now().toISOString()
  }
}

interface RequestRow {
  readonly key: string
  readonly task: string
  readonly purpose: string
  readonly request: string
  readonly sentAt: string
  readonly attempts: number
  readonly answeredAt: string | null
  readonly answer: string | null
}

function answersOf(database: DatabaseSync, keys: Iterable<string>): [string, ModelAnswer][] {
  return select<{ key: string; answer: string }>(
    database,
    "select key, answer from requests where key in (select value from json_each(?)) and answer is not null",
    keyList(keys),
  ).map(({ key, answer }) => [key, parseAnswer(database, key, answer)])
}

function requestOf(
  database: DatabaseSync,
  { key, request: text, answer, answeredAt, ...sent }: RequestRow,
): LedgerRequest {
  const request = parseRequest(database, key, text)
  return {
    ...sent,
    key,
    isErased: request === undefined,
    ...(request === undefined ? {} : { request }),
    ...(answer === null ? {} : { answer: parseAnswer(database, key, answer) }),
    ...(answeredAt === null ? {} : { answeredAt }),
  }
}

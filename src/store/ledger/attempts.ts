import type { DatabaseSync } from "node:sqlite"
import type { ModelAnswer, ModelRequest } from "../../core/contracts/model.ts"
import { inTransaction } from "./transaction.ts"

/**
 * How often and at what cost requests were sent; a part of the ledger. An attempt counts at its worst case from before
 * it is sent until it is known what it cost: a process that dies leaves it so. Every write is durable when the call
 * returns.
 */
export class Attempts {
  private readonly database: DatabaseSync
  private readonly now: () => Date

  constructor(database: DatabaseSync, now: () => Date) {
    this.database = database
    this.now = now
  }

  /**
   * Writes down that the requests are about to be sent, all or none: none when a ceiling would be passed, which is
   * returned. Two processes never pass it together. With a new batch they belong to it: its submission key is its name
   * and the number of batches before it.
   */
  begin(
    sendings: readonly Sending[],
    ceilings: Ceilings = {},
    newBatch?: { readonly baseUrl: string; readonly name: string },
  ): { readonly attempts: readonly number[] } | { readonly reached: ReachedCeiling } {
    return inTransaction(this.database, () => {
      const first = sendings[0]
      if (first === undefined) return { attempts: [] }
      const worstUsd = sendings.reduce((sum, sending) => sum + (sending.worstUsd ?? 0), 0)
      for (const [scope, limitUsd, spentUsd] of [
        ["task", ceilings.taskUsd, () => this.spentUsd(first.task)],
        ["workspace", ceilings.workspaceUsd, () => this.spentUsd()],
      ] as const) {
        if (limitUsd === undefined) continue
        const spent = spentUsd()
        if (spent + worstUsd > limitUsd) return { reached: { scope, limitUsd, spentUsd: spent } }
      }
      const batch = newBatch === undefined ? undefined : this.insertBatch(first, newBatch)
      return { attempts: sendings.map((sending) => this.insert(sending, batch)) }
    })
  }

  /**
   * The answer is kept for good, and what it cost; null where nobody knows the price. Of a request that was erased
   * meanwhile nothing is kept but the cost.
   */
  answered(attempt: number, answer: ModelAnswer, costUsd: number | null): void {
    inTransaction(this.database, () => {
      const { key } = this.database.prepare("select key from attempts where attempt = ?").get(attempt) as {
        key: string
      }
      this.database
        .prepare(
          "update attempts set state = 'answered', settled_at = ?, cost_usd = ?, input_tokens = ?, output_tokens = ? where attempt = ?",
        )
        .run(this.timestamp(), costUsd, answer.inputTokens, answer.outputTokens, attempt)
      this.database
        .prepare("update requests set answered_at = ?, answer = ? where key = ? and answer is null and request <> ?")
        .run(this.timestamp(), JSON.stringify(answer), key, erasedRequest)
    })
  }

  /** The server did nothing for it. */
  refused(attempt: number): void {
    this.settle(attempt, "refused", "0")
  }

  /** Nobody knows whether the server did the work: it stays at its worst case. */
  unknown(attempt: number): void {
    this.settle(attempt, "unknown", "worst_usd")
  }

  /**
   * Books as unknown what was in flight when its process died. Only whoever holds the task's right to ask may say so:
   * then nothing of the task is in flight. What is in a batch is not in flight.
   */
  bookLost(task: string): { readonly attempts: number; readonly usd: number } {
    return inTransaction(this.database, () => {
      const lost = this.database
        .prepare(
          "select count(*) as attempts, coalesce(sum(worst_usd), 0) as usd from attempts where task = ? and state = 'sent' and batch is null",
        )
        .get(task) as { attempts: number; usd: number }
      this.database
        .prepare(
          "update attempts set state = 'unknown', settled_at = ?, cost_usd = worst_usd where task = ? and state = 'sent' and batch is null",
        )
        .run(this.timestamp(), task)
      return lost
    })
  }

  /** What was spent, with what is in flight or unknown at its worst case; what has no known price counts nothing. */
  spentUsd(task?: string): number {
    const sum = "select coalesce(sum(coalesce(cost_usd, worst_usd)), 0) as usd from attempts"
    const statement = this.database.prepare(task === undefined ? sum : `${sum} where task = ?`)
    return (statement.get(...(task === undefined ? [] : [task])) as { usd: number }).usd
  }

  /** What the requests have cost so far, all their attempts together. */
  spendingOf(keys: Iterable<string>): Spending {
    const statement = this.database.prepare(
      `select count(*) as attempts, sum(coalesce(cost_usd, worst_usd)) as usd, sum(worst_usd is null) as unpriced,
         sum(state = 'unknown') as unknown, sum(input_tokens) as inputTokens, sum(output_tokens) as outputTokens from attempts where key = ?`,
    )
    const total = { attempts: 0, usd: 0, unpriced: 0, unknown: 0, inputTokens: 0, outputTokens: 0 }
    for (const key of keys) {
      const row = statement.get(key) as Record<keyof Spending, number | null>
      for (const name of Object.keys(total) as (keyof Spending)[]) total[name] += row[name] ?? 0
    }
    return total
  }

  /** Every task and strategy that asked a model, with what it took. */
  spendingByStrategy(): (Spending & { readonly task: string; readonly strategy: string })[] {
    return this.database
      .prepare(
        `select task, strategy, count(*) as attempts, coalesce(sum(coalesce(cost_usd, worst_usd)), 0) as usd, sum(worst_usd is null) as unpriced,
           sum(state = 'unknown') as unknown, coalesce(sum(input_tokens), 0) as inputTokens, coalesce(sum(output_tokens), 0) as outputTokens
         from attempts group by task, strategy order by task, strategy`,
      )
      .all() as unknown as (Spending & { task: string; strategy: string })[]
  }

  private insertBatch(
    { task, strategy }: Sending,
    { baseUrl, name }: { readonly baseUrl: string; readonly name: string },
  ): number {
    const { count } = this.database.prepare("select count(*) as count from batches").get() as { count: number }
    const { lastInsertRowid } = this.database
      .prepare(
        "insert into batches (task, strategy, submission_key, base_url, state, created_at) values (?, ?, ?, ?, 'submitting', ?)",
      )
      .run(task, strategy, `${name}-${count}`, baseUrl, this.timestamp())
    return Number(lastInsertRowid)
  }

  private insert({ key, request, task, strategy, worstUsd }: Sending, batch: number | undefined): number {
    this.database
      .prepare(
        "insert into requests (key, task, strategy, request, sent_at, attempts) values (?, ?, ?, ?, ?, 1) on conflict (key) do update set attempts = attempts + 1, sent_at = excluded.sent_at, request = excluded.request",
      )
      .run(key, task, strategy, JSON.stringify(request), this.timestamp())
    const { lastInsertRowid } = this.database
      .prepare(
        "insert into attempts (key, task, strategy, batch, state, sent_at, worst_usd) values (?, ?, ?, ?, 'sent', ?, ?)",
      )
      .run(key, task, strategy, batch ?? null, this.timestamp(), worstUsd)
    return Number(lastInsertRowid)
  }

  private settle(attempt: number, state: "refused" | "unknown", cost: "0" | "worst_usd"): void {
    this.database
      .prepare(
        `update attempts set state = ?, settled_at = ?, cost_usd = case when worst_usd is null then null else ${cost} end where attempt = ? and state = 'sent'`,
      )
      .run(state, this.timestamp(), attempt)
  }

  private timestamp(): string {
    return this.now().toISOString()
  }
}

/** What stands in the place of a request that was erased. */
export const erasedRequest = '{"erased":true}'

/** A request that is about to be sent; `worstUsd` is null where its price is not known. */
export interface Sending {
  readonly key: string
  readonly request: ModelRequest
  readonly task: string
  readonly strategy: string
  readonly worstUsd: number | null
}

/** The most that a task and that the whole workspace may have spent, ever. */
export interface Ceilings {
  readonly taskUsd?: number | undefined
  readonly workspaceUsd?: number | undefined
}

export interface ReachedCeiling {
  readonly scope: "command" | "task" | "workspace"
  readonly limitUsd: number
  readonly spentUsd: number
}

/** `unpriced` attempts have no known price; `unknown` ones may or may not have been paid. */
export interface Spending {
  readonly attempts: number
  readonly usd: number
  readonly unpriced: number
  readonly unknown: number
  readonly inputTokens: number
  readonly outputTokens: number
}

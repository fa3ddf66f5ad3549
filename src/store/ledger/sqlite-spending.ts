import type { DatabaseSync } from "node:sqlite"
import type { Spending } from "../../core/contracts/ledger.ts"
import { keyList, select } from "./sqlite-statements.ts"

/** See `RequestLedger.spentUsd`. */
export function spentUsd(database: DatabaseSync, task: string | undefined): number {
  const sum = `select coalesce(sum(${bookedUsd}), 0) as usd from attempts`
  const rows =
    task === undefined
      ? select<{ usd: number }>(database, sum)
      : select<{ usd: number }>(database, `${sum} where task = ?`, task)
  return rows[0]?.usd ?? 0
}

// No request earns money: earlier versions booked what servers stated, whatever it was.
const bookedUsd = "max(coalesce(cost_usd, worst_usd), 0)"
const sums = `count(*) as attempts, coalesce(sum(${bookedUsd}), 0) as usd,
  sum(worst_usd is null) as unpriced, sum(state = 'unknown') as unknown,
  sum(state = 'answered' and (input_tokens is null or output_tokens is null)) as uncounted,
  coalesce(sum(input_tokens), 0) as inputTokens, coalesce(sum(output_tokens), 0) as outputTokens`

/** See `RequestLedger.spendingOf`. */
export function spendingOf(database: DatabaseSync, keys: Iterable<string>): Spending {
  const wanted = [...keys]
  const rows = select<Spending & { readonly key: string }>(
    database,
    `select key, ${sums} from attempts where key in (select value from json_each(?)) group by key`,
    keyList(wanted),
  )
  const byKey = new Map(rows.map((row) => [row.key, row]))
  const total = { attempts: 0, usd: 0, unpriced: 0, unknown: 0, uncounted: 0, inputTokens: 0, outputTokens: 0 }
  // In the order of the keys: sums of dollars depend on it in the last digit.
  for (const key of wanted) {
    const row = byKey.get(key)
    if (row === undefined) continue
    for (const name of Object.keys(total) as (keyof Spending)[]) total[name] += row[name]
  }
  return total
}

/** See `RequestLedger.spendingByPurpose`. */
export function spendingByPurpose(
  database: DatabaseSync,
): (Spending & { readonly task: string; readonly purpose: string })[] {
  return select(
    database,
    `select task, strategy as purpose, ${sums} from attempts group by task, strategy order by task, strategy`,
  )
}

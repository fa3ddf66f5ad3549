import type { Spending } from "../../core/contracts/ledger.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import type { StageContext } from "../context.ts"
import { taskExamples } from "../standing/task-examples.ts"

/**
 * What a strategy's requests cost, and what came of it; `usdPerAccepted` is null where nothing was accepted yet or a
 * price is unknown.
 */
export interface Cost extends Spending {
  readonly task: string
  readonly strategy: string
  readonly accepted: number
  readonly usdPerAccepted: number | null
}

/** The cost of every task and strategy that asked a model, with how many of its candidates are train examples now. */
export async function costsOf(context: StageContext, task?: string): Promise<Cost[]> {
  const all = await context.readLedger().requests.spendingByPurpose()
  const spendings = all.filter((spending) => task === undefined || spending.task === task)
  const accepted = new Map(
    [...new Set(spendings.map((spending) => spending.task))].map((name) => [name, acceptedByStrategy(context, name)]),
  )
  return spendings.map(({ task: name, purpose: strategy, ...spending }) => {
    const count = accepted.get(name)?.get(strategy) ?? 0
    return {
      task: name,
      strategy,
      ...spending,
      accepted: count,
      usdPerAccepted: count === 0 || spending.unpriced > 0 ? null : spending.usd / count,
    }
  })
}

/** Train examples by the strategy that grew them; none where the task is no more. */
function acceptedByStrategy(context: StageContext, name: string): Map<string, number> {
  if (!context.workspace.tasks().includes(name)) return new Map()
  const { train } = taskExamples(context.workspace.readTask(name), new TaskRows(context.workspace, name))
  const counts = new Map<string, number>()
  for (const { provenance } of train)
    if (provenance.strategy) counts.set(provenance.strategy, (counts.get(provenance.strategy) ?? 0) + 1)
  return counts
}

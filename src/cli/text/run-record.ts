import { type CheckpointChoice, checkpointsOf } from "../../core/training/checkpoints.ts"
import type { RunSummary } from "../../core/training/run.ts"
import type { RunCost } from "../../core/training/spending.ts"
import { showUsd } from "../../stages/asking/money.ts"

/** `cost: $0.0060, estimated at $0.0089`; nothing where there is nothing to pay. */
export function describeCost({ estimateUsd, costUsd }: RunCost, isOver: boolean): string[] {
  if (!estimateUsd && !costUsd) return []
  const estimated = estimateUsd === null ? "without an estimate" : `estimated at ${showUsd(estimateUsd)}`
  if (costUsd !== null) return [`cost: ${showUsd(costUsd)}, ${estimated}`]
  return [`cost: ${isOver ? "not known" : "not known yet"}, ${estimated}`]
}

/** What a run that was stopped cost until then: `already spent: $0.0060, of an estimated $0.0089`. */
export function describeSpent({ estimateUsd, costUsd }: RunCost): string[] {
  if (!estimateUsd && !costUsd) return []
  const estimated = estimateUsd === null ? "without an estimate" : `of an estimated ${showUsd(estimateUsd)}`
  if (costUsd !== null) return [`already spent: ${showUsd(costUsd)}, ${estimated}`]
  return [`already spent: not known, ${estimated}; finished steps may be billed, look at the service's own bill`]
}

/** `$0.0060 ($0.0089)`: what it cost, and what it was thought to. */
export function shortCost({ estimateUsd, costUsd }: RunCost): string {
  const known = costUsd === null ? "–" : showUsd(costUsd)
  return estimateUsd === null ? known : `${known} (${showUsd(estimateUsd)})`
}

/** Jobs beside the run's own, and how to end them. */
export function describeLateJobs({ run, lateJobs }: RunSummary): string[] {
  return lateJobs.map(({ id, endedAs }) =>
    endedAs === undefined
      ? `job ${id} turned up late and may cost as well: tuneloop runs cancel ${run} --late`
      : `job ${id} turned up late and is ${endedAs}`,
  )
}

/** The checkpoints with a name or a loss of their own, a line each, and which of them the plan takes. */
export function describeCheckpoints(summary: RunSummary, choice: CheckpointChoice): string[] {
  const marked = checkpointsOf(summary)
  if (!marked.some(({ model, evalLoss }) => model !== undefined || evalLoss !== undefined)) return []
  return [
    `checkpoints (the job takes ${choice === "last" ? "the last" : "the one with the lowest validation loss"}):`,
    ...marked.map(({ step, model, evalLoss, isLowest, isDefault }) =>
      [
        `  step ${step}`,
        ...(evalLoss === undefined ? [] : [`validation loss ${evalLoss.toFixed(3)}`]),
        ...(isLowest ? ["the lowest"] : []),
        ...(isDefault ? ["the last"] : []),
        ...(model === undefined ? [] : [model]),
      ].join(", "),
    ),
  ]
}

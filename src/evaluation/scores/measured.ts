import type { Prediction } from "../../core/contracts/backend.ts"
import type { Metric, ScoredRow } from "../../core/contracts/metric.ts"
import type { Bootstrap } from "../statistics/bootstrap.ts"

/** A metric and its id. */
export interface NamedMetric {
  readonly name: string
  readonly metric: Metric
}

/** What one contender answered: its rows, and the raw predictions for times and tokens. */
export interface ContenderRows {
  readonly name: string
  readonly rows: readonly ScoredRow[]
  readonly predictions: readonly Pick<Prediction, "latencyMs" | "inputTokens" | "outputTokens">[]
}

/** A metric bound to the task, with the bootstrap that all of its intervals share. */
export interface MeasuredMetric {
  readonly name: string
  readonly value: (rows: readonly ScoredRow[]) => number
  readonly rowScores: ((rows: readonly ScoredRow[]) => Float64Array) | undefined
  readonly bootstrap: Bootstrap
}

/** Whether every score is 0 or 1. */
export function isBinary(scores: Float64Array): boolean {
  return scores.every((score) => score === 0 || score === 1)
}

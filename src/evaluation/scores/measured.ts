import type { Prediction } from "../../core/contracts/backend.ts"
import type { BoundMetric, ScoredRow } from "../../core/contracts/metric.ts"
import type { Bootstrap } from "../statistics/bootstrap.ts"

/** What one contender answered: its rows, and the raw predictions for times and tokens. */
export interface ContenderRows {
  readonly name: string
  readonly rows: readonly ScoredRow[]
  readonly predictions: readonly Asked[]
}

type Asked = Pick<Prediction, "latencyMs" | "inputTokens" | "outputTokens"> & Partial<Pick<Prediction, "finish">>

/** A metric with the bootstrap that all of its intervals share. */
export interface MeasuredMetric extends BoundMetric {
  readonly bootstrap: Bootstrap
}

/** Whether every score is 0 or 1. */
export function isBinary(scores: Float64Array): boolean {
  return scores.every((score) => score === 0 || score === 1)
}

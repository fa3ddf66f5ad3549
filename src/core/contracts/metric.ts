import type { Output } from "../rows/example.ts"
import type { TaskSpecification } from "../task/task.ts"

/**
 * One answer beside its reference; `output` is undefined when the answer could not be read as an output of the task.
 */
export interface ScoredRow {
  readonly id: string
  readonly reference: Output
  readonly output: Output | undefined
}

/** The default export of a file in metrics/, whose name is the metric's id. */
export interface Metric {
  readonly summary: string
  readonly kinds: readonly TaskSpecification["kind"][]
  /**
   * For a metric that is a mean over rows: the score of each row in 0..1. The paired test is exact when every score is
   * 0 or 1.
   */
  rowScores?(rows: readonly ScoredRow[], task: TaskSpecification): Float64Array
  /** The metric over the rows; `rows` may be a resample with repeats. Empty input gives NaN. */
  value(rows: readonly ScoredRow[], task: TaskSpecification): number
}

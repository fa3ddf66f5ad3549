import type { z } from "zod"
import type { Input, Output } from "../rows/example.ts"
import type { TaskSpecification } from "../task/task.ts"

/**
 * One answer beside what was asked and what is right; `output` is undefined when the answer could not be read as an
 * output of the task.
 */
export interface ScoredRow {
  readonly id: string
  readonly input: Input
  /** Every answer that counts as right; tables of labels count by the first. */
  readonly references: readonly [Output, ...Output[]]
  readonly output: Output | undefined
  /** Rows of one group count as one in the statistics; a row without a group stands alone. */
  readonly group?: string | undefined
}

/** What a metric is computed with besides the rows. */
export interface MetricContext<Options> {
  readonly task: TaskSpecification
  readonly options: Options
}

interface SharedMetric<Options> {
  readonly summary: string
  readonly kinds: readonly TaskSpecification["kind"][]
  /** Raised when the metric gives another figure for the same rows and options. */
  readonly version: number
  /** Whether a higher or a lower value is the better one. */
  readonly direction: "higher" | "lower"
  /** A strict schema; in a list of metrics options are written `name:key=value,key=value`. */
  readonly options: z.ZodType<Options>
  /** Values that belong to the main one, by name, such as the precision beside an F1. They get no interval. */
  others?(rows: readonly ScoredRow[], context: MetricContext<Options>): Readonly<Record<string, number>>
}

/** A metric that is a mean over rows. */
export interface RowMetric<Options = unknown> extends SharedMetric<Options> {
  /** The score of each row. The paired test is exact when every score is 0 or 1. */
  rowScores(rows: readonly ScoredRow[], context: MetricContext<Options>): Float64Array
}

/** A metric of all rows together, which is no mean over them. */
export interface CorpusMetric<Options = unknown> extends SharedMetric<Options> {
  /** The main value; `rows` may be a resample with repeats. Empty input gives NaN. */
  value(rows: readonly ScoredRow[], context: MetricContext<Options>): number
}

/** The default export of a file in metrics/, whose name is the metric's id. */
export type Metric<Options = unknown> = RowMetric<Options> | CorpusMetric<Options>

/** A metric with its options; `name` is as it was asked for, options included. */
export interface ConfiguredMetric {
  readonly name: string
  readonly metric: Metric
  readonly options: unknown
}

/** A metric bound to the task and its options. */
export interface BoundMetric {
  readonly name: string
  readonly direction: Metric["direction"]
  /** The main value; NaN for no rows. */
  readonly value: (rows: readonly ScoredRow[]) => number
  /** For a metric that is a mean over rows. */
  readonly rowScores: ((rows: readonly ScoredRow[]) => Float64Array) | undefined
  readonly others: ((rows: readonly ScoredRow[]) => Readonly<Record<string, number>>) | undefined
}

export function boundMetric({ name, metric, options }: ConfiguredMetric, task: TaskSpecification): BoundMetric {
  const context = { task, options }
  const { direction } = metric
  const others = metric.others && ((rows: readonly ScoredRow[]) => metric.others?.(rows, context) ?? {})
  if (!("rowScores" in metric))
    return { name, direction, others, value: (rows) => metric.value(rows, context), rowScores: undefined }
  const rowScores = (rows: readonly ScoredRow[]) => metric.rowScores(rows, context)
  return { name, direction, others, rowScores, value: (rows) => mean(rowScores(rows)) }
}

function mean(scores: Float64Array): number {
  let sum = 0
  for (const score of scores) sum += score
  return sum / scores.length
}

import { boundMetric, type ConfiguredMetric, type ScoredRow } from "../../core/contracts/metric.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { bootstrapIntervals, type Interval } from "../statistics/bootstrap.ts"
import { compareWithTuned, type Comparison } from "./comparisons.ts"
import { latencyOf, type Latency } from "./latency.ts"
import { isBinary, type ContenderRows, type MeasuredMetric } from "./measured.ts"
import { shareInterval, unitsOf } from "./units.ts"

/** A metric's value over `n` rows, with its interval. */
export interface MetricScore extends Interval {
  readonly value: number
  readonly n: number
  /** Values that belong to it, where the metric has some. */
  readonly others?: Readonly<Record<string, number>>
}

export interface ContenderScores {
  readonly name: string
  readonly metrics: Readonly<Record<string, MetricScore>>
  /** How many answers could not be read as an output of the task; they count as wrong. */
  readonly unreadable: number
  /** How many of these were cut off at the most tokens that an answer may have; absent where none was. */
  readonly cut?: number | undefined
  /** Null when no answer was timed. */
  readonly latencyMs: Latency | null
  /** Tokens an answer, on average; null for a contender that has no tokens. */
  readonly tokens: { readonly inputMean: number; readonly outputMean: number } | null
}

export interface Scoring {
  readonly contenders: readonly ContenderScores[]
  /** The contender `tuned` against every other, for every metric; empty when it is not there. */
  readonly comparisons: readonly Comparison[]
}

export interface ScoringOptions {
  readonly task: TaskSpecification
  readonly contenders: readonly ContenderRows[]
  /** Metrics that are not for the task's kind are left out. */
  readonly metrics: readonly ConfiguredMetric[]
  readonly seed: number
}

/**
 * Every contender scored on the same rows, and the tuned one compared with every other, by the confidence and the
 * resamples of the task's verdict. Intervals are Wilson's where every row scores 0 or 1, else percentile bootstrap; of
 * rows in groups the unit is the group, for Wilson's as if all rows of one said the same. The same input and seed give
 * the same figures. Throws RangeError when contenders did not answer the same rows in the same order, or share a name.
 */
export function scoreContenders({ task, contenders, metrics, seed }: ScoringOptions): Scoring {
  requireDistinct(contenders)
  const { confidence, bootstrap: resamples } = task.verdict
  const rowsByContender = new Map(contenders.map(({ name, rows }) => [name, rows]))
  const units = unitsOf(contenders[0]?.rows ?? [])
  const measured = metrics
    .filter(({ metric }) => metric.kinds.includes(task.kind))
    .map((configured): MeasuredMetric => {
      const bound = boundMetric(configured, task)
      const { value, rowScores } = bound
      return {
        ...bound,
        bootstrap: bootstrapIntervals({ rowsByContender, value, rowScores, units, resamples, confidence, seed }),
      }
    })
  return {
    contenders: contenders.map((contender) => scoresOf(contender, measured, confidence)),
    comparisons: measured.flatMap((metric) => compareWithTuned(contenders, metric, { seed })),
  }
}

function scoresOf(
  { name, rows, predictions }: ContenderRows,
  metrics: readonly MeasuredMetric[],
  confidence: number,
): ContenderScores {
  const times = predictions.flatMap(({ latencyMs }) => latencyMs ?? [])
  const inputMean = mean(predictions.map(({ inputTokens }) => inputTokens))
  const outputMean = mean(predictions.map(({ outputTokens }) => outputTokens))
  const unread = rows.flatMap(({ output }, place) => (output === undefined ? [predictions[place]] : []))
  const cut = unread.filter((prediction) => prediction?.finish === "length").length
  return {
    name,
    metrics: Object.fromEntries(metrics.map((metric) => [metric.name, scoreOf(name, rows, metric, confidence)])),
    unreadable: unread.length,
    ...(cut === 0 ? {} : { cut }),
    latencyMs: latencyOf(times, confidence),
    tokens: inputMean > 0 || outputMean > 0 ? { inputMean, outputMean } : null,
  }
}

function scoreOf(
  name: string,
  rows: readonly ScoredRow[],
  { value, rowScores, others, bootstrap }: MeasuredMetric,
  confidence: number,
): MetricScore {
  const scores = rowScores?.(rows)
  const interval = scores && isBinary(scores) ? shareInterval(rows, sum(scores), confidence) : bootstrap.interval(name)
  return { value: value(rows), ...interval, n: rows.length, ...(others === undefined ? {} : { others: others(rows) }) }
}

function sum(scores: Float64Array): number {
  return scores.reduce((total, score) => total + score, 0)
}

function mean(numbers: readonly number[]): number {
  return numbers.length === 0 ? 0 : numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}

function requireDistinct(contenders: readonly ContenderRows[]): void {
  const names = contenders.map(({ name }) => name)
  const repeated = names.find((name, position) => names.indexOf(name) !== position)
  if (repeated !== undefined) throw new RangeError(`two contenders are named ${repeated}`)
}

import { boundMetric, type ConfiguredMetric, type ScoredRow } from "../../core/contracts/metric.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { percentileInterval, type Interval } from "../statistics/bootstrap.ts"
import type { ContenderRows } from "./measured.ts"
import { seededRandom } from "../statistics/random.ts"
import { sumsOf, unitsOf, type Units } from "./units.ts"

/** A metric at the true prevalence; the interval is given for metrics that are means over rows. */
export interface WeightedScore extends Partial<Interval> {
  readonly value: number
}

/** The contenders' figures as they would be where the labels have their true shares. */
export interface PrevalenceScores {
  /** The share of each label in the test set, and where the model will be used. */
  readonly shares: readonly { readonly label: string; readonly test: number; readonly true: number }[]
  /** Labels that no test example has: the figures say nothing of their share of the truth. */
  readonly untested: readonly string[]
  /** How many evenly weighted rows that stand alone would say as much (Kish 1965); the rows of a group say the same. */
  readonly effectiveRows: number
  readonly contenders: readonly { readonly name: string; readonly metrics: Readonly<Record<string, WeightedScore>> }[]
}

export interface PrevalenceOptions {
  readonly task: TaskSpecification
  readonly prevalence: Readonly<Record<string, number>>
  /** What each test row counts for, in their order, so that the labels have their true shares. */
  readonly weights: Float64Array
  readonly contenders: readonly ContenderRows[]
  readonly metrics: readonly ConfiguredMetric[]
  readonly seed: number
}

/**
 * Every metric with the test rows weighted. A metric that is no mean over rows is taken over the rows repeated in
 * proportion. Intervals are percentile bootstrap over rows, or over the groups in which they come; the same seed gives
 * the same. No rows give NaN.
 */
export function scoresAtPrevalence({
  task,
  prevalence,
  weights,
  contenders,
  metrics,
  seed,
}: PrevalenceOptions): PrevalenceScores {
  const rows = contenders[0]?.rows ?? []
  const labelsIn = ({ references: [reference] }: ScoredRow) =>
    Array.isArray(reference) ? (reference as string[]) : [String(reference)]
  const shareOf = (label: string) => rows.filter((row) => labelsIn(row).includes(label)).length / rows.length
  const units = unitsOf(rows)
  const unitWeights = units === undefined ? weights : sumsOf(weights, units)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const { confidence, bootstrap: resamples } = task.verdict
  const used = metrics
    .filter(({ metric }) => metric.kinds.includes(task.kind))
    .map((metric) => boundMetric(metric, task))
  const shares = Object.entries(prevalence).map(([label, share]) => ({ label, test: shareOf(label), true: share }))
  return {
    shares,
    untested: shares.filter(({ test }) => !(test > 0)).map(({ label }) => label),
    effectiveRows: sum ** 2 / unitWeights.reduce((total, weight) => total + weight ** 2, 0),
    contenders: contenders.map(({ name, rows: answered }) => ({
      name,
      metrics: Object.fromEntries(
        used.map(({ name: metricName, value, rowScores }): [string, WeightedScore] => {
          const scores = rowScores?.(answered)
          if (scores === undefined) return [metricName, { value: value(repeated(answered, weights)) }]
          return [
            metricName,
            {
              value: weightedMean(scores, weights),
              ...weightedInterval(scores, weights, { units, resamples, confidence, seed }),
            },
          ]
        }),
      ),
    })),
  }
}

function weightedMean(scores: Float64Array, weights: Float64Array): number {
  let sum = 0
  let all = 0
  for (const [place, score] of scores.entries()) {
    sum += score * (weights[place] as number)
    all += weights[place] as number
  }
  return sum / all
}

function weightedInterval(
  scores: Float64Array,
  weights: Float64Array,
  {
    units,
    resamples,
    confidence,
    seed,
  }: { units: Units | undefined; resamples: number; confidence: number; seed: number },
): Interval {
  const random = seededRandom(seed)
  const weighted = scores.map((score, place) => score * (weights[place] as number))
  const [sums, alls] = units === undefined ? [weighted, weights] : [sumsOf(weighted, units), sumsOf(weights, units)]
  const values = new Float64Array(resamples)
  for (let resample = 0; resample < resamples; resample += 1) {
    let sum = 0
    let all = 0
    for (let draw = 0; draw < sums.length; draw += 1) {
      const place = random.below(sums.length)
      sum += sums[place] as number
      all += alls[place] as number
    }
    values[resample] = sum / all
  }
  return percentileInterval(values, confidence)
}

// Each row stands for about so many, so that rounding to whole repeats changes a share by less than a hundredth of
// itself.
const repeats = 100

function repeated(rows: readonly ScoredRow[], weights: Float64Array): ScoredRow[] {
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / rows.length
  return rows.flatMap((row, place) =>
    Array<ScoredRow>(Math.round((repeats * (weights[place] as number)) / mean)).fill(row),
  )
}

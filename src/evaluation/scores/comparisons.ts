import type { Interval } from "../statistics/bootstrap.ts"
import { holmAdjusted } from "../statistics/holm.ts"
import { discordanceOf, mcnemarExact, type Discordance } from "../statistics/mcnemar.ts"
import { isBinary, type ContenderRows, type MeasuredMetric } from "./measured.ts"
import { signFlipPValue, swapPValue } from "../statistics/permutation.ts"

/**
 * One contender against another on the same rows; the interval is of `difference`, the value of `a` less that of `b`.
 */
export interface Comparison extends Interval {
  /** Present where a lower value is the better one. */
  readonly direction?: "lower"
  readonly a: string
  readonly b: string
  readonly metric: string
  readonly difference: number
  readonly pValue: number
  /** Adjusted for the several contenders of one metric (Holm 1979). */
  readonly pValueHolm: number
  readonly test: "exact McNemar" | "sign-flip permutation" | "swap permutation"
  /** On how many rows exactly one of the two is right; only for the exact test. */
  readonly discordance?: Discordance
}

/**
 * The contender `tuned` against every other by one metric, in the order of the contenders; empty when it is not there.
 * The test is exact where every row scores 0 or 1, else a paired permutation test.
 */
export function compareWithTuned(
  contenders: readonly ContenderRows[],
  metric: MeasuredMetric,
  { seed }: { seed: number },
): Comparison[] {
  const tuned = contenders.find(({ name }) => name === "tuned")
  if (!tuned) return []
  const compared = contenders.filter((other) => other !== tuned).map((other) => compare(tuned, other, metric, seed))
  const adjusted = holmAdjusted(compared.map(({ pValue }) => pValue))
  return compared.map((comparison, position) => ({ ...comparison, pValueHolm: adjusted[position] ?? 1 }))
}

/** By how much `a` is better than `b`, whichever way the metric goes. */
export function gainOf({ difference, low, high, direction }: Comparison): Interval & { readonly gain: number } {
  return direction === "lower" ? { gain: -difference, low: -high, high: -low } : { gain: difference, low, high }
}

function compare(
  a: ContenderRows,
  b: ContenderRows,
  { name, direction, value, rowScores, bootstrap }: MeasuredMetric,
  seed: number,
): Omit<Comparison, "pValueHolm"> {
  const shared = {
    a: a.name,
    b: b.name,
    metric: name,
    difference: value(a.rows) - value(b.rows),
    ...bootstrap.difference(a.name, b.name),
    ...(direction === "lower" ? { direction } : {}),
  }
  const first = rowScores?.(a.rows)
  const second = rowScores?.(b.rows)
  if (!first || !second)
    return { ...shared, pValue: swapPValue(a.rows, b.rows, value, { seed }), test: "swap permutation" }
  if (isBinary(first) && isBinary(second)) {
    const discordance = discordanceOf(first, second)
    return { ...shared, pValue: mcnemarExact(discordance), test: "exact McNemar", discordance }
  }
  const differences = first.map((score, position) => score - (second[position] ?? NaN))
  return { ...shared, pValue: signFlipPValue(differences, { seed }), test: "sign-flip permutation" }
}

import type { Interval } from "../statistics/bootstrap.ts"
import { holmAdjusted } from "../statistics/holm.ts"
import { discordanceOf, mcnemarExact, type Discordance } from "../statistics/mcnemar.ts"
import { isBinary, type ContenderRows, type MeasuredMetric } from "./measured.ts"
import { signFlipPValue, swapPValue } from "../statistics/permutation.ts"
import { exactSignFlipPValue } from "../statistics/sign-flip.ts"
import { sumsOf, unitsOf } from "./units.ts"

/** The paired tests, by name: of rows that stand alone, and of groups. */
export const pairedTests = [
  "exact McNemar",
  "sign-flip permutation",
  "swap permutation",
  "exact sign-flip of groups",
  "sign-flip permutation of groups",
  "swap permutation of groups",
] as const

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
  /** Of rows that come in groups the groups are turned, not the rows. */
  readonly test: (typeof pairedTests)[number]
  /** On how many rows exactly one of the two is right; only for the exact test. */
  readonly discordance?: Discordance
}

/**
 * The contender `tuned` against every other by one metric, in the order of the contenders; empty when it is not there.
 * The test is exact where every row scores 0 or 1, else a paired permutation test; rows of a group count as one.
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
  const units = unitsOf(a.rows)
  if (!first || !second) {
    const pValue = swapPValue(a.rows, b.rows, value, { seed, units })
    return { ...shared, pValue, test: units === undefined ? "swap permutation" : "swap permutation of groups" }
  }
  const differences = first.map((score, position) => score - (second[position] ?? NaN))
  const sums = units === undefined ? differences : sumsOf(differences, units)
  if (isBinary(first) && isBinary(second)) {
    const discordance = discordanceOf(first, second)
    return units === undefined
      ? { ...shared, pValue: mcnemarExact(discordance), test: "exact McNemar", discordance }
      : { ...shared, pValue: exactSignFlipPValue(sums, seed), test: "exact sign-flip of groups", discordance }
  }
  const test = units === undefined ? "sign-flip permutation" : "sign-flip permutation of groups"
  return { ...shared, pValue: signFlipPValue(sums, { seed }), test }
}

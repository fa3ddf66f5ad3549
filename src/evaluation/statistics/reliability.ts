import { percentileInterval, type Interval } from "./bootstrap.ts"
import { seededRandom } from "./random.ts"

/** How different two values are: 0 for equal ones, at most 1. */
export type Distance = (a: string, b: string) => number

/** Equal or not. */
export const nominal: Distance = (a, b) => (a === b ? 0 : 1)

/**
 * Between sets given as JSON lists: 1 - MASI, the Jaccard index times 1 for equal sets, 2/3 where one holds the other,
 * 1/3 where they overlap (Passonneau 2006). Another value is as far from every set as can be.
 */
export const masi: Distance = (a, b) => {
  if (a === b) return 0
  const [first, second] = [setOf(a), setOf(b)]
  if (first === undefined || second === undefined) return 1
  const shared = [...first].filter((label) => second.has(label)).length
  const all = first.size + second.size - shared
  if (all === 0) return 0
  const isWithin = shared === Math.min(first.size, second.size)
  return 1 - (shared / all) * (shared === all ? 1 : isWithin ? 2 / 3 : shared > 0 ? 1 / 3 : 0)
}

/** The share of the pairs of values of the same unit that are equal; NaN without a pair. */
export function observedAgreement(units: readonly (readonly string[])[]): number {
  let [pairs, equal] = [0, 0]
  for (const unit of units)
    for (const [index, value] of unit.entries())
      for (const other of unit.slice(index + 1)) {
        pairs++
        if (value === other) equal++
      }
  return equal / pairs
}

/**
 * Cohen's kappa of two reviewers who rated the same items (Cohen 1960). undefined without items, or where both always
 * gave the same single value.
 */
export function cohensKappa(pairs: readonly (readonly [string, string])[]): number | undefined {
  const [first, second] = [new Map<string, number>(), new Map<string, number>()]
  for (const [a, b] of pairs) {
    first.set(a, (first.get(a) ?? 0) + 1)
    second.set(b, (second.get(b) ?? 0) + 1)
  }
  const observed = pairs.filter(([a, b]) => a === b).length / pairs.length
  const expected =
    [...first].reduce((sum, [value, count]) => sum + count * (second.get(value) ?? 0), 0) / pairs.length ** 2
  return pairs.length === 0 || expected === 1 ? undefined : (observed - expected) / (1 - expected)
}

/**
 * Krippendorff's alpha for any number of reviewers, missing values included: a unit has the values that there are; one
 * with fewer than two is left out (Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011). undefined where it
 * is not defined: no unit, or a single value throughout.
 */
export function krippendorffsAlpha(
  units: readonly (readonly string[])[],
  distance: Distance = nominal,
): number | undefined {
  const { tallies, apart } = talliesOf(units, distance)
  return alphaOf(tallies, apart)
}

/**
 * The percentile bootstrap of alpha over units, at 95 percent: the same for the same seed. Resamples for which alpha is
 * not defined are left out; NaN where that are all.
 */
export function alphaInterval(
  units: readonly (readonly string[])[],
  distance: Distance,
  { seed = 1, resamples = 1000 } = {},
): Interval {
  const { tallies, apart } = talliesOf(units, distance)
  const random = seededRandom(seed)
  const found = Array.from({ length: resamples }, () =>
    alphaOf(
      tallies.map(() => tallies[random.below(tallies.length)] as Tally),
      apart,
    ),
  )
  return percentileInterval(Float64Array.from(found.filter((alpha) => alpha !== undefined)), 0.95)
}

/** What a unit adds: its values by number, and the distances between them. */
interface Tally {
  readonly values: readonly number[]
  readonly disagreement: number
}

function talliesOf(units: readonly (readonly string[])[], distance: Distance): { tallies: Tally[]; apart: number[][] } {
  const numbers = new Map<string, number>()
  for (const value of units.flat()) if (!numbers.has(value)) numbers.set(value, numbers.size)
  const values = [...numbers.keys()]
  const apart = values.map((a) => values.map((b) => distance(a, b)))
  const tallies = units.flatMap((unit): Tally[] => {
    if (unit.length < 2) return []
    const own = unit.map((value) => numbers.get(value) as number)
    const sum = own.reduce((total, a) => total + own.reduce((part, b) => part + (apart[a]?.[b] ?? 0), 0), 0)
    return [{ values: own, disagreement: sum / (unit.length - 1) }]
  })
  return { tallies, apart }
}

function alphaOf(tallies: readonly Tally[], apart: readonly (readonly number[])[]): number | undefined {
  const totals = new Float64Array(apart.length)
  let [count, observed] = [0, 0]
  for (const { values, disagreement } of tallies) {
    count += values.length
    observed += disagreement
    for (const value of values) totals[value] = (totals[value] ?? 0) + 1
  }
  let expected = 0
  for (const [a, distances] of apart.entries())
    if (totals[a] !== 0)
      for (const [b, distance] of distances.entries()) expected += (totals[a] ?? 0) * (totals[b] ?? 0) * distance
  return count < 2 || expected === 0 ? undefined : 1 - (observed * (count - 1)) / expected
}

function setOf(text: string): Set<string> | undefined {
  return text.startsWith("[") ? new Set((JSON.parse(text) as unknown[]).map(String)) : undefined
}

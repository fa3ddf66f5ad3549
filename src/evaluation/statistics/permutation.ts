import type { ScoredRow } from "../../core/contracts/metric.ts"
import { seededRandom } from "./random.ts"

/** How many permutations a test draws unless told otherwise; the smallest p-value it can give is 1 / 10,001. */
const defaultPermutations = 10_000

/** Differences below this are equal up to rounding. */
const rounding = 1e-12

/** The places of rows that are swapped together; undefined for each row by itself. */
export type SwapUnits = readonly Uint32Array[] | undefined

export interface PermutationOptions {
  readonly seed: number
  readonly permutations?: number
}

/**
 * The two-sided p-value of the paired sign-flip test of a mean difference: the chance of a mean at least this far from
 * 0 when each row's difference is as likely to have the other sign. Counts the observed one too, so it is never 0
 * (Phipson and Smyth 2010). No rows, or no difference, give 1.
 */
export function signFlipPValue(
  differences: Float64Array,
  { seed, permutations = defaultPermutations }: PermutationOptions,
): number {
  const random = seededRandom(seed)
  const changing = differences.filter((difference) => difference !== 0)
  const observed = Math.abs(changing.reduce((sum, difference) => sum + difference, 0)) - rounding
  let atLeast = 1
  for (let permutation = 0; permutation < permutations; permutation += 1) {
    let sum = 0
    for (const difference of changing) sum += random.next() >= 2 ** 31 ? difference : -difference
    if (Math.abs(sum) >= observed) atLeast += 1
  }
  return atLeast / (permutations + 1)
}

/**
 * The two-sided p-value of the paired swap test, for a metric that is not a mean over rows: the chance of a difference
 * at least this large when each row's two answers are as likely to have come from the other contender; the rows of a
 * unit are swapped together. Rows are the same, in the same order. Never 0; no difference gives 1.
 */
export function swapPValue(
  first: readonly ScoredRow[],
  second: readonly ScoredRow[],
  value: (rows: readonly ScoredRow[]) => number,
  { seed, permutations = defaultPermutations, units }: PermutationOptions & { readonly units?: SwapUnits },
): number {
  if (first.length !== second.length) throw new RangeError(`${first.length} and ${second.length} rows cannot be paired`)
  const observed = Math.abs(value(first) - value(second))
  if (!(observed > rounding)) return 1
  const random = seededRandom(seed)
  const here = [...first]
  const there = [...second]
  let atLeast = 1
  for (let permutation = 0; permutation < permutations; permutation += 1) {
    const swap = (position: number, isSwapped: boolean) => {
      here[position] = (isSwapped ? second : first)[position] as ScoredRow
      there[position] = (isSwapped ? first : second)[position] as ScoredRow
    }
    if (units === undefined)
      for (let position = 0; position < here.length; position += 1) swap(position, random.next() >= 2 ** 31)
    else
      for (const unit of units) {
        const isSwapped = random.next() >= 2 ** 31
        for (const position of unit) swap(position, isSwapped)
      }
    if (Math.abs(value(here) - value(there)) >= observed - rounding) atLeast += 1
  }
  return atLeast / (permutations + 1)
}

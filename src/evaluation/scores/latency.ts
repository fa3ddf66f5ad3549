import { binomialAtLeast } from "../statistics/binomial.ts"

/** How long one answer takes, in milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p95: number
  /** How many answers were timed. */
  readonly n: number
  /** The interval of p95 at the confidence; a bound is absent where too few answers were timed to have one. */
  readonly p95Low?: number
  readonly p95High?: number
}

/**
 * The median and the 95th percentile of the times, each a time that was measured (nearest rank), with the
 * distribution-free interval of the percentile from order statistics (Hahn and Meeker 1991). Order does not matter; no
 * times give null.
 */
export function latencyOf(timesMs: readonly number[], confidence: number): Latency | null {
  if (timesMs.length === 0) return null
  const sorted = [...timesMs].sort((a, b) => a - b)
  const n = sorted.length
  const ranked = (rank: number) => sorted[rank - 1]
  const { lower, upper } = ranksAround(n, 0.95, confidence)
  const p95Low = ranked(lower)
  const p95High = ranked(upper)
  return {
    p50: ranked(Math.ceil(n * 0.5)) ?? NaN,
    p95: ranked(Math.ceil(n * 0.95)) ?? NaN,
    n,
    ...(p95Low === undefined ? {} : { p95Low }),
    ...(p95High === undefined ? {} : { p95High }),
  }
}

/**
 * The ranks whose values enclose the quantile with at least the confidence, the lower one with half of what is left; 0
 * or n + 1 where no rank can.
 */
function ranksAround(n: number, share: number, confidence: number): { lower: number; upper: number } {
  // Of n values, k lie below the quantile with the chance of k successes: a rank above k is beyond it.
  const atLeastBelow = (rank: number) => binomialAtLeast(n, rank, share)
  let lower = 0
  while (lower < n && 1 - atLeastBelow(lower + 1) <= (1 - confidence) / 2) lower += 1
  let upper = lower + 1
  while (upper <= n && atLeastBelow(lower) - atLeastBelow(upper) < confidence) upper += 1
  return { lower, upper }
}

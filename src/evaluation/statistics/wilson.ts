import type { Interval } from "./bootstrap.ts"
import { normalQuantile } from "./normal.ts"

/**
 * The Wilson score interval of a share: 8 of 10 at 95 % gives 0.4902 to 0.9433. Never a single point, even when all or
 * none succeed; no trials give 0 to 1. Wilson (1927), without continuity correction.
 */
export function wilsonInterval(successes: number, trials: number, confidence: number): Interval {
  if (!(successes >= 0 && successes <= trials))
    throw new RangeError(`expected 0..${trials} successes, got ${successes}`)
  if (trials === 0) return { low: 0, high: 1 }
  const z = normalQuantile(1 - (1 - confidence) / 2)
  const share = successes / trials
  const scale = 1 + (z * z) / trials
  const centre = (share + (z * z) / (2 * trials)) / scale
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials))
  // At 0 and 1 the bound is the share itself; rounding must not carry it across.
  return {
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === trials ? 1 : Math.min(1, centre + half),
  }
}

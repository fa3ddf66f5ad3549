import { binomialAtLeast } from "./binomial.ts"

/**
 * The exact upper bound of a rate, one-sided (Clopper and Pearson 1934): the rate at which `errors` or fewer of
 * `trials` have the chance 1 - `confidence`. It holds for any number of trials, and is on the safe side for a sample
 * drawn without replacement. 1 without trials, or when all failed. To about 1e-12.
 */
export function upperErrorBound(errors: number, trials: number, confidence: number): number {
  if (trials <= 0 || errors >= trials) return 1
  let [low, high] = [errors / trials, 1]
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2
    if (1 - binomialAtLeast(trials, errors + 1, middle) > 1 - confidence) low = middle
    else high = middle
  }
  return high
}

/**
 * The fewest trials at which the upper bound is below `maxError` although `errors` failed: 59 for no error, 93 for one,
 * at 0.05 and 0.95.
 */
export function trialsNeeded(errors: number, maxError: number, confidence: number): number {
  let [low, high] = [errors, errors + 1]
  while (upperErrorBound(errors, high, confidence) >= maxError) [low, high] = [high, high * 2]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (upperErrorBound(errors, middle, confidence) < maxError) high = middle
    else low = middle
  }
  return high
}

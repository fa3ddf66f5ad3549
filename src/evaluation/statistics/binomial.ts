/**
 * The chance of `successes` in `trials`, each with the given chance. Exact to about 1e-12, without overflow for any
 * number of trials.
 */
export function binomialProbability(trials: number, successes: number, chance: number): number {
  if (successes < 0 || successes > trials) return 0
  if (chance <= 0) return successes === 0 ? 1 : 0
  if (chance >= 1) return successes === trials ? 1 : 0
  const ways = logFactorial(trials) - logFactorial(successes) - logFactorial(trials - successes)
  return Math.exp(ways + successes * Math.log(chance) + (trials - successes) * Math.log1p(-chance))
}

/** The chance of at least `successes` in `trials`, each with the given chance. */
export function binomialAtLeast(trials: number, successes: number, chance: number): number {
  if (successes <= 0) return 1
  if (successes > trials) return 0
  if (chance <= 0 || chance >= 1) return chance >= 1 ? 1 : 0
  // The sum runs away from the mode, so that its terms only shrink and none that matters underflows.
  return successes > trials * chance
    ? Math.min(1, sumAway(trials, successes, chance))
    : Math.max(0, 1 - sumAway(trials, trials - successes + 1, 1 - chance))
}

function sumAway(trials: number, start: number, chance: number): number {
  const odds = chance / (1 - chance)
  let term = binomialProbability(trials, start, chance)
  let sum = 0
  for (let successes = start; successes <= trials && term > sum * 1e-17; successes += 1) {
    sum += term
    term *= ((trials - successes) / (successes + 1)) * odds
  }
  return sum
}

/** The logarithm of n!: a product for small n, Stirling's series from 20, where its error is below 1e-13. */
function logFactorial(n: number): number {
  if (n < 20) {
    let product = 1
    for (let factor = 2; factor <= n; factor += 1) product *= factor
    return Math.log(product)
  }
  const square = n * n
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + (1 / 12 - (1 / 360 - 1 / (1260 * square)) / square) / n
}

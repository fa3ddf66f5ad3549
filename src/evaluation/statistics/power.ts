import { binomialAtLeast, binomialProbability } from "./binomial.ts"
import { normalQuantile } from "./normal.ts"

/** What two contenders are expected to differ in; all are shares of the rows. A task's `verdict` is one. */
export interface ExpectedDifference {
  /** The gain in the share of right answers. */
  readonly expectedGain: number
  /** The share of rows on which exactly one of the two is right. */
  readonly discordance: number
  readonly confidence: number
  /**
   * What the gain must exceed; 0 when absent. The test is then planned for the gain beyond the margin, which is exact
   * only for 0.
   */
  readonly margin?: number
}

/** Exact power is saw-toothed in the number of rows: it must hold for this many further numbers too. */
const settled = 20

/** From here on the normal approximation stands in for the exact sum: the two differ by about 1 %. */
const exactUpTo = 20_000

/**
 * The smallest number of test rows from which the exact McNemar test sees the expected gain with at least the wanted
 * power. Above 20,000 rows by normal approximation. Throws RangeError when the gain exceeds the discordance or does not
 * exceed the margin.
 */
export function rowsNeeded({ power, ...expected }: ExpectedDifference & { readonly power: number }): number {
  requirePossible(expected)
  const approximate = approximateRows(expected, power)
  if (approximate > exactUpTo) return approximate
  const powerOf = exactPower(expected)
  const holdsFrom = (rows: number) => {
    for (let more = 0; more <= settled; more += 1) if (powerOf(rows + more) < power) return rows + more
    return undefined
  }
  let rows = approximate
  while (rows > 1 && holdsFrom(rows) === undefined) rows = Math.max(1, Math.floor(rows * 0.9) - 1)
  for (;;) {
    const failure = holdsFrom(rows)
    if (failure === undefined) return rows
    rows = failure + 1
  }
}

/**
 * The chance that the exact McNemar test on `rows` rows sees the expected gain: two-sided at the confidence, in favour
 * of the better one. 0 rows give 0.
 */
export function powerAt(rows: number, expected: ExpectedDifference): number {
  requirePossible(expected)
  return exactPower(expected)(rows)
}

/**
 * The smallest gain that `rows` rows show with the wanted power, to a thousandth; undefined when even a gain as large
 * as the discordance is not seen.
 */
export function detectableGain(
  rows: number,
  { discordance, confidence, power }: Omit<ExpectedDifference, "expectedGain" | "margin"> & { readonly power: number },
): number | undefined {
  const isSeen = (expectedGain: number) => powerAt(rows, { expectedGain, discordance, confidence }) >= power
  if (!isSeen(discordance)) return undefined
  let unseen = 0
  let seen = discordance
  while (seen - unseen > 1e-4) {
    const middle = (unseen + seen) / 2
    if (isSeen(middle)) seen = middle
    else unseen = middle
  }
  return Math.min(discordance, Math.ceil(seen * 1000) / 1000)
}

/**
 * Power as a function of the rows: over every number of discordant rows, its chance times the chance that enough of
 * them are wins. What depends on the number of discordant rows alone is computed once.
 */
function exactPower({
  expectedGain,
  discordance,
  confidence,
  margin = 0,
}: ExpectedDifference): (rows: number) => number {
  const level = 1 - confidence
  const winShare = Math.min(1, (discordance + expectedGain - margin) / (2 * discordance))
  const seenGiven: number[] = []
  let critical = 0
  const seen = (discordant: number): number => {
    while (seenGiven.length <= discordant) {
      const trials = seenGiven.length
      // The critical number of wins grows by 0 or 1 with each discordant row.
      while (2 * binomialAtLeast(trials, critical, 0.5) >= level) critical += 1
      seenGiven.push(binomialAtLeast(trials, critical, winShare))
    }
    return seenGiven[discordant] ?? 0
  }
  return (rows) => {
    // Nine standard deviations around the mean leave out less than 1e-15.
    const mean = rows * discordance
    const reach = 9 * Math.sqrt(mean * (1 - discordance)) + 9
    let power = 0
    for (
      let discordant = Math.max(0, Math.floor(mean - reach));
      discordant <= Math.min(rows, mean + reach);
      discordant += 1
    )
      power += binomialProbability(rows, discordant, discordance) * seen(discordant)
    return power
  }
}

/** Connor (1987), the usual formula for McNemar's test. */
function approximateRows(
  { expectedGain, discordance, confidence, margin = 0 }: ExpectedDifference,
  power: number,
): number {
  const gain = expectedGain - margin
  const spread =
    normalQuantile(1 - (1 - confidence) / 2) * Math.sqrt(discordance) +
    normalQuantile(power) * Math.sqrt(Math.max(0, discordance - gain * gain))
  return Math.max(1, Math.ceil((spread / gain) ** 2))
}

function requirePossible({ expectedGain, discordance, margin = 0 }: ExpectedDifference): void {
  if (expectedGain > discordance)
    throw new RangeError(
      `an expected gain of ${expectedGain} is larger than the discordance, ${discordance}: a gain is made ` +
        "only where the contenders differ",
    )
  if (!(expectedGain > margin))
    throw new RangeError(
      `an expected gain of ${expectedGain} does not exceed the margin, ${margin}: no number of test rows would show it`,
    )
}

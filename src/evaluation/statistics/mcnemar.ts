import { binomialAtLeast } from "./binomial.ts"

/** On how many rows exactly one of two contenders was right. */
export interface Discordance {
  /** Rows where the first is right and the second wrong. */
  readonly wins: number
  /** Rows where the first is wrong and the second right. */
  readonly losses: number
}

/**
 * The two-sided p-value of the exact McNemar test (not mid-p): the chance of wins and losses at least this unequal when
 * both are as likely. 10 wins and 2 losses give 0.03857. No discordant rows give 1. McNemar (1947).
 */
export function mcnemarExact({ wins, losses }: Discordance): number {
  return Math.min(1, 2 * binomialAtLeast(wins + losses, Math.max(wins, losses), 0.5))
}

/** The rows where exactly one of the two scored 1; scores are 0 or 1, in the same order. */
export function discordanceOf(first: Float64Array, second: Float64Array): Discordance {
  if (first.length !== second.length)
    throw new RangeError(`scores of ${first.length} and of ${second.length} rows cannot be paired`)
  let wins = 0
  let losses = 0
  first.forEach((score, position) => {
    const difference = score - (second[position] ?? 0)
    if (difference > 0) wins += 1
    if (difference < 0) losses += 1
  })
  return { wins, losses }
}

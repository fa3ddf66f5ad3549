import { signFlipPValue } from "./permutation.ts"

/**
 * The two-sided p-value of the sign-flip test of whole numbers, by every way to give them signs: the chance of a sum at
 * least this far from 0 when each is as likely to have the other sign. Of ones it is the exact McNemar test. No number,
 * or zeros only, give 1. Sums too large to be listed are drawn, 10,000 times, by the seed.
 */
export function exactSignFlipPValue(differences: Float64Array, seed: number): number {
  const sizes = [...differences].map(Math.abs).filter((size) => size !== 0)
  const reach = sizes.reduce((sum, size) => sum + size, 0)
  if (reach > mostListed || reach * sizes.length > mostSteps) return signFlipPValue(differences, { seed })
  const observed = Math.abs(differences.reduce((sum, difference) => sum + difference, 0))
  // The chance of each sum of the numbers that have a plus; a sum with both signs is twice that, less all of them.
  let chances = new Float64Array(reach + 1)
  chances[0] = 1
  let end = 0
  for (const size of sizes) {
    const next = new Float64Array(reach + 1)
    for (let sum = 0; sum <= end; sum += 1) {
      const half = (chances[sum] as number) / 2
      if (half === 0) continue
      next[sum] = (next[sum] as number) + half
      next[sum + size] = (next[sum + size] as number) + half
    }
    chances = next
    end += size
  }
  let beyond = 0
  for (const [sum, chance] of chances.entries()) if (Math.abs(2 * sum - reach) >= observed) beyond += chance
  return Math.min(1, beyond)
}

const [mostListed, mostSteps] = [200_000, 50_000_000] as const

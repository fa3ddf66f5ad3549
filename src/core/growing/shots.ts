import { digestText } from "../canonical.ts"
import type { Seed } from "../rows/example.ts"
import { estimatedTokens } from "../asking/tokens.ts"

/**
 * The seeds that a prompt shows: `count` at most, half of them preferred ones where there are any, within a budget of
 * tokens. A seed that is too long for what is left of the budget is passed over, never cut. Which ones follows from the
 * digest of the key and of each id (rendezvous hashing), so that editing a seed changes only the prompts that show it,
 * and a new seed only those that it enters.
 */
export function chooseShots(
  seeds: readonly Seed[],
  {
    key,
    count,
    tokens,
    prefer,
  }: { key: string; count: number; tokens: number; prefer?: ((seed: Seed) => boolean) | undefined },
): Seed[] {
  const ordered = inOrderOf(key, seeds)
  const chosen = new Set<Seed>()
  let left = tokens
  const take = (from: readonly Seed[], most: number) => {
    for (const seed of from) {
      if (chosen.size >= most) return
      const size = estimatedTokens(shotText(seed))
      if (size > left || chosen.has(seed)) continue
      chosen.add(seed)
      left -= size
    }
  }
  if (prefer) take(ordered.filter(prefer), Math.ceil(count / 2))
  take(ordered, count)
  return [...chosen]
}

/** The rows in an order that follows from the key and their ids alone. */
export function inOrderOf<Row extends { readonly id: string }>(key: string, rows: readonly Row[]): Row[] {
  return rows
    .map((row) => ({ row, rank: digestText(`${key}\n${row.id}`) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ row }) => row)
}

/** How a prompt shows a seed: one line of JSON. */
export function shotText({ input, output }: Pick<Seed, "input" | "output">): string {
  return JSON.stringify({ input, output })
}

/** A whole number below 2^28 that follows from the key: the seed of a request. */
export function numberOf(key: string): number {
  return Number.parseInt(digestText(key).slice(7, 14), 16)
}

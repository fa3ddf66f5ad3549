import { count, percent } from "./words.ts"

/** Test rows that were opened for a decision: an evaluation, or an export of the test rows. */
export interface Opening {
  readonly evaluation: string
  readonly rows: readonly string[]
}

/** How worn a test set is: how many decisions were made on it. */
export interface Wear {
  /**
   * The different decisions that opened at least half of the test rows of now, under whatever name the holdout had
   * then.
   */
  readonly openings: number
  /** From so many on it is worn; `holdout.openings` of the specification. */
  readonly limit: number
  readonly isWorn: boolean
  /** The chance that at least one of so many decisions promotes a model that is no better than the incumbent. */
  readonly byChance: number
}

/**
 * The wear of the test rows. Rows count, not the holdout's id, which a single new row changes. Each further decision on
 * the same rows is one more chance for luck: with confidence c a model that is no better is promoted with (1 - c) / 2,
 * so at least once in k decisions with 1 - ((1 + c) / 2)^k. No test rows are not worn.
 */
export function wearOf(
  test: readonly string[],
  openings: readonly Opening[],
  rule: { readonly limit: number; readonly confidence: number },
): Wear {
  const wanted = new Set(test)
  const opened = new Map<string, Set<string>>()
  for (const { evaluation, rows } of openings) {
    const seen = opened.get(evaluation) ?? new Set()
    for (const row of rows) if (wanted.has(row)) seen.add(row)
    opened.set(evaluation, seen)
  }
  const decisions = [...opened.values()].filter((seen) => seen.size > 0 && 2 * seen.size >= wanted.size).length
  return {
    openings: decisions,
    limit: rule.limit,
    isWorn: decisions >= rule.limit,
    byChance: 1 - ((1 + rule.confidence) / 2) ** decisions,
  }
}

/** `opened for 3 of 10 decisions`, and for a worn one what that means. */
export function describeWear({ openings, limit, isWorn, byChance }: Wear): string {
  const often = `opened for ${openings} of ${count(limit, "decision")}`
  return isWorn
    ? `${often}, worn: by now chance alone promotes a model that is no better with ${percent(byChance)}`
    : often
}

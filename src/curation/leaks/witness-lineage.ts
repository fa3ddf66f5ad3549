import type { FoundLeak } from "./definition.ts"
import { digits } from "./lineage.ts"

/** A row that has parents. */
export type ParentedRow = readonly [id: string, parents: readonly string[]]

/**
 * Of the train rows those that descend from what is held out, each with the first held-out row on the way up: through
 * their parents, and through the parents of rows that are their parents. A circle of parents ends.
 */
export function descents(
  train: readonly ParentedRow[],
  others: readonly ParentedRow[],
  idOfDigits: ReadonlyMap<string, string>,
): FoundLeak[] {
  const parentsOf = new Map<string, string[]>()
  for (const [id, parents] of [...train, ...others]) {
    const key = digits(id)
    parentsOf.set(key, [...(parentsOf.get(key) ?? []), ...parents.map(digits)])
  }
  return train.flatMap(([id]): FoundLeak[] => {
    const heldOut = ancestorOf(digits(id), parentsOf, idOfDigits)
    return heldOut === undefined ? [] : [{ check: "lineage", train: id, heldOut }]
  })
}

/** The row itself where it is held out. */
function ancestorOf(
  row: string,
  parentsOf: ReadonlyMap<string, readonly string[]>,
  idOfDigits: ReadonlyMap<string, string>,
): string | undefined {
  // A set hands out what is added while it is walked: the nearest come first.
  const reached = new Set([row])
  for (const each of reached) {
    const heldOut = idOfDigits.get(each)
    if (heldOut !== undefined) return heldOut
    for (const parent of parentsOf.get(each) ?? []) reached.add(parent)
  }
  return undefined
}

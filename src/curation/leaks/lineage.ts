import type { Example } from "../../core/rows/example.ts"

/**
 * For each row that descends from something held out, or is it, the held-out id: through its parents, and through
 * parents that are rows themselves. A seed, the example made of it and a candidate share the digits of their ids, so
 * any of these names counts. Rows without held-out ancestors are absent; a circle of parents ends.
 */
export function heldOutAncestors(
  rows: readonly Pick<Example, "id" | "provenance">[],
  heldOutIds: ReadonlySet<string>,
): Map<string, string> {
  const heldOut = new Map([...heldOutIds].sort().map((id) => [digits(id), id]))
  const children = new Map<string, string[]>()
  const found = new Map<string, string>()
  // Sorted, so that a row with several held-out ancestors always names the same one.
  for (const row of rows.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const direct = [row.id, ...row.provenance.parents].flatMap((id) => heldOut.get(digits(id)) ?? []).sort()[0]
    if (direct !== undefined) found.set(row.id, direct)
    for (const parent of row.provenance.parents) {
      const siblings = children.get(digits(parent))
      if (siblings) siblings.push(row.id)
      else children.set(digits(parent), [row.id])
    }
  }
  // A map hands out what is added while it is walked: this reaches every descendant once.
  for (const [id, ancestor] of found)
    for (const child of children.get(digits(id)) ?? []) if (!found.has(child)) found.set(child, ancestor)
  return found
}

/**
 * The digits of the rows and of everything that they were made of, through parents that are rows themselves; `known`
 * are the rows in which parents are looked up. A circle of parents ends.
 */
export function lineageOf(rows: Iterable<Parented>, known: Iterable<Parented>): Set<string> {
  const parents = new Map([...known].map((row) => [digits(row.id), row.parents]))
  const reached = new Set<string>()
  // A set hands out what is added while it is walked.
  for (const { id, parents: direct } of rows) for (const each of [id, ...direct]) reached.add(digits(each))
  for (const each of reached) for (const parent of parents.get(each) ?? []) reached.add(digits(parent))
  return reached
}

/** A row and what it was made of. */
export interface Parented {
  readonly id: string
  readonly parents: readonly string[]
}

/** What a seed, an input, a candidate and an example have in common when one was made of the other. */
export function digits(id: string): string {
  return id.slice(id.indexOf("_") + 1)
}

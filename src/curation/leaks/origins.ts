import type { Example } from "../../core/rows/example.ts"
import { notStated, type Origins } from "../../core/task/rights.ts"
import { digits } from "./lineage.ts"

/** A seed, an input or a candidate, as far as its origin goes. */
export interface Ancestor {
  readonly id: string
  readonly source?: string | undefined
  readonly parents?: readonly string[]
}

/**
 * Where the rows come from: each row counts once for every source that it or what it was grown from has, and once for
 * the model that grew it. Parents that are not there any more leave no trace. `ancestorsOf` is asked once, for the rows
 * of these digits and all that they were grown from. Of the rows memory has the parents of those that were grown.
 */
export function originsOf(
  rows: Iterable<Pick<Example, "id" | "provenance">>,
  ancestorsOf: (parents: ReadonlySet<string>) => Iterable<Ancestor>,
): Origins {
  const sources = new Map<string, number>()
  const generators = new Map<string, number>()
  const grown: GrownRow[] = []
  for (const { id, provenance } of rows) {
    const { source, model, parents } = provenance
    if (model !== undefined) count(generators, model)
    if (parents.length === 0) count(sources, source ?? notStated)
    else grown.push({ digits: digits(id), source, parents: parents.map(digits) })
  }
  const wanted = new Set(grown.flatMap(({ parents }) => parents))
  const known = new Map<string, Omit<GrownRow, "digits">>()
  if (wanted.size > 0)
    for (const { id, source, parents = [] } of ancestorsOf(wanted))
      known.set(digits(id), { source, parents: parents.map(digits) })
  for (const row of grown) {
    const found = sourcesOf(row, known)
    for (const source of found.size === 0 ? [notStated] : found) count(sources, source)
  }
  return { sources: inOrder(sources), generators: inOrder(generators) }
}

interface GrownRow {
  readonly digits: string
  readonly source: string | undefined
  readonly parents: readonly string[]
}

function sourcesOf(row: GrownRow, known: ReadonlyMap<string, Omit<GrownRow, "digits">>): Set<string> {
  const found = new Set<string>()
  const seen = new Set([row.digits])
  const waiting: Omit<GrownRow, "digits">[] = [row]
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    if (each.source !== undefined) found.add(each.source)
    for (const parent of each.parents) {
      const ancestor = known.get(parent)
      if (ancestor === undefined || seen.has(parent)) continue
      seen.add(parent)
      waiting.push(ancestor)
    }
  }
  return found
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function inOrder(counts: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

import type { Example } from "../core/example.ts"
import { notStated, type Origins } from "../core/rights.ts"
import { digits } from "./lineage.ts"

/** A seed, an input or a candidate, as far as its origin goes. */
export interface Ancestor {
  readonly id: string
  readonly source?: string | undefined
  readonly parents?: readonly string[]
}

/** Where the rows come from: each row counts once for every source that it or what it was grown from has, and once for the model that grew it. Parents that are not there any more leave no trace. */
export function originsOf(rows: Iterable<Pick<Example, "id" | "provenance">>, ancestors: readonly Ancestor[]): Origins {
  const known = new Map(ancestors.map((row) => [digits(row.id), row]))
  const sources = new Map<string, number>()
  const generators = new Map<string, number>()
  for (const { id, provenance } of rows) {
    const found = new Set<string>()
    const seen = new Set([digits(id)])
    const waiting = [{ source: provenance.source, parents: provenance.parents }]
    for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
      if (row.source !== undefined) found.add(row.source)
      for (const parent of row.parents.map(digits)) {
        const ancestor = known.get(parent)
        if (ancestor === undefined || seen.has(parent)) continue
        seen.add(parent)
        waiting.push({ source: ancestor.source, parents: ancestor.parents ?? [] })
      }
    }
    for (const source of found.size === 0 ? [notStated] : found) count(sources, source)
    if (provenance.model !== undefined) count(generators, provenance.model)
  }
  return { sources: inOrder(sources), generators: inOrder(generators) }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function inOrder(counts: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

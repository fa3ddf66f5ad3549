import { contentDigest, parentsOf, type ErasableRow } from "../core/erasure.ts"
import { digits } from "./lineage.ts"

/** A row somewhere in the task's files. */
export interface PlacedRow extends ErasableRow {
  /** The file, as a person in the workspace would write it. */
  readonly place: string
  readonly witness?: string | undefined
}

/** A row to be erased, in all its places. */
export interface ReachedRow {
  /** The name it has where it stands first: of a seed, an input, a candidate, else of an example. */
  readonly id: string
  readonly places: readonly string[]
  readonly why: "named" | "same content" | "descendant"
  /** The digests of its contents, for the tombstone. */
  readonly contents: readonly string[]
}

/** Every row that must go with the named ones: rows of the same content, and what was grown from any of them, and so on until there are no more. Sorted by id. */
export function erasureReach(rows: readonly PlacedRow[], named: ReadonlySet<string>): ReachedRow[] {
  const entries = new Map<string, { id: string; places: Set<string>; contents: Set<string>; parents: Set<string> }>()
  const byContent = new Map<string, Set<string>>()
  const children = new Map<string, Set<string>>()
  for (const row of rows) {
    const id = row.id ?? row.item
    if (id === undefined) continue
    const key = digits(id)
    const entry = entries.get(key) ?? { id, places: new Set<string>(), contents: new Set<string>(), parents: new Set<string>() }
    entries.set(key, entry)
    entry.places.add(row.place)
    if (row.input !== undefined) {
      const content = contentDigest(row.input)
      entry.contents.add(content)
      byContent.set(content, (byContent.get(content) ?? new Set()).add(key))
    }
    for (const parent of parentsOf(row).map(digits)) children.set(parent, (children.get(parent) ?? new Set()).add(key))
  }
  const reached = new Map<string, ReachedRow["why"]>([...named].map((id) => [digits(id), "named"]))
  // A map hands out what is added while it is walked.
  for (const [key] of reached) {
    for (const content of entries.get(key)?.contents ?? [])
      for (const same of byContent.get(content) ?? []) if (!reached.has(same)) reached.set(same, "same content")
    for (const child of children.get(key) ?? []) if (!reached.has(child)) reached.set(child, "descendant")
  }
  return [...reached]
    .flatMap(([key, why]): ReachedRow[] => {
      const entry = entries.get(key)
      return entry === undefined ? [] : [{ id: entry.id, places: [...entry.places].sort(), why, contents: [...entry.contents].sort() }]
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** The rows that are near-duplicates of erased ones and stay: a person should look at them. */
export function nearCopies(rows: readonly PlacedRow[], reached: readonly ReachedRow[]): string[] {
  const gone = new Set(reached.map(({ id }) => digits(id)))
  const near = rows.flatMap(({ id, witness }) => {
    if (id === undefined || witness === undefined || gone.has(digits(id)) === gone.has(digits(witness))) return []
    return [gone.has(digits(id)) ? witness : id]
  })
  return [...new Set(near)].sort()
}

/** Whether the row says the text somewhere in what people or models wrote; case does not matter. */
export function mentions(row: { readonly [key: string]: unknown }, text: string): boolean {
  const wanted = text.normalize("NFC").toLowerCase()
  const says = (value: unknown): boolean => {
    if (typeof value === "string") return value.normalize("NFC").toLowerCase().includes(wanted)
    return typeof value === "object" && value !== null && Object.values(value).some(says)
  }
  return ["input", "output", "chosen", "rejected", "detail", "reason", "key", "source"].some((key) => says(row[key]))
}

import { digits } from "./lineage.ts"

/** A row somewhere in the task's files, without what it says: a million of them must fit. */
export interface PlacedRow {
  /** The id, or that of the row a decision is about. */
  readonly id: string
  /** The file, as a person in the workspace would write it. */
  readonly place: string
  /** The digest of its input; undefined for a decision. */
  readonly content: string | undefined
  readonly parents: readonly string[]
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
    const key = digits(row.id)
    const entry = entries.get(key) ?? { id: row.id, places: new Set<string>(), contents: new Set<string>(), parents: new Set<string>() }
    entries.set(key, entry)
    entry.places.add(row.place)
    if (row.content !== undefined) {
      entry.contents.add(row.content)
      byContent.set(row.content, (byContent.get(row.content) ?? new Set()).add(key))
    }
    for (const parent of row.parents.map(digits)) children.set(parent, (children.get(parent) ?? new Set()).add(key))
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
    if (witness === undefined || gone.has(digits(id)) === gone.has(digits(witness))) return []
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

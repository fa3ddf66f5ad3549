import { contentDigest } from "../../core/rows/erasure.ts"
import { textsIn } from "../../core/text-search.ts"
import { holdsPseudonym } from "../privacy/pseudonyms.ts"
import { digits } from "./lineage.ts"

/** A row somewhere in the task's files. */
export interface PlacedRow {
  /** The id, or that of the row a decision is about. */
  readonly id: string
  /** The file, as a person in the workspace would write it. */
  readonly place: string
  /** Undefined for a decision. */
  readonly input: unknown
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

/** What must go with the named rows, and what should be looked at. */
export interface ErasureReach {
  /** Sorted by id. */
  readonly reached: readonly ReachedRow[]
  /** The rows that are near-duplicates of erased ones and stay: a person should look at them. */
  readonly nearCopies: readonly string[]
}

/**
 * Every row that must go with the named ones: rows of the same content, and what was grown from any of them, and so on
 * until there are no more. A content with pseudonyms in it may be another person's, who wrote the same to another
 * address: such rows go by their ids alone, and those that read alike are near copies. The rows are gone through again
 * until nothing is found that was not known, at least twice; memory has those alone that are reached.
 */
export function erasureReach(rows: Iterable<PlacedRow>, named: ReadonlySet<string>): ErasureReach {
  const keys = new Set(Array.from(named, digits))
  const contents = new Set<string>()
  const pseudonymous = new Set<string>()
  const isReached = (id: string) => keys.has(digits(id))
  for (;;) {
    const known = keys.size + contents.size + pseudonymous.size
    const touched: KnownRow[] = []
    for (const { input, ...row } of rows) {
      const isKin = isReached(row.id) || row.parents.some(isReached)
      const isCompared = input !== undefined && (isKin || contents.size + pseudonymous.size > 0)
      const content = isCompared ? contentDigest(input) : undefined
      const isAnyones = content !== undefined && holdsPseudonym(input)
      const own = isAnyones ? undefined : content
      if (isKin || (own !== undefined && contents.has(own))) {
        keys.add(digits(row.id))
        if (content !== undefined) (isAnyones ? pseudonymous : contents).add(content)
        touched.push({ ...row, content: own })
      } else if (isAnyones && pseudonymous.has(content)) touched.push({ ...row, content: own, readsAlike: true })
      else if (row.witness !== undefined && isReached(row.witness)) touched.push({ ...row, content: own })
    }
    if (keys.size + contents.size + pseudonymous.size > known) continue
    const reached = reachAmong(touched, named)
    return { reached, nearCopies: nearCopies(touched, reached) }
  }
}

interface KnownRow extends Omit<PlacedRow, "input"> {
  /** Undefined also where it has pseudonyms in it. */
  readonly content: string | undefined
  /** Whether it has the same words as a row that goes, and both have pseudonyms. */
  readonly readsAlike?: true
}

/** The same among rows that are all in memory, each with the reason that is nearest to the named ones. */
function reachAmong(rows: readonly KnownRow[], named: ReadonlySet<string>): ReachedRow[] {
  const entries = new Map<string, { id: string; places: Set<string>; contents: Set<string>; parents: Set<string> }>()
  const byContent = new Map<string, Set<string>>()
  const children = new Map<string, Set<string>>()
  for (const row of rows) {
    const key = digits(row.id)
    const entry = entries.get(key) ?? {
      id: row.id,
      places: new Set<string>(),
      contents: new Set<string>(),
      parents: new Set<string>(),
    }
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
      return entry === undefined
        ? []
        : [{ id: entry.id, places: [...entry.places].sort(), why, contents: [...entry.contents].sort() }]
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

function nearCopies(rows: readonly KnownRow[], reached: readonly ReachedRow[]): string[] {
  const gone = new Set(reached.map(({ id }) => digits(id)))
  const near = rows.flatMap(({ id, witness, readsAlike }) => {
    if (readsAlike && !gone.has(digits(id))) return [id]
    if (witness === undefined || gone.has(digits(id)) === gone.has(digits(witness))) return []
    return [gone.has(digits(id)) ? witness : id]
  })
  return [...new Set(near)].sort()
}

/** Whether the row says the text somewhere in what people or models wrote; case does not matter. */
export function mentions(row: { readonly [key: string]: unknown }, text: string): boolean {
  const wanted = text.normalize("NFC").toLowerCase()
  return saying.some((key) => textsIn(row[key]).some((said) => said.normalize("NFC").toLowerCase().includes(wanted)))
}

const saying = [
  ...["input", "output", "chosen", "rejected", "detail", "reason", "key", "source", "columns"],
  ...["answer", "thought", "refusal", "checks"],
]

// The exhaustive answer to which rows greedy keep-first drops: every pair at or above the threshold is found, by a
// prefix-filter join (Chaudhuri, Ganti, Kaushik 2006; Bayardo, Ma, Srikant 2007). Shares nothing with src/curation but
// the definition: what a folded text's shingles are.
import { closeSync, openSync, readSync } from "node:fs"
import type { CorpusKind } from "./near-duplicate-corpus.ts"

export interface Oracle {
  /** The rows that are dropped, counted from 0. */
  readonly removed: ReadonlySet<number>
  readonly rows: number
}

/**
 * Rows are dropped when a kept earlier row has the same answer and at least that Jaccard similarity of word 5-grams
 * (long) or character 4-grams.
 */
export function oracleOf(path: string, kind: CorpusKind, threshold: number): Oracle {
  const sets: Float64Array[] = []
  const answers: string[] = []
  for (const line of linesOf(path)) {
    const { messages } = JSON.parse(line) as { messages: { content: string }[] }
    sets.push(shinglesOf(messages[1]?.content ?? "", kind))
    answers.push(messages[2]?.content ?? "")
  }
  const frequency = new Counter(sets.reduce((sum, set) => sum + set.length, 0))
  for (const set of sets) for (const shingle of set) frequency.add(shingle)
  const kept = new Map<number, number[]>()
  const removed = new Set<number>()
  const seen = new Int32Array(sets.length)
  const ordered: Float64Array[] = []
  for (const [row, set] of sets.entries()) {
    // Rarest first: two sets at the threshold share a shingle among their first few.
    const byRarity = [...set]
      .map((shingle) => ({ shingle, count: frequency.count(shingle) }))
      .sort((a, b) => a.count - b.count || a.shingle - b.shingle)
    const prefix = byRarity
      .slice(0, set.length - Math.ceil(threshold * set.length - 1e-9) + 1)
      .map(({ shingle }) => shingle)
    const sorted = set.toSorted()
    let isRemoved = false
    search: for (const shingle of prefix)
      for (const other of kept.get(shingle) ?? []) {
        if (seen[other] === row + 1) continue
        seen[other] = row + 1
        if (answers[other] === answers[row] && jaccard(sorted, ordered[other] as Float64Array) >= threshold) {
          isRemoved = true
          break search
        }
      }
    ordered.push(isRemoved ? new Float64Array() : sorted)
    if (isRemoved) removed.add(row)
    else
      for (const shingle of prefix) {
        // Nobody else has it.
        if (frequency.count(shingle) === 1) continue
        const rows = kept.get(shingle)
        if (rows) rows.push(row)
        else kept.set(shingle, [row])
      }
  }
  return { removed, rows: sets.length }
}

function shinglesOf(text: string, kind: CorpusKind): Float64Array {
  // Words and signs are tokens; the corpus has no numbers and no templates.
  const folded = text
    .toLowerCase()
    .replace(/[^a-z0-9\s]/g, " $& ")
    .replace(/\s+/g, " ")
    .trim()
  const units = kind === "short" ? [...folded] : folded.split(" ")
  const size = Math.min(kind === "short" ? 4 : 5, units.length)
  const hashes = new Set<number>()
  for (let start = 0; start + size <= units.length; start += 1)
    hashes.add(hash53(units.slice(start, start + size).join(kind === "short" ? "" : " ")))
  return Float64Array.from(hashes)
}

/** cyrb53 (public domain): 53 bits, so that no two shingles of a corpus meet by chance. */
function hash53(text: string): number {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    high = Math.imul(high ^ code, 2654435761)
    low = Math.imul(low ^ code, 1597334677)
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  return 4294967296 * (2097151 & low) + (high >>> 0) + 1
}

function jaccard(a: Float64Array, b: Float64Array): number {
  let [i, j, shared] = [0, 0, 0]
  while (i < a.length && j < b.length) {
    const [left, right] = [a[i] as number, b[j] as number]
    if (left === right) shared += 1
    if (left <= right) i += 1
    if (right <= left) j += 1
  }
  return shared / (a.length + b.length - shared)
}

/** How often each number was added: a Map has no room for so many. */
class Counter {
  readonly #keys: Float64Array
  readonly #counts: Uint32Array
  readonly #mask: number

  constructor(most: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(16, most * 1.5)))
    this.#keys = new Float64Array(slots)
    this.#counts = new Uint32Array(slots)
    this.#mask = slots - 1
  }

  add(key: number): void {
    const slot = this.#slot(key)
    this.#keys[slot] = key
    this.#counts[slot] = (this.#counts[slot] as number) + 1
  }

  count(key: number): number {
    return this.#counts[this.#slot(key)] as number
  }

  #slot(key: number): number {
    let slot = (key % 4294967296) & this.#mask
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & this.#mask
    return slot
  }
}

/** The lines of the file, read bit by bit. */
export function* linesOf(path: string): Generator<string> {
  const file = openSync(path, "r")
  const chunk = Buffer.alloc(1 << 22)
  let rest = ""
  for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
    // The corpus is ASCII: no character is cut.
    const lines = (rest + chunk.toString("latin1", 0, read)).split("\n")
    rest = lines.pop() ?? ""
    yield* lines
  }
  closeSync(file)
  if (rest !== "") yield rest
}

import { joinHash, mixBits } from "./hashing.ts"
import { foldForComparison } from "./normalise.ts"
import { defaultThreshold, jaccard, shingler, type Shingler } from "./shingles.ts"

/** A text that is near another one. */
export interface Near {
  readonly id: string
  readonly similarity: number
}

/** Finds texts near those added so far. Precision is exact: every answer's Jaccard similarity is computed, none is estimated. Of pairs right at
 * the threshold a share of `missRate` is missed, of more similar ones fewer.
 *
 * MinHash (Broder 1997) with multiply-only permutations, banded (Leskovec, Rajaraman, Ullman, ch. 3). Equal additions and questions give equal
 * answers.
 * `corpus` is a sample of the texts, by which the shingles are chosen once, or a shingler. */
export class NearDuplicateIndex {
  readonly shingler: Shingler
  readonly threshold: number
  readonly #bands: Bands
  readonly #ids: string[] = []
  readonly #sets: Uint32Array[] = []
  /** For each band: from a key to the last text with that key; from each text to the one before it with the same key, -1 for none. */
  readonly #last: readonly Map<number, number>[]
  readonly #before: readonly number[][]
  /** The question that last looked at a text, so that each looks once. */
  readonly #seen: number[] = []
  #question = 0
  #sketched: Sketch | undefined

  constructor(corpus: readonly string[] | Shingler, threshold?: number, options: { readonly missRate?: number } = {}) {
    this.shingler = "of" in corpus && typeof corpus.of === "function" ? corpus : shingler(corpus as readonly string[])
    this.threshold = threshold ?? defaultThreshold(this.shingler.name)
    this.#bands = bandsFor(this.threshold, options.missRate ?? 5e-4)
    this.#last = Array.from({ length: this.#bands.count }, () => new Map<number, number>())
    this.#before = Array.from({ length: this.#bands.count }, () => [])
  }

  /** The most similar text added so far, at or above the threshold; of equally similar ones the one with the smaller id. */
  findNear(text: string): Near | undefined {
    return nearest(this.findAllNear(text))
  }

  /** Every text added so far that is at or above the threshold, in an order that follows from the additions; not to be interleaved with another
   * question. `isWanted` leaves texts out before they are compared; `group` asks among the texts added with that group alone. */
  *findAllNear(
    text: string,
    { isWanted = () => true, group = 0 }: { readonly isWanted?: (id: string) => boolean; readonly group?: number } = {},
  ): Generator<Near> {
    const { set, keys } = this.#sketch(text)
    const question = ++this.#question
    for (const [band, key] of keys.entries()) {
      const before = this.#before[band] as number[]
      for (let place = this.#last[band]?.get(key ^ group) ?? -1; place >= 0; place = before[place] as number) {
        if (this.#seen[place] === question) continue
        this.#seen[place] = question
        const id = this.#ids[place] as string
        const other = this.#sets[place] as Uint32Array
        if (Math.min(set.length, other.length) < this.threshold * Math.max(set.length, other.length) || !isWanted(id)) continue
        const similarity = jaccard(set, other)
        if (similarity >= this.threshold) yield { id, similarity }
      }
    }
  }

  /** From now on the text is found under the id, by those who ask for the group; without one, by those who name none. A text may be added to
   * several groups. */
  add(id: string, text: string, group = 0): void {
    const { set, keys } = this.#sketch(text)
    const place = this.#ids.push(id) - 1
    this.#sets.push(set)
    this.#seen.push(0)
    for (const [band, key] of keys.entries()) {
      const last = this.#last[band] as Map<number, number>
      this.#before[band]?.push(last.get(key ^ group) ?? -1)
      last.set(key ^ group, place)
    }
  }

  /** A text is mostly asked about and then added: the last sketch is kept. */
  #sketch(text: string): Sketch {
    if (this.#sketched?.text !== text) {
      const set = this.shingler.of(text)
      this.#sketched = { text, set, keys: bandKeys(set, this.#bands) }
    }
    return this.#sketched
  }
}

/** The most similar one, of equals the one with the smaller id; undefined when there is none. */
export function nearest(found: Iterable<Near>): Near | undefined {
  let best: Near | undefined
  for (const near of found) if (!best || near.similarity > best.similarity || (near.similarity === best.similarity && near.id < best.id)) best = near
  return best
}

/** The groups of texts that are linked by near-duplicates, each sorted by id and in the order of their first ids; every item is in one. For the
 * unit of splitting only: two members of a group may be far from each other. The order of the items does not matter; ids must differ. */
export function clusters(items: readonly { readonly id: string; readonly text: string }[], threshold?: number): string[][] {
  const sorted = items.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  const groups = new Groups()
  const firstWith = new Map<string, string>()
  const index = new NearDuplicateIndex(
    sorted.map(({ text }) => text),
    threshold,
  )
  for (const { id, text } of sorted) {
    const folded = foldForComparison(text)
    const same = firstWith.get(folded)
    if (same !== undefined) {
      groups.join(same, id)
      continue
    }
    firstWith.set(folded, id)
    for (const near of index.findAllNear(text, { isWanted: (other) => !groups.together(other, id) })) groups.join(near.id, id)
    index.add(id, text)
  }
  return [
    ...Map.groupBy(
      sorted.map(({ id }) => id),
      (id) => groups.of(id),
    ).values(),
  ]
}

interface Sketch {
  readonly text: string
  readonly set: Uint32Array
  readonly keys: Int32Array
}

interface Bands {
  readonly count: number
  readonly rows: number
  readonly multipliers: Int32Array
}

// More bands than this cost more than the false candidates that fewer rows a band let through.
const mostBands = 128

/** The most rows a band, up to 4, and so many bands that a pair at the threshold is missed with `missRate`: (1 − t^rows)^bands. */
function bandsFor(threshold: number, missRate: number): Bands {
  const countFor = (rows: number) => Math.max(1, Math.ceil(Math.log(missRate) / Math.log1p(-(threshold ** rows))))
  const rows = [4, 3, 2].find((candidate) => countFor(candidate) <= mostBands) ?? 1
  const count = countFor(rows)
  // Odd multipliers: each is a permutation of the 32-bit numbers.
  return { count, rows, multipliers: Int32Array.from({ length: count * rows }, (_, index) => mixBits(joinHash(1, index)) | 1) }
}

function bandKeys(set: Uint32Array, { count, rows, multipliers }: Bands): Int32Array {
  const keys = new Int32Array(count)
  for (let band = 0; band < count; band += 1) {
    let key = band
    for (let row = band * rows; row < (band + 1) * rows; row += 1) {
      const multiplier = multipliers[row] as number
      let least = 0x7fffffff
      for (let index = 0; index < set.length; index += 1) {
        const permuted = Math.imul(set[index] as number, multiplier)
        if (permuted < least) least = permuted
      }
      key = joinHash(key, mixBits(least))
    }
    keys[band] = key
  }
  return keys
}

/** Disjoint sets (Tarjan 1975), by id. */
class Groups {
  readonly #parents = new Map<string, string>()

  of(id: string): string {
    let root = id
    for (let parent = this.#parents.get(root); parent !== undefined; parent = this.#parents.get(root)) root = parent
    for (let step = id; step !== root; ) {
      const parent = this.#parents.get(step) as string
      this.#parents.set(step, root)
      step = parent
    }
    return root
  }

  together(a: string, b: string): boolean {
    return this.of(a) === this.of(b)
  }

  join(a: string, b: string): void {
    const [first, second] = [this.of(a), this.of(b)]
    if (first !== second) this.#parents.set(second, first)
  }
}

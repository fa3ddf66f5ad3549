/** Sets of hashes, found again by band keys: those at or above a threshold of Jaccard similarity. Precision is exact: every similarity is computed,
 * none is estimated.
 *
 * Places are numbers in the order of the additions. Memory a set: 4 bytes a hash, 16 bytes, and for each band 4 bytes and 11 to 21 of its table.
 * Equal additions and questions give equal answers. */
export class SimilarSets {
  readonly threshold: number
  readonly #bands: number
  readonly #tables: BandTable[]
  /** Of each place and band the place before it with the same key plus one, `placesAChunk` places a chunk. */
  readonly #before: Int32Array[] = []
  readonly #hashes = new HashPool()
  #chunks = new Int32Array(64)
  #offsets = new Int32Array(64)
  #sizes = new Int32Array(64)
  /** The question that last looked at a place, so that each looks once. */
  #seen = new Int32Array(64)
  #question = 0
  #places = 0
  /** The hashes of the set asked about, in open addressing; zero is empty. */
  #marks = new Int32Array(16)
  #markMask = 0

  constructor(threshold: number, bands: number) {
    this.threshold = threshold
    this.#bands = bands
    this.#tables = Array.from({ length: bands }, () => new BandTable())
  }

  /** Shows `visit` every place at or above the threshold until it returns true. `isWanted` leaves places out before they are compared; `group` asks
   * among the places of that group alone. `visit` must not ask in turn. */
  visit(
    set: Int32Array,
    keys: Int32Array,
    visit: (place: number, similarity: number) => boolean,
    { isWanted, group = 0 }: { readonly isWanted?: ((place: number) => boolean) | undefined; readonly group?: number } = {},
  ): void {
    const question = ++this.#question
    let isMarked = false
    for (let band = 0; band < this.#bands; band += 1) {
      const key = (keys[band] as number) ^ group
      for (let next = (this.#tables[band] as BandTable).last(key); next > 0; ) {
        const place = next - 1
        next = this.#placeBefore(place, band)
        if (this.#seen[place] === question) continue
        this.#seen[place] = question
        const size = this.#sizes[place] as number
        if (Math.min(set.length, size) < this.threshold * Math.max(set.length, size)) continue
        if (isWanted !== undefined && !isWanted(place)) continue
        if (!isMarked) {
          this.#mark(set)
          isMarked = true
        }
        const similarity = this.#similarity(set.length, place)
        if (similarity >= this.threshold && visit(place, similarity)) return
      }
    }
  }

  /** From now on the set is found at the place that is returned, by those who ask for the group. */
  add(set: Int32Array, keys: Int32Array, group = 0): number {
    const offset = this.#hashes.add(set)
    return this.#place(this.#hashes.chunks.length - 1, offset, set.length, keys, group)
  }

  /** Another place for the set of a place, in another group. */
  addAgain(place: number, keys: Int32Array, group: number): number {
    return this.#place(this.#chunks[place] as number, this.#offsets[place] as number, this.#sizes[place] as number, keys, group)
  }

  #place(chunk: number, offset: number, size: number, keys: Int32Array, group: number): number {
    const place = this.#places++
    if (place === this.#sizes.length) {
      this.#chunks = grown(this.#chunks)
      this.#offsets = grown(this.#offsets)
      this.#sizes = grown(this.#sizes)
      this.#seen = grown(this.#seen)
    }
    this.#chunks[place] = chunk
    this.#offsets[place] = offset
    this.#sizes[place] = size
    const inChunk = place & (placesAChunk - 1)
    if (inChunk === 0) this.#before.push(new Int32Array(placesAChunk * this.#bands))
    const before = this.#before.at(-1) as Int32Array
    for (let band = 0; band < this.#bands; band += 1)
      before[inChunk * this.#bands + band] = (this.#tables[band] as BandTable).replace((keys[band] as number) ^ group, place + 1)
    return place
  }

  #placeBefore(place: number, band: number): number {
    return (this.#before[place >>> chunkBits] as Int32Array)[(place & (placesAChunk - 1)) * this.#bands + band] as number
  }

  #mark(set: Int32Array): void {
    let slots = 16
    while (slots < 2 * set.length) slots *= 2
    if (this.#marks.length < slots) this.#marks = new Int32Array(slots)
    else this.#marks.fill(0, 0, slots)
    const mask = slots - 1
    const marks = this.#marks
    for (let index = 0; index < set.length; index += 1) {
      const hash = set[index] as number
      let slot = hash & mask
      while (marks[slot] !== 0) slot = (slot + 1) & mask
      marks[slot] = hash
    }
    this.#markMask = mask
  }

  /** Shared over all, of the set that is marked and that of a place; zero as soon as the threshold is out of reach. */
  #similarity(size: number, place: number): number {
    const other = this.#sizes[place] as number
    const hashes = this.#hashes.chunks[this.#chunks[place] as number] as Int32Array
    const from = this.#offsets[place] as number
    const marks = this.#marks
    const mask = this.#markMask
    // So many of its hashes may be no shared ones before the threshold is out of reach; one to spare for rounding.
    const mostMissing = other - Math.floor((this.threshold * (size + other)) / (1 + this.threshold)) + 1
    let missing = 0
    for (let index = from; index < from + other; index += 1) {
      const hash = hashes[index] as number
      let slot = hash & mask
      let mark = marks[slot] as number
      while (mark !== 0 && mark !== hash) {
        slot = (slot + 1) & mask
        mark = marks[slot] as number
      }
      if (mark === 0 && ++missing > mostMissing) return 0
    }
    const shared = other - missing
    return shared / (size + other - shared)
  }
}

const chunkBits = 12
const placesAChunk = 1 << chunkBits

/** From a key to the last place with it, in open addressing: pairs of key and place plus one, at most three quarters full. */
class BandTable {
  #pairs = new Int32Array(2 * 64)
  #mask = 63
  #count = 0

  /** The place plus one, zero for none. */
  last(key: number): number {
    const pairs = this.#pairs
    for (let slot = key & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const place = pairs[2 * slot + 1] as number
      if (place === 0 || pairs[2 * slot] === key) return place
    }
  }

  /** Puts the place there and returns what was there before. */
  replace(key: number, place: number): number {
    const pairs = this.#pairs
    let slot = key & this.#mask
    while (pairs[2 * slot + 1] !== 0 && pairs[2 * slot] !== key) slot = (slot + 1) & this.#mask
    const before = pairs[2 * slot + 1] as number
    pairs[2 * slot] = key
    pairs[2 * slot + 1] = place
    if (before === 0 && ++this.#count * 4 > this.#mask * 3) this.#grow()
    return before
  }

  #grow(): void {
    const old = this.#pairs
    this.#mask = 2 * this.#mask + 1
    this.#pairs = new Int32Array(2 * (this.#mask + 1))
    for (let index = 0; index < old.length; index += 2) {
      if (old[index + 1] === 0) continue
      let slot = (old[index] as number) & this.#mask
      while (this.#pairs[2 * slot + 1] !== 0) slot = (slot + 1) & this.#mask
      this.#pairs[2 * slot] = old[index] as number
      this.#pairs[2 * slot + 1] = old[index + 1] as number
    }
  }
}

/** Sets one after another in chunks, so that nothing is ever copied to grow. */
class HashPool {
  readonly chunks: Int32Array[] = []
  #used = 0

  /** Where the set begins, in the last chunk. */
  add(set: Int32Array): number {
    const last = this.chunks.at(-1)
    if (last === undefined || this.#used + set.length > last.length) {
      this.chunks.push(new Int32Array(Math.max(set.length, Math.min(largestChunk, smallestChunk * 2 ** this.chunks.length))))
      this.#used = 0
    }
    ;(this.chunks.at(-1) as Int32Array).set(set, this.#used)
    this.#used += set.length
    return this.#used - set.length
  }
}

const smallestChunk = 1 << 14
const largestChunk = 1 << 22

function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(old.length * 2)
  longer.set(old)
  return longer
}

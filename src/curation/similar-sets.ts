/** A set and its band keys, as they lie in an array: nothing is copied to ask. */
export interface Sketch {
  readonly numbers: Int32Array
  /** Where the hashes begin: distinct, none zero. */
  readonly hashes: number
  /** How many hashes there are. */
  readonly size: number
  /** Where the keys begin, one for each band. */
  readonly keys: number
}

/** What a question leaves out. */
export interface Question {
  /** Leaves places out before they are compared. */
  readonly isWanted?: ((place: number) => boolean) | undefined
  /** Asks among the places of that group alone. */
  readonly group?: number
  /** Ends the question after so many places, wanted or not. */
  readonly mostLooks?: number
}

/** Sets of hashes, found again by band keys: those at or above a threshold of Jaccard similarity. Precision is exact: every similarity is computed,
 * none is estimated.
 *
 * Places are numbers in the order of the additions. Memory a set: 4 bytes a hash, 80 bytes, and for each band 4 bytes and 11 to 21 of its table.
 * Equal additions and questions give equal answers. */
export class SimilarSets {
  readonly threshold: number
  readonly #bands: number
  readonly #tables: BandTable[]
  /** Of each place and band the place before it with the same key plus one, `placesAChunk` places a chunk. */
  readonly #before: Int32Array[] = []
  /** A bit for each hash of each place, `placesAChunk` places a chunk. */
  readonly #bitmaps: Int32Array[] = []
  readonly #bitmap = new Int32Array(bitmapNumbers)
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

  /** Shows `visit` every place at or above the threshold until it returns true. `visit` must not ask in turn. */
  visit(sketch: Sketch, visit: (place: number, similarity: number) => boolean, { isWanted, group = 0, mostLooks = Infinity }: Question = {}): void {
    const question = ++this.#question
    const { numbers, size, keys } = sketch
    let isMarked = false
    let looks = 0
    for (let band = 0; band < this.#bands; band += 1) {
      const key = (numbers[keys + band] as number) ^ group
      for (let next = (this.#tables[band] as BandTable).last(key); next > 0; ) {
        const place = next - 1
        next = this.#placeBefore(place, band)
        if (this.#seen[place] === question) continue
        this.#seen[place] = question
        if (++looks > mostLooks) return
        const other = this.#sizes[place] as number
        if (Math.min(size, other) < this.threshold * Math.max(size, other)) continue
        if (isWanted !== undefined && !isWanted(place)) continue
        if (!isMarked) {
          this.#mark(sketch)
          fillBitmap(this.#bitmap, 0, sketch)
          isMarked = true
        }
        if (this.#isFar(size, place)) continue
        const similarity = this.#similarity(size, place)
        if (similarity >= this.threshold && visit(place, similarity)) return
      }
    }
  }

  /** From now on the set is found at the place that is returned, by those who ask for the group. */
  add(sketch: Sketch, group = 0): number {
    const offset = this.#hashes.add(sketch)
    return this.#place(this.#hashes.chunks.length - 1, offset, sketch, group)
  }

  /** Another place for the set of a place, in another group. */
  addAgain(place: number, sketch: Sketch, group: number): number {
    return this.#place(this.#chunks[place] as number, this.#offsets[place] as number, sketch, group)
  }

  #place(chunk: number, offset: number, sketch: Sketch, group: number): number {
    const { numbers, size, keys } = sketch
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
    if (inChunk === 0) this.#bitmaps.push(new Int32Array(placesAChunk * bitmapNumbers))
    fillBitmap(this.#bitmaps.at(-1) as Int32Array, inChunk * bitmapNumbers, sketch)
    const before = this.#before.at(-1) as Int32Array
    for (let band = 0; band < this.#bands; band += 1)
      before[inChunk * this.#bands + band] = (this.#tables[band] as BandTable).replace((numbers[keys + band] as number) ^ group, place + 1)
    return place
  }

  /** True where the bitmaps alone show that the threshold is out of reach: hashes that only one of two sets has are at least as many as the bits in which
   * they differ. In a crowd of similar texts this spares most comparisons. */
  #isFar(size: number, place: number): boolean {
    const all = size + (this.#sizes[place] as number)
    const most = ((1 - this.threshold) / (1 + this.threshold)) * all + 1e-6
    const bitmaps = this.#bitmaps[place >>> chunkBits] as Int32Array
    const start = (place & (placesAChunk - 1)) * bitmapNumbers
    let differing = 0
    for (let index = 0; index < bitmapNumbers; index += 1) differing += bitCount((this.#bitmap[index] as number) ^ (bitmaps[start + index] as number))
    return differing > most
  }

  #placeBefore(place: number, band: number): number {
    return (this.#before[place >>> chunkBits] as Int32Array)[(place & (placesAChunk - 1)) * this.#bands + band] as number
  }

  #mark({ numbers, hashes, size }: Sketch): void {
    let slots = 16
    while (slots < 2 * size) slots *= 2
    if (this.#marks.length < slots) this.#marks = new Int32Array(slots)
    else this.#marks.fill(0, 0, slots)
    const mask = slots - 1
    const marks = this.#marks
    for (let index = hashes; index < hashes + size; index += 1) {
      const hash = numbers[index] as number
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

// 512 bits, one cache line.
const bitmapNumbers = 16

function fillBitmap(bitmaps: Int32Array, start: number, { numbers, hashes, size }: Sketch): void {
  bitmaps.fill(0, start, start + bitmapNumbers)
  for (let index = hashes; index < hashes + size; index += 1) {
    const bit = (numbers[index] as number) >>> 23
    bitmaps[start + (bit >>> 5)] = (bitmaps[start + (bit >>> 5)] as number) | (1 << (bit & 31))
  }
}

function bitCount(bits: number): number {
  let count = bits - ((bits >>> 1) & 0x55555555)
  count = (count & 0x33333333) + ((count >>> 2) & 0x33333333)
  return Math.imul((count + (count >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
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
  add({ numbers, hashes, size }: Sketch): number {
    let last = this.chunks.at(-1)
    if (last === undefined || this.#used + size > last.length) {
      last = new Int32Array(Math.max(size, Math.min(largestChunk, smallestChunk * 2 ** this.chunks.length)))
      this.chunks.push(last)
      this.#used = 0
    }
    const start = this.#used
    // Faster than `set` of a subarray for sets of this size.
    for (let index = 0; index < size; index += 1) last[start + index] = numbers[hashes + index] as number
    this.#used += size
    return start
  }
}

const smallestChunk = 1 << 14
const largestChunk = 1 << 22

function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(old.length * 2)
  longer.set(old)
  return longer
}

import { headerNumbers, Buckets } from "./buckets.ts"
import { MarkedSet } from "./marked-set.ts"
import { mayBeNear, bitSketchNumbers } from "./bit-sketch.ts"
import type { SharedKeys } from "./shared-keys.ts"

/** A set and its band keys, as they lie in an array: nothing is copied to ask. */
export interface Sketch {
  readonly numbers: Int32Array
  /** Where the hashes begin: distinct, none zero. */
  readonly hashes: number
  /** How many hashes there are. */
  readonly size: number
  /** Where the keys begin, one for each band. */
  readonly keys: number
  /** Where the bit sketch begin, `bitSketchNumbers` of them. */
  readonly bitSketch: number
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

/** Finds sets at or above a threshold of Jaccard similarity among those that were added. */
export interface SetSearch {
  /** Shows `visit` every place at or above the threshold until it returns true. `visit` must not ask in turn. */
  visit(sketch: Sketch, visit: (place: number, similarity: number) => boolean, question?: Question): void
  /** From now on the set is found at the place that is returned, by those who ask for the group. */
  add(sketch: Sketch, group?: number): number
  /** Another place for the set of a place, in another group. */
  addAgain(place: number, sketch: Sketch, group: number): number
}

/** What sets may be spared. */
export interface SetOptions {
  readonly shared?: Pick<SharedKeys, "isShared"> | undefined
  readonly areLasting?: boolean
  /** Where the numbers lie that are kept: `collectedNumbers` by default. */
  readonly allocate?: (count: number) => Int32Array
}

/** Memory that is given back when nobody has it. */
export function collectedNumbers(count: number): Int32Array {
  return new Int32Array(count)
}

/**
 * Memory for sets that are there to the end: the garbage collector does not count what threads may share. Of other
 * memory it looks through the whole heap after each 64 MiB.
 */
export function lastingNumbers(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * count))
}

/**
 * Sets of hashes, found again by band keys: those at or above a threshold of Jaccard similarity. Precision is exact:
 * every similarity is computed, none is estimated.
 *
 * Places are numbers in the order of the additions. Memory a set: 4 bytes a hash, 44 bytes, for each band 11 to 21
 * bytes of its table, and for each band in which it shares its key with another set 32 to 64 bytes. Equal additions and
 * questions give equal answers.
 */
export class SimilarSets implements SetSearch {
  readonly threshold: number
  readonly #tables: BandTable[]
  /** For each band the key and the entry that are where the key asked about would be first. */
  readonly #homes: Int32Array
  readonly #buckets = new Buckets()
  /** What is known of each place, `placesAChunk` places a chunk. */
  readonly #records: Int32Array[] = []
  readonly #hashes: HashPool | LastingHashes
  /** The header of the set asked about. */
  readonly #asked = new Int32Array(headerNumbers)
  /** Each place is looked at once a question. */
  #question = 0
  #places = 0
  #looks = 0
  /** The set asked about, where anything was compared with it. */
  readonly #marked = new MarkedSet()
  #isMarked = false

  readonly #shared: Pick<SharedKeys, "isShared"> | undefined
  readonly #allocate: (count: number) => Int32Array

  /**
   * There is room for so many sets from the beginning, and for any number later. Keys that are not `shared`, where that
   * is given, are not kept: nobody else has them. Where the arrays of what is added are `lasting`, and stay as they
   * are, their hashes are not copied.
   */
  constructor(
    threshold: number,
    bands: number,
    expected = 0,
    { shared, areLasting = false, allocate = collectedNumbers }: SetOptions = {},
  ) {
    this.threshold = threshold
    this.#shared = shared
    this.#allocate = allocate
    this.#hashes = areLasting ? new LastingHashes() : new HashPool(allocate)
    this.#tables = Array.from({ length: bands }, () => new BandTable(expected, allocate))
    this.#homes = new Int32Array(2 * bands)
  }

  /** The memory that the sets take. */
  get bytes(): number {
    const tables = this.#tables.reduce((sum, table) => sum + table.bytes, 0)
    return tables + this.#buckets.bytes + this.#hashes.bytes + this.#records.length * placesAChunk * recordNumbers * 4
  }

  visit(
    sketch: Sketch,
    visit: (place: number, similarity: number) => boolean,
    { isWanted, group = 0, mostLooks = Infinity }: Question = {},
  ): void {
    this.#question += 1
    this.#looks = mostLooks
    this.#isMarked = false
    const asked = this.#asked
    writeHeader(asked, 0, -1, sketch)
    this.#buckets.ask(asked)
    const { numbers, keys } = sketch
    const tables = this.#tables
    const homes = this.#homes
    // All accesses to memory at random come first and at once: those below wait for each other, as what comes next
    // depends on what is there.
    for (let band = 0; band < tables.length; band += 1)
      (tables[band] as BandTable).home((numbers[keys + band] as number) ^ group, homes, 2 * band)
    for (let band = 0; band < tables.length; band += 1) {
      let entry = homes[2 * band + 1] as number
      if (entry === 0) continue
      const key = (numbers[keys + band] as number) ^ group
      if (homes[2 * band] !== key) entry = (tables[band] as BandTable).entry(key)
      if (entry === 0) continue
      if (entry > 0) {
        if (this.#isNear(entry - 1) && this.#look(entry - 1, sketch, visit, isWanted)) return
        continue
      }
      let next = 0
      do {
        const count = this.#buckets.scan(entry, next, this.threshold)
        next = this.#buckets.stopped(entry)
        const found = this.#buckets.found
        for (let index = 0; index < count; index += 1)
          if (this.#look(found[index] as number, sketch, visit, isWanted)) return
      } while (next > 0)
    }
  }

  add(sketch: Sketch, group = 0): number {
    const offset = this.#hashes.add(sketch)
    return this.#place(this.#hashes.last, offset, sketch, group)
  }

  addAgain(place: number, sketch: Sketch, group: number): number {
    const record = this.#recordsOf(place)
    const at = recordAt(place)
    return this.#place(record[at + chunkOf] as number, record[at + offsetOf] as number, sketch, group)
  }

  #place(chunk: number, offset: number, sketch: Sketch, group: number): number {
    const place = this.#places++
    const at = recordAt(place)
    if (at === 0) this.#records.push(this.#allocate(placesAChunk * recordNumbers))
    const records = this.#recordsOf(place)
    writeHeader(records, at, place, sketch)
    records[at + chunkOf] = chunk
    records[at + offsetOf] = offset
    const { numbers, keys } = sketch
    const tables = this.#tables
    for (let band = 0; band < tables.length; band += 1) {
      const table = tables[band] as BandTable
      const plainKey = numbers[keys + band] as number
      if (this.#shared?.isShared(plainKey, band) === false) continue
      const key = plainKey ^ group
      const slot = table.slot(key)
      const entry = table.at(slot)
      if (entry === 0) table.add(slot, key, place + 1)
      else {
        const list = entry > 0 ? this.#buckets.start(this.#recordsOf(entry - 1), recordAt(entry - 1)) : entry
        table.set(slot, this.#buckets.add(list, records, at))
      }
    }
    return place
  }

  #recordsOf(place: number): Int32Array {
    return this.#records[place >>> chunkBits] as Int32Array
  }

  /** As in a scan of a bucket. */
  #isNear(place: number): boolean {
    const records = this.#recordsOf(place)
    const at = recordAt(place)
    const asked = this.#asked
    return mayBeNear(
      this.threshold,
      { numbers: asked, size: asked[1] as number, bitSketch: 2 },
      { numbers: records, size: records[at + 1] as number, bitSketch: at + 2 },
    )
  }

  /** Compares with the place, unless this question has already; true ends the question. */
  #look(
    place: number,
    sketch: Sketch,
    visit: (place: number, similarity: number) => boolean,
    isWanted: ((place: number) => boolean) | undefined,
  ): boolean {
    const records = this.#recordsOf(place)
    const at = recordAt(place)
    if (records[at + seenBy] === this.#question) return false
    records[at + seenBy] = this.#question
    if (--this.#looks < 0) return true
    if (isWanted !== undefined && !isWanted(place)) return false
    if (!this.#isMarked) this.#marked.mark(sketch.numbers, sketch.hashes, sketch.size)
    this.#isMarked = true
    const hashes = this.#hashes.chunks[records[at + chunkOf] as number] as Int32Array
    const similarity = this.#marked.similarity(
      hashes,
      records[at + offsetOf] as number,
      records[at + 1] as number,
      this.threshold,
    )
    return similarity >= this.threshold && visit(place, similarity)
  }
}

// A record is a header, where the hashes are, and the question that looked at the place last.
const chunkOf = headerNumbers
const offsetOf = headerNumbers + 1
const seenBy = headerNumbers + 2
const recordNumbers = headerNumbers + 3
const chunkBits = 12
const placesAChunk = 1 << chunkBits

function recordAt(place: number): number {
  return (place & (placesAChunk - 1)) * recordNumbers
}

/** Writes what `Buckets` is asked by, and what it keeps of a place. */
export function writeHeader(target: Int32Array, at: number, place: number, { numbers, size, bitSketch }: Sketch): void {
  target[at] = place
  target[at + 1] = size
  for (let index = 0; index < bitSketchNumbers; index += 1)
    target[at + 2 + index] = numbers[bitSketch + index] as number
}

/** Whether two sets have an equal key in the same band. */
export function sharesKey(a: Sketch, b: Sketch, bands: number): boolean {
  for (let band = 0; band < bands; band += 1) if (a.numbers[a.keys + band] === b.numbers[b.keys + band]) return true
  return false
}

/**
 * From a key to the place with it plus one, or to the list of the places with it, below zero; in open addressing, at
 * most three quarters full.
 */
class BandTable {
  /** Pairs of key and entry; the entry zero is empty. */
  #pairs: Int32Array
  #mask: number
  #count = 0
  readonly #allocate: (count: number) => Int32Array

  constructor(expected: number, allocate: (count: number) => Int32Array) {
    let slots = 64
    while (slots * 3 < expected * 4) slots *= 2
    this.#allocate = allocate
    this.#pairs = allocate(2 * slots)
    this.#mask = slots - 1
  }

  get bytes(): number {
    return this.#pairs.byteLength
  }

  /** Zero for none. */
  entry(key: number): number {
    return this.at(this.slot(key))
  }

  /** Copies the pair that is where the key would be first. */
  home(key: number, target: Int32Array, at: number): void {
    const place = 2 * (key & this.#mask)
    target[at] = this.#pairs[place] as number
    target[at + 1] = this.#pairs[place + 1] as number
  }

  /** Where the key is, or goes. */
  slot(key: number): number {
    const pairs = this.#pairs
    const mask = this.#mask
    let slot = key & mask
    while (pairs[2 * slot + 1] !== 0 && pairs[2 * slot] !== key) slot = (slot + 1) & mask
    return slot
  }

  at(slot: number): number {
    return this.#pairs[2 * slot + 1] as number
  }

  set(slot: number, entry: number): void {
    this.#pairs[2 * slot + 1] = entry
  }

  /** Puts a key there that was not there before. */
  add(slot: number, key: number, entry: number): void {
    this.#pairs[2 * slot] = key
    this.#pairs[2 * slot + 1] = entry
    if (++this.#count * 4 > this.#mask * 3) this.#grow()
  }

  #grow(): void {
    const old = this.#pairs
    const mask = 2 * this.#mask + 1
    const pairs = this.#allocate(2 * (mask + 1))
    for (let index = 0; index < old.length; index += 2) {
      if (old[index + 1] === 0) continue
      let slot = (old[index] as number) & mask
      while (pairs[2 * slot + 1] !== 0) slot = (slot + 1) & mask
      pairs[2 * slot] = old[index] as number
      pairs[2 * slot + 1] = old[index + 1] as number
    }
    this.#mask = mask
    this.#pairs = pairs
  }
}

/** Sets one after another in chunks, so that nothing is ever copied to grow. */
class HashPool {
  readonly chunks: Int32Array[] = []
  bytes = 0
  #used = 0
  readonly #allocate: (count: number) => Int32Array

  constructor(allocate: (count: number) => Int32Array) {
    this.#allocate = allocate
  }

  /** The chunk that was added to last. */
  get last(): number {
    return this.chunks.length - 1
  }

  /** Where the set begins, in the last chunk. */
  add({ numbers, hashes, size }: Sketch): number {
    let last = this.chunks.at(-1)
    if (last === undefined || this.#used + size > last.length) {
      last = this.#allocate(Math.max(size, Math.min(largestChunk, smallestChunk * 2 ** this.chunks.length)))
      this.chunks.push(last)
      this.bytes += last.byteLength
      this.#used = 0
    }
    const start = this.#used
    // Faster than `set` of a subarray for sets of this size.
    for (let index = 0; index < size; index += 1) last[start + index] = numbers[hashes + index] as number
    this.#used += size
    return start
  }
}

/** Sets where they lie: their arrays are the chunks. */
class LastingHashes {
  readonly chunks: Int32Array[] = []
  readonly bytes = 0
  last = -1
  readonly #numbers = new Map<Int32Array, number>()

  /** Where the set begins, in the chunk `last`. */
  add({ numbers, hashes }: Sketch): number {
    if (this.chunks[this.last] !== numbers) {
      const known = this.#numbers.get(numbers)
      this.last = known ?? this.chunks.push(numbers) - 1
      if (known === undefined) this.#numbers.set(numbers, this.last)
    }
    return hashes
  }
}

const smallestChunk = 1 << 14
const largestChunk = 1 << 22

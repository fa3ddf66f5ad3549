import { joinHash, mixBits } from "../text/hashing.ts"

/** What is asked of `PartedSets`. */
export interface Question {
  /** Looks at a set that may be near; more than once at some. */
  look(place: number): void
  /** How many hashes may be in one of two sets alone, the one asked about and one of up to that size. */
  mostApart(size: number): number
}

/**
 * Sets of about one size, searched by parts: every hash falls to one part, so that each hash that is in one of two sets
 * alone spoils one part. Where few are, at least one of enough parts differs by one hash or none: whoever looks at the
 * sets of which so many parts do, those with the fewest sets first, misses none that is near (PartEnum, Arasu, Ganti
 * and Kaushik 2006; PartAlloc, Deng, Li, Wen and Feng 2015). A list for each shingle instead, even of the rarest alone,
 * is long in short texts: of character 4-grams few are rare.
 */
export class PartedSets {
  readonly smallest: number
  readonly largest: number
  readonly #places: readonly number[]
  readonly #parts: number
  /** The sets by each whole part, and by each part without one of its hashes. */
  readonly #whole: Lists
  readonly #lessOne: Lists
  // Of the set asked about: the sum of each part, what each hash adds to it, part by part, and where each part ends;
  // each part with how many sets would be looked at.
  readonly #sums: Int32Array
  #terms = new Int32Array(256)
  readonly #ends: Int32Array
  readonly #costs: Float64Array

  /** `mostApart`: how many hashes a set of that size and a set near it have apart at most. */
  constructor(places: readonly number[], hashesOf: (place: number) => Int32Array, mostApart: (size: number) => number) {
    this.#places = places
    const sizes = places.map((place) => hashesOf(place).length)
    this.smallest = sizes.reduce((least, size) => Math.min(least, size), Infinity)
    this.largest = sizes.reduce((most, size) => Math.max(most, size), 0)
    this.#parts = places.length < fewest ? 0 : Math.min(mostParts, partsFor(mostApart(this.largest)))
    this.#sums = new Int32Array(this.#parts)
    this.#ends = new Int32Array(this.#parts + 1)
    this.#costs = new Float64Array(this.#parts)
    const hashes = sizes.reduce((sum, size) => sum + size, 0)
    const [whole, lessOne] = [new ListsWriter(this.#parts * places.length), new ListsWriter(this.#parts && hashes)]
    if (this.#parts > 0)
      for (const place of places) {
        this.#cut(hashesOf(place))
        for (let part = 0; part < this.#parts; part += 1) {
          whole.add(this.#key(part), place)
          for (let at = this.#start(part); at < this.#end(part); at += 1) lessOne.add(this.#keyWithout(part, at), place)
        }
      }
    this.#whole = whole.lists()
    this.#lessOne = lessOne.lists()
  }

  /** Shows the question every set of up to that size that may be near, and some others. */
  ask(hashes: Int32Array, largest: number, question: Question): void {
    if (this.#parts === 0) {
      this.#lookAtAll(question)
      return
    }
    this.#cut(hashes)
    this.#count()
    const order = this.#costs.sort()
    const needed = partsFor(question.mostApart(largest))
    let cost = 0
    for (let index = 0; index < needed; index += 1) cost += Math.floor((order[index] ?? Infinity) / mostParts)
    if (cost >= this.#places.length) {
      this.#lookAtAll(question)
      return
    }
    for (let done = 0; done < needed && done < partsFor(question.mostApart(largest)); done += 1) {
      const value = order[done] as number
      if (value >= mostParts) this.#visit(value % mostParts, question)
    }
  }

  #lookAtAll(question: Question): void {
    for (const place of this.#places) question.look(place)
  }

  /** Notes the parts of the set. */
  #cut(hashes: Int32Array): void {
    const size = hashes.length
    if (size > this.#terms.length) this.#terms = new Int32Array(2 * size)
    const [sums, ends, terms] = [this.#sums.fill(0), this.#ends.fill(0), this.#terms]
    for (let index = 0; index < size; index += 1) {
      const term = mixBits(hashes[index] as number)
      const part = this.#partOf(term)
      sums[part] = ((sums[part] as number) + term) | 0
      ends[part + 1] = (ends[part + 1] as number) + 1
    }
    for (let part = 1; part < ends.length; part += 1) ends[part] = (ends[part] as number) + (ends[part - 1] as number)
    // What is where a part begins becomes where it ends.
    for (let index = 0; index < size; index += 1) {
      const term = mixBits(hashes[index] as number)
      const part = this.#partOf(term)
      terms[ends[part] as number] = term
      ends[part] = (ends[part] as number) + 1
    }
  }

  #partOf(term: number): number {
    return ((term >>> 16) * this.#parts) >>> 16
  }

  #start(part: number): number {
    return part === 0 ? 0 : (this.#ends[part - 1] as number)
  }

  #end(part: number): number {
    return this.#ends[part] as number
  }

  /** How many sets each part would find, with its number behind. */
  #count(): void {
    for (let part = 0; part < this.#parts; part += 1) {
      const key = this.#key(part)
      let count = this.#whole.count(key) + this.#lessOne.count(key)
      const end = this.#end(part)
      for (let at = this.#start(part); at < end; at += 1) count += this.#whole.count(this.#keyWithout(part, at))
      this.#costs[part] = mostParts * count + part
    }
  }

  /** The sets of which that part differs by one hash at most. */
  #visit(part: number, question: Question): void {
    const key = this.#key(part)
    this.#whole.visit(key, question)
    this.#lessOne.visit(key, question)
    const end = this.#end(part)
    for (let at = this.#start(part); at < end; at += 1) this.#whole.visit(this.#keyWithout(part, at), question)
  }

  #key(part: number): number {
    return keyOf(part, this.#sums[part] as number)
  }

  #keyWithout(part: number, at: number): number {
    return keyOf(part, ((this.#sums[part] as number) - (this.#terms[at] as number)) | 0)
  }
}

/** Fewer sets are looked at one by one. */
const fewest = 16
const mostParts = 2 ** 12

/** So many parts that one differs by one hash or none where so many hashes are apart. */
function partsFor(apart: number): number {
  return Math.floor(apart / 2) + 1
}

function keyOf(part: number, sum: number): number {
  return mixBits(joinHash(sum, part + 1))
}

/** The places of keys, a list for each; now and then two keys have one list. */
class Lists {
  readonly #shift: number
  readonly #starts: Uint32Array
  readonly #places: Uint32Array
  readonly #filter: Int32Array

  constructor(keys: Uint32Array, places: Uint32Array) {
    const count = keys.length
    const bits = Math.min(27, Math.max(4, Math.ceil(Math.log2(count + 1))))
    this.#shift = 32 - bits
    const starts = new Uint32Array(2 ** bits + 2)
    const filter = new Int32Array(2 ** (bits + filterBits - 5))
    for (const key of keys) {
      const list = (key >>> this.#shift) + 2
      starts[list] = (starts[list] as number) + 1
      const bit = key >>> (this.#shift - filterBits)
      filter[bit >>> 5] = (filter[bit >>> 5] as number) | (1 << (bit & 31))
    }
    for (let list = 2; list < starts.length; list += 1)
      starts[list] = (starts[list] as number) + (starts[list - 1] as number)
    // Where the next of each list goes: in the end its end, where the next list begins.
    const sorted = new Uint32Array(count)
    for (let index = 0; index < count; index += 1) {
      const next = ((keys[index] as number) >>> this.#shift) + 1
      sorted[starts[next] as number] = places[index] as number
      starts[next] = (starts[next] as number) + 1
    }
    this.#starts = starts
    this.#places = sorted
    this.#filter = filter
  }

  count(key: number): number {
    if (!this.#mayHave(key)) return 0
    const list = key >>> this.#shift
    return (this.#starts[list + 1] as number) - (this.#starts[list] as number)
  }

  visit(key: number, question: Question): void {
    if (!this.#mayHave(key)) return
    const list = key >>> this.#shift
    const end = this.#starts[list + 1] as number
    for (let index = this.#starts[list] as number; index < end; index += 1) question.look(this.#places[index] as number)
  }

  /** False only for a key that no place has; true for one in ten of these, about. */
  #mayHave(key: number): boolean {
    const bit = key >>> (this.#shift - filterBits)
    return ((this.#filter[bit >>> 5] as number) & (1 << (bit & 31))) !== 0
  }
}

const filterBits = 3

class ListsWriter {
  readonly #keys: Uint32Array
  readonly #places: Uint32Array
  #count = 0

  constructor(count: number) {
    this.#keys = new Uint32Array(count)
    this.#places = new Uint32Array(count)
  }

  add(key: number, place: number): void {
    this.#keys[this.#count] = key
    this.#places[this.#count++] = place
  }

  lists(): Lists {
    return new Lists(this.#keys, this.#places)
  }
}

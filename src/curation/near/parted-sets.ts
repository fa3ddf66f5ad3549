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
 * alone spoils one part. Whoever looks at the sets that have some parts whole and differ in others by one hash misses
 * none that is near if these are enough: where n hashes are apart n + 1, a part counting twice where one hash may
 * differ. There are more parts than that takes, and of all such looks those are made that find the fewest sets
 * (PartEnum, Arasu, Ganti and Kaushik 2006; PartAlloc, Deng, Li, Wen and Feng 2015). A list for each shingle instead,
 * even of the rarest alone, is long in short texts: of character 4-grams few are rare.
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
  // each step with how many sets would be looked at: those of a whole part, and those that differ in it by one hash.
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
    this.#parts =
      places.length < fewest ? 0 : Math.min(mostParts, Math.ceil(spareParts * partsFor(mostApart(this.largest))))
    this.#sums = new Int32Array(this.#parts)
    this.#ends = new Int32Array(this.#parts + 1)
    this.#costs = new Float64Array(2 * this.#parts)
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
    const needed = question.mostApart(largest) + 1
    let cost = 0
    for (let index = 0; index < needed; index += 1) cost += Math.floor((order[index] ?? Infinity) / mostSteps)
    if (cost >= this.#places.length) {
      this.#lookAtAll(question)
      return
    }
    for (let done = 0; done < needed && done <= question.mostApart(largest); done += 1) {
      const value = order[done] as number
      if (value >= mostSteps) this.#visit(value % mostSteps, question)
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

  /** How many sets each step finds, with its number behind: the second of a part does not come before the first. */
  #count(): void {
    for (let part = 0; part < this.#parts; part += 1) {
      const key = this.#key(part)
      const whole = this.#whole.count(key)
      let lessOne = this.#lessOne.count(key)
      const end = this.#end(part)
      for (let at = this.#start(part); at < end; at += 1) lessOne += this.#whole.count(this.#keyWithout(part, at))
      this.#costs[2 * part] = mostSteps * whole + 2 * part
      this.#costs[2 * part + 1] = mostSteps * Math.max(whole, lessOne) + 2 * part + 1
    }
  }

  /** The sets that have the whole part; with the second step those of which it differs by one hash. */
  #visit(step: number, question: Question): void {
    const part = step >> 1
    const key = this.#key(part)
    if (step % 2 === 0) {
      this.#whole.visit(key, question)
      return
    }
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
const mostSteps = 2 * mostParts

// With none to spare the most common parts must be looked at, which ever more sets have; more make all parts small.
const spareParts = 1.25

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

import { HashIndex } from "../text/hash-index.ts"
import { FineBitSketches } from "./fine-bit-sketch.ts"
import { MarkedSet } from "./marked-set.ts"
import { PartedSets, type Question } from "./parted-sets.ts"
import type { Sketch } from "./similar-sets.ts"

type Hashes = Pick<Sketch, "numbers" | "hashes" | "size">

/** A set that is near the one asked about. */
export interface NearSet {
  /** In the order of the additions. */
  readonly place: number
  readonly similarity: number
}

/**
 * Finds the most similar of many sets of hashes by an exact search, which misses none. All are added before the first
 * question. Sets of about one size are searched together, by `PartedSets`.
 *
 * Memory a set: 8 bytes a hash, and about 100 bytes.
 */
export class NearestSet implements Question {
  readonly #threshold: number
  /** The hashes that any set has. */
  readonly #known = new HashIndex()
  #hashes = new Int32Array(1024)
  #ends: number[] = []
  readonly #bits: FineBitSketches
  #bySize: PartedSets[] | undefined
  readonly #marked = new MarkedSet()
  /** The question that looked at a place last. */
  #seenBy = new Uint32Array()
  #questions = 0
  #size = 0
  #best: NearSet | undefined

  constructor(threshold: number) {
    this.#threshold = threshold
    this.#bits = new FineBitSketches(threshold)
  }

  /** The set is found from now on, by its place in the order of the additions. */
  add({ numbers, hashes, size }: Hashes): void {
    const start = this.#ends.at(-1) ?? 0
    if (start + size > this.#hashes.length) {
      const longer = new Int32Array(2 * (start + size))
      longer.set(this.#hashes)
      this.#hashes = longer
    }
    for (let index = 0; index < size; index += 1) {
      const hash = numbers[hashes + index] as number
      this.#hashes[start + index] = hash
      if (!this.#known.has(hash)) this.#known.add(hash, 0)
    }
    this.#ends.push(start + size)
    this.#bits.add({ numbers, hashes, size })
  }

  /**
   * How many of these hashes any set has: none shares more with them. Where they are fewer than `least`, any number
   * below it.
   */
  countShared({ numbers, hashes, size }: Hashes, least: number): number {
    return this.#known.countIn(numbers, hashes, hashes + size, least)
  }

  /** The most similar set at or above the threshold, of equals the first. */
  nearest(asked: Hashes): NearSet | undefined {
    this.#bySize ??= this.#part()
    const { numbers, hashes, size } = asked
    if (size === 0) return undefined
    this.#questions += 1
    this.#size = size
    this.#best = undefined
    this.#bits.ask(asked)
    this.#marked.mark(numbers, hashes, size)
    // What is about as large is most similar, mostly, and then less of the others is of interest.
    const own = this.#bySize.findLastIndex(({ smallest }) => smallest <= size)
    for (let apart = 0; apart <= this.#bySize.length; apart += 1) {
      const [smaller, larger] = [this.#bySize[own - apart], this.#bySize[own + apart]]
      if (smaller !== undefined) this.#ask(smaller, asked)
      if (larger !== undefined && apart > 0) this.#ask(larger, asked)
    }
    return this.#best
  }

  /** How many hashes may be in one of two sets alone, the one asked about and one of up to that size. */
  mostApart(size: number): number {
    const least = this.#best?.similarity ?? this.#threshold
    return Math.floor(((1 - least) / (1 + least)) * (this.#size + size) + tolerance)
  }

  look(place: number): void {
    if (this.#seenBy[place] === this.#questions) return
    this.#seenBy[place] = this.#questions
    const least = this.#best?.similarity ?? this.#threshold
    if (!this.#bits.mayBeNear(place, least)) return
    const start = this.#start(place)
    const similarity = this.#marked.similarity(this.#hashes, start, (this.#ends[place] as number) - start, least)
    if (similarity < least) return
    if (this.#best === undefined || similarity > this.#best.similarity || place < this.#best.place)
      this.#best = { place, similarity }
  }

  #ask(sets: PartedSets, { numbers, hashes, size }: Hashes): void {
    const least = this.#best?.similarity ?? this.#threshold
    const largest = Math.floor(size / least + tolerance)
    if (sets.largest < least * size - tolerance || sets.smallest > largest) return
    sets.ask(numbers.subarray(hashes, hashes + size), Math.min(largest, sets.largest), this)
  }

  #start(place: number): number {
    return place === 0 ? 0 : (this.#ends[place - 1] as number)
  }

  #part(): PartedSets[] {
    this.#seenBy = new Uint32Array(this.#ends.length)
    const sizeOf = (place: number) => (this.#ends[place] as number) - this.#start(place)
    const steps = Map.groupBy(this.#ends.keys(), (place) => Math.floor(Math.log(sizeOf(place)) / Math.log(stepOfSizes)))
    return [...steps.keys()]
      .toSorted((a, b) => a - b)
      .map((step) => {
        const places = steps.get(step) as number[]
        return new PartedSets(
          places,
          (place) => this.#hashes.subarray(this.#start(place), this.#ends[place]),
          (size) =>
            Math.floor(((1 - this.#threshold) / (1 + this.#threshold)) * (size / this.#threshold + size) + tolerance),
        )
      })
  }
}

/** Sets are searched together where the largest is not more than so many times as large as the smallest. */
const stepOfSizes = 1.5
// Of products of fractions.
const tolerance = 1e-6

import { HashIndex } from "../text/hash-index.ts"
import type { Sketch } from "./similar-sets.ts"

type Hashes = Pick<Sketch, "numbers" | "hashes" | "size">

/**
 * Finds the most similar of some sets of hashes by an exact search, which misses none: it counts what is shared with
 * every set that shares anything. Made for few sets and many questions.
 */
export class SharedHashes {
  readonly #threshold: number
  readonly #index = new HashIndex()
  readonly #sizes: number[] = []
  #shared = new Uint32Array(64)
  readonly #touched: number[] = []
  readonly #count = (place: number) => {
    if (this.#shared[place] === 0) this.#touched.push(place)
    this.#shared[place] = (this.#shared[place] as number) + 1
  }

  constructor(threshold: number) {
    this.#threshold = threshold
  }

  /** The set is found from now on, by its place in the order of the additions. */
  add({ numbers, hashes, size }: Hashes): void {
    const place = this.#sizes.length
    for (let index = hashes; index < hashes + size; index += 1) this.#index.add(numbers[index] as number, place)
    this.#sizes.push(size)
    if (place >= this.#shared.length) this.#shared = new Uint32Array(2 * this.#shared.length)
  }

  /**
   * How many of these hashes any set has: none shares more with them. Where they are fewer than `least`, any number
   * below it.
   */
  countShared({ numbers, hashes, size }: Hashes, least: number): number {
    return this.#index.countIn(numbers, hashes, hashes + size, least)
  }

  /** The most similar set at or above the threshold, of equals the first. */
  nearest({ numbers, hashes, size }: Hashes): { readonly place: number; readonly similarity: number } | undefined {
    const shared = this.#shared
    const lookup = this.#index
    for (let index = hashes; index < hashes + size; index += 1) {
      const hash = numbers[index] as number
      if (lookup.mayHave(hash)) lookup.visit(hash, this.#count)
    }
    let best: { place: number; similarity: number } | undefined
    for (const place of this.#touched) {
      const both = shared[place] as number
      shared[place] = 0
      const similarity = both / (size + (this.#sizes[place] as number) - both)
      if (similarity < this.#threshold) continue
      if (!best || similarity > best.similarity || (similarity === best.similarity && place < best.place))
        best = { place, similarity }
    }
    this.#touched.length = 0
    return best
  }
}

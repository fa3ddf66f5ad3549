import type { SharedKeys } from "./shared-keys.ts"
import { SimilarSets, type Sketch } from "./similar-sets.ts"

/** A row as it comes from a sketcher. */
export interface SketchedRow extends Sketch {
  /** Where the fingerprints of the text and of the output begin, two numbers each; zeros for no output. */
  readonly prints: number
}

/**
 * What came of a row: kept, kept although it is near a kept one with another output (`conflict`), or dropped for its
 * witness.
 */
export interface KeepOrDrop {
  readonly verdict: "kept" | "conflict" | "near-duplicate" | "exact-duplicate"
  /** The number of the kept row it is near to; -1 for none. */
  readonly witness: number
  readonly similarity: number
}

const kept: KeepOrDrop = { verdict: "kept", witness: -1, similarity: 0 }

// Of a bucket of near rows that all differ in their outputs so many are compared, and so many looked at for one that
// agrees.
const mostDiffering = 100
const mostLooks = 10_000

/**
 * Keeps the first of near rows: a row is dropped when it is at or above the threshold with a row kept before it and
 * their outputs agree, so that every dropped row has a kept witness. Rows with other outputs are kept and told as
 * conflicts. Connected components instead would drop rows that are near no kept one.
 *
 * Of pairs right at the threshold a few are missed, as the bands say. In a bucket of over 10,000 near rows with
 * different outputs one that agrees may be missed as well.
 */
export class KeepFirst {
  readonly #sets: SimilarSets
  #numbers = new Int32Array(1024)
  #prints = new Int32Array(4 * 1024)
  // What is known of the row on offer; no functions are made for each.
  #output = 0
  #outputHigh = 0
  #agreeing = -1
  #agreeingSimilarity = 0
  #differing = -1
  #differingSimilarity = 0
  #differed = 0
  readonly #visit = (place: number, similarity: number) => this.#meet(place, similarity)
  readonly #question = { isWanted: (place: number) => this.#differed < mostDiffering || this.#agrees(place), mostLooks }

  readonly #bands: number
  readonly #shared: SharedKeys | undefined

  /**
   * About so many rows are expected. With `shared`, in which the keys of all rows are noted, rows that share no key
   * take no memory; the decisions are the same.
   */
  constructor(threshold: number, bands: number, expected = 0, shared?: SharedKeys) {
    this.#sets = new SimilarSets(threshold, bands, shared === undefined ? expected : 0, { shared })
    this.#bands = bands
    this.#shared = shared
  }

  /** The memory that the kept rows take. */
  get bytes(): number {
    return this.#sets.bytes + this.#numbers.byteLength + this.#prints.byteLength
  }

  /** Decides on the next row, which is known by its number from now on if it is kept. */
  offer(row: SketchedRow, number: number): KeepOrDrop {
    if (this.#isAlone(row)) return kept
    const { numbers, prints } = row
    this.#output = numbers[prints + 2] as number
    this.#outputHigh = numbers[prints + 3] as number
    this.#agreeing = -1
    this.#differing = -1
    this.#differingSimilarity = 0
    this.#differed = 0
    this.#sets.visit(row, this.#visit, this.#question)
    if (this.#agreeing >= 0) {
      const at = 4 * this.#agreeing
      const isExact = this.#prints[at] === numbers[prints] && this.#prints[at + 1] === numbers[prints + 1]
      const verdict = isExact ? "exact-duplicate" : "near-duplicate"
      return { verdict, witness: this.#numbers[this.#agreeing] as number, similarity: this.#agreeingSimilarity }
    }
    const place = this.#sets.add(row)
    if (place === this.#numbers.length) {
      this.#numbers = grown(this.#numbers)
      this.#prints = grown(this.#prints)
    }
    this.#numbers[place] = number
    for (let index = 0; index < 4; index += 1) this.#prints[4 * place + index] = numbers[prints + index] as number
    if (this.#differing < 0) return kept
    return {
      verdict: "conflict",
      witness: this.#numbers[this.#differing] as number,
      similarity: this.#differingSimilarity,
    }
  }

  #isAlone({ numbers, keys }: SketchedRow): boolean {
    if (this.#shared === undefined) return false
    for (let band = 0; band < this.#bands; band += 1)
      if (this.#shared.isShared(numbers[keys + band] as number, band)) return false
    return true
  }

  /** True for a row that the one on offer is dropped for. */
  #meet(place: number, similarity: number): boolean {
    if (this.#agrees(place)) {
      this.#agreeing = place
      this.#agreeingSimilarity = similarity
      return true
    }
    if (similarity > this.#differingSimilarity) {
      this.#differing = place
      this.#differingSimilarity = similarity
    }
    this.#differed += 1
    return false
  }

  #agrees(place: number): boolean {
    return this.#prints[4 * place + 2] === this.#output && this.#prints[4 * place + 3] === this.#outputHigh
  }
}

function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(old.length * 2)
  longer.set(old)
  return longer
}

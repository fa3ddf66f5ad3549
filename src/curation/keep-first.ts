import { SimilarSets, type Sketch } from "./similar-sets.ts"

/** A row as it comes from a sketcher. */
export interface SketchedRow extends Sketch {
  /** Where the fingerprints of the text and of the output begin, two numbers each; zeros for no output. */
  readonly prints: number
}

/** What came of a row: kept, kept although it is near a kept one with another output (`conflict`), or dropped for its witness. */
export interface Decision {
  readonly verdict: "kept" | "conflict" | "near-duplicate" | "exact-duplicate"
  /** The number of the kept row it is near to; -1 for none. */
  readonly witness: number
  readonly similarity: number
}

const kept: Decision = { verdict: "kept", witness: -1, similarity: 0 }

// Of a crowd of near rows that all differ in their outputs so many are compared, and so many looked at for one that agrees.
const mostDiffering = 100
const mostLooks = 10_000

/** Keeps the first of near rows: a row is dropped when it is at or above the threshold with a row kept before it and their outputs agree, so that
 * every dropped row has a kept witness. Rows with other outputs are kept and told as conflicts. Connected components instead would drop rows that
 * are near no kept one.
 *
 * Of pairs right at the threshold a few are missed, as the bands say. In a crowd of over 10,000 near rows with different outputs one that agrees
 * may be missed as well. */
export class KeepFirst {
  readonly #sets: SimilarSets
  #numbers = new Int32Array(1024)
  #prints = new Int32Array(4 * 1024)

  constructor(threshold: number, bands: number) {
    this.#sets = new SimilarSets(threshold, bands)
  }

  /** Decides on the next row, which is known by its number from now on if it is kept. */
  offer(row: SketchedRow, number: number): Decision {
    const print = row.numbers[row.prints] as number
    const printHigh = row.numbers[row.prints + 1] as number
    const output = row.numbers[row.prints + 2] as number
    const outputHigh = row.numbers[row.prints + 3] as number
    let agreeing = -1
    let agreeingSimilarity = 0
    let differing = -1
    let differingSimilarity = 0
    let differed = 0
    const agrees = (place: number) => this.#prints[4 * place + 2] === output && this.#prints[4 * place + 3] === outputHigh
    this.#sets.visit(
      row,
      (place, similarity) => {
        if (agrees(place)) {
          agreeing = place
          agreeingSimilarity = similarity
          return true
        }
        if (similarity > differingSimilarity) {
          differing = place
          differingSimilarity = similarity
        }
        differed += 1
        return false
      },
      { isWanted: (place) => differed < mostDiffering || agrees(place), mostLooks },
    )
    if (agreeing >= 0) {
      const isExact = this.#prints[4 * agreeing] === print && this.#prints[4 * agreeing + 1] === printHigh
      const verdict = isExact ? "exact-duplicate" : "near-duplicate"
      return { verdict, witness: this.#numbers[agreeing] as number, similarity: agreeingSimilarity }
    }
    const place = this.#sets.add(row)
    if (place === this.#numbers.length) {
      this.#numbers = grown(this.#numbers)
      this.#prints = grown(this.#prints)
    }
    this.#numbers[place] = number
    for (let index = 0; index < 4; index += 1) this.#prints[4 * place + index] = row.numbers[row.prints + index] as number
    return differing < 0 ? kept : { verdict: "conflict", witness: this.#numbers[differing] as number, similarity: differingSimilarity }
  }
}

function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(old.length * 2)
  longer.set(old)
  return longer
}

import type { Sketch } from "./similar-sets.ts"

/** A row made ready to be compared with others: its sketch and its fingerprints. */
export interface SketchedRow extends Sketch {
  /** Where the fingerprints of the text and of the output begin, two numbers each; zeros for no output. */
  readonly prints: number
}

// Of a place the number of its row, then the fingerprints as they lie in the row.
const numbersAPlace = 5
const printNumbers = 4

/** The rows that were kept, by their places among the sets: of each its number and its fingerprints, in 20 bytes. */
export class KeptRows {
  #places = new Int32Array(numbersAPlace * 64)

  get bytes(): number {
    return this.#places.byteLength
  }

  /** The row at the place is from now on the one with that number. */
  note(place: number, { numbers, prints }: SketchedRow, number: number): void {
    const at = numbersAPlace * place
    if (at === this.#places.length) {
      const longer = new Int32Array(2 * this.#places.length)
      longer.set(this.#places)
      this.#places = longer
    }
    const places = this.#places
    places[at] = number
    for (let index = 0; index < printNumbers; index += 1) places[at + 1 + index] = numbers[prints + index] as number
  }

  numberAt(place: number): number {
    return this.#places[numbersAPlace * place] as number
  }

  hasText(place: number, { numbers, prints }: SketchedRow): boolean {
    const at = numbersAPlace * place
    return this.#places[at + 1] === numbers[prints] && this.#places[at + 2] === numbers[prints + 1]
  }

  hasOutput(place: number, { numbers, prints }: SketchedRow): boolean {
    const at = numbersAPlace * place
    return this.#places[at + 3] === numbers[prints + 2] && this.#places[at + 4] === numbers[prints + 3]
  }
}

/**
 * From a text to the place of the kept row that has it, in open addressing, at most half full; the fingerprints are in
 * the kept rows.
 */
export class TextTable {
  readonly #slots: Int32Array
  readonly #kept: KeptRows
  #count = 0

  constructor(kept: KeptRows, mostRows: number) {
    this.#kept = kept
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * Math.max(64, mostRows) + 1)))
  }

  get bytes(): number {
    return this.#slots.byteLength
  }

  clear(): void {
    if (this.#count > 0) this.#slots.fill(0)
    this.#count = 0
  }

  /** The place, or below zero. */
  find(row: SketchedRow): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = (row.numbers[row.prints] as number) & mask; ; slot = (slot + 1) & mask) {
      const place = (slots[slot] as number) - 1
      if (place < 0 || this.#kept.hasText(place, row)) return place
    }
  }

  /** Adds a place whose text is not there yet. There may be as many as were announced. */
  add(place: number, { numbers, prints }: SketchedRow): void {
    if (2 * ++this.#count > this.#slots.length) throw new Error("more rows than expected")
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = (numbers[prints] as number) & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = place + 1
  }
}

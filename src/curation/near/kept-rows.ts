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
    return this.hasPrints(place, numbers, prints, 2)
  }

  hasOutput(place: number, { numbers, prints }: SketchedRow): boolean {
    const at = numbersAPlace * place
    return this.#places[at + 3] === numbers[prints + 2] && this.#places[at + 4] === numbers[prints + 3]
  }

  /** Whether the first so many fingerprints are those that begin there. */
  hasPrints(place: number, numbers: Int32Array, prints: number, count: number): boolean {
    const at = numbersAPlace * place + 1
    for (let index = 0; index < count; index += 1)
      if (this.#places[at + index] !== numbers[prints + index]) return false
    return true
  }

  /** Where the fingerprints of a place begin. */
  printsAt(place: number): [numbers: Int32Array, prints: number] {
    return [this.#places, numbersAPlace * place + 1]
  }
}

/**
 * From a text, or a text with an output, to the place of the kept row that has it, in open addressing, at most half full;
 * the fingerprints are in the kept rows.
 */
export class PrintTable {
  #slots: Int32Array
  readonly #kept: KeptRows
  readonly #prints: number
  #count = 0

  /** There is room for so many rows from the beginning, and for any number later. */
  constructor(kept: KeptRows, by: "text" | "text and output", rows = 0) {
    this.#kept = kept
    this.#prints = by === "text" ? 2 : printNumbers
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * Math.max(64, rows) + 1)))
  }

  get bytes(): number {
    return this.#slots.byteLength
  }

  clear(): void {
    if (this.#count > 0) this.#slots.fill(0)
    this.#count = 0
  }

  /** The place of the row with the fingerprints that begin there, or below zero. */
  find(numbers: Int32Array, prints: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = this.#hash(numbers, prints) & mask; ; slot = (slot + 1) & mask) {
      const place = (slots[slot] as number) - 1
      if (place < 0 || this.#kept.hasPrints(place, numbers, prints, this.#prints)) return place
    }
  }

  /** Adds a place whose fingerprints are not there yet. */
  add(place: number, { numbers, prints }: SketchedRow): void {
    if (2 * ++this.#count > this.#slots.length) this.#grow()
    this.#put(place, this.#hash(numbers, prints))
  }

  #put(place: number, hash: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hash & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = place + 1
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Int32Array(2 * old.length)
    for (const entry of old) if (entry !== 0) this.#put(entry - 1, this.#hash(...this.#kept.printsAt(entry - 1)))
  }

  #hash(numbers: Int32Array, prints: number): number {
    const text = numbers[prints] as number
    return this.#prints === 2 ? text : text ^ (numbers[prints + 2] as number)
  }
}

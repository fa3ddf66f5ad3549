import type { OutputEquality } from "./output-equality.ts"
import type { RowRecords } from "./row-records.ts"
import type { SetSearch, Sketch } from "../near/similar-sets.ts"

/** What came of rows that were compared, by their numbers. */
export interface Comparison {
  readonly dropped: DroppedRow[]
  readonly conflicts: RowConflict[]
}

/** A row that one worth more makes superfluous, or contradicts word for word. */
export interface DroppedRow {
  readonly row: number
  readonly reason: "exact-duplicate" | "near-duplicate" | "conflict"
  readonly witness: number
  readonly similarity: number
}

/** Two kept rows whose inputs are near-duplicates and whose outputs differ; `a` is the one more worth keeping. */
export interface RowConflict {
  readonly a: number
  readonly b: number
  readonly similarity: number
}

/** A row made ready to be compared with others. */
export interface ComparedRow extends Sketch {
  /** The array with the fingerprints of the folded text and of the output, two numbers each, and where they are. */
  readonly record: Int32Array
  readonly print: number
  readonly output: number
}

// Of a bucket of near rows that all differ in their outputs (a template with slots) so many are looked at for the most
// similar.
const mostDiffering = 100

/**
 * Goes through the rows in their order, the best first; each is kept unless a kept one makes it superfluous. Keep-first
 * instead of connected components, which would remove rows that are near no kept one.
 */
export class KeepBest {
  readonly #found: Comparison
  readonly #outputText: (row: number) => string
  readonly #outputs: OutputEquality
  readonly #sets: SetSearch
  readonly #byPrint: PrintTable
  /** Of each place in `#sets` the row, and the prints of its text and output. */
  #places = new Int32Array(numbersAPlace * 64)
  readonly #agreeing: Nearest
  readonly #differing: Nearest

  /** At most so many rows will be offered; what comes of them is added to what was `found`. */
  constructor(
    records: RowRecords,
    outputs: OutputEquality,
    sets: SetSearch,
    {
      expected,
      found,
      outputText,
    }: { readonly expected: number; readonly found: Comparison; readonly outputText: (row: number) => string },
  ) {
    this.#outputText = outputText
    this.#outputs = outputs
    this.#sets = sets
    this.#found = found
    this.#byPrint = new PrintTable(expected)
    this.#agreeing = new Nearest(records)
    this.#differing = new Nearest(records)
  }

  /** Forgets the rows that were kept, as the sets must. */
  clear(): void {
    this.#byPrint.clear()
  }

  offer(number: number, row: ComparedRow): void {
    const dropped = this.#exact(number, row) ?? this.#near(number, row)
    if (dropped === undefined) this.#keep(number, row)
    else this.#found.dropped.push(dropped)
  }

  #exact(number: number, row: ComparedRow): DroppedRow | undefined {
    const { record, print } = row
    const place = this.#byPrint.find(record[print] as number, record[print + 1] as number, this.#places)
    if (place < 0) return undefined
    const agrees = this.#equal(place, row) || this.#similar(place, number)
    return { row: number, reason: agrees ? "exact-duplicate" : "conflict", witness: this.#rowAt(place), similarity: 1 }
  }

  /** Looks for the most similar row that agrees; where there is none, notes the most similar one that does not. */
  #near(number: number, row: ComparedRow): DroppedRow | undefined {
    const [agreeing, differing] = [this.#agreeing, this.#differing]
    agreeing.reset()
    differing.reset()
    const group = this.#groupOf(row)
    if (group === 0)
      this.#sets.visit(
        row,
        (place, similarity) => {
          const agrees = this.#equal(place, row) || this.#similar(place, number)
          if (agrees) agreeing.offer(this.#rowAt(place), similarity)
          else if (differing.offered < mostDiffering) differing.offer(this.#rowAt(place), similarity)
          return false
        },
        this.#outputs.bySimilarity
          ? {}
          : { isWanted: (place) => differing.offered < mostDiffering || this.#equal(place, row) },
      )
    else {
      const look = (nearest: Nearest, most: number) => (place: number, similarity: number) => {
        nearest.offer(this.#rowAt(place), similarity)
        return nearest.offered >= most
      }
      this.#sets.visit(row, look(agreeing, Infinity), { group, isWanted: (place) => this.#equal(place, row) })
      if (agreeing.row < 0)
        this.#sets.visit(row, look(differing, mostDiffering), { isWanted: (place) => !this.#equal(place, row) })
    }
    if (agreeing.row >= 0)
      return { row: number, reason: "near-duplicate", witness: agreeing.row, similarity: agreeing.similarity }
    if (differing.row >= 0)
      this.#found.conflicts.push({ a: differing.row, b: number, similarity: differing.similarity })
    return undefined
  }

  #keep(number: number, row: ComparedRow): void {
    const place = this.#sets.add(row)
    this.#note(place, number, row)
    this.#byPrint.add(row.record[row.print] as number, place)
    const group = this.#groupOf(row)
    if (group !== 0) this.#note(this.#sets.addAgain(place, row, group), number, row)
  }

  /**
   * Where every row may have another output, those with one output are looked for by themselves: in a bucket of near
   * rows they are few.
   */
  #groupOf({ record, output }: ComparedRow): number {
    return this.#outputs.areMany ? (record[output] as number) || 1 : 0
  }

  #note(place: number, number: number, { record, print, output }: ComparedRow): void {
    const at = numbersAPlace * place
    if (at + numbersAPlace > this.#places.length) {
      const longer = new Int32Array(2 * this.#places.length)
      longer.set(this.#places)
      this.#places = longer
    }
    const places = this.#places
    places[at] = number
    places[at + 1] = record[print] as number
    places[at + 2] = record[print + 1] as number
    places[at + 3] = record[output] as number
    places[at + 4] = record[output + 1] as number
  }

  #equal(place: number, { record, output }: ComparedRow): boolean {
    const at = numbersAPlace * place
    return this.#places[at + 3] === record[output] && this.#places[at + 4] === record[output + 1]
  }

  #similar(place: number, number: number): boolean {
    return this.#outputs.bySimilarity && this.#outputs.areSimilar(this.#rowAt(place), number, this.#outputText)
  }

  #rowAt(place: number): number {
    return this.#places[numbersAPlace * place] as number
  }
}

const numbersAPlace = 5

/**
 * From a fingerprint to the place that has it, in open addressing, at most half full; the fingerprints themselves are
 * in the places.
 */
class PrintTable {
  readonly #slots: Int32Array
  #count = 0

  constructor(expected: number) {
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * Math.max(64, expected) + 1)))
  }

  /** The place, or below zero. */
  find(low: number, high: number, places: Int32Array): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const place = (slots[slot] as number) - 1
      if (place < 0 || (places[numbersAPlace * place + 1] === low && places[numbersAPlace * place + 2] === high))
        return place
    }
  }

  clear(): void {
    if (this.#count > 0) this.#slots.fill(0)
    this.#count = 0
  }

  /** Adds a place whose fingerprint is not there yet. There may be as many as were expected. */
  add(low: number, place: number): void {
    if (2 * ++this.#count > this.#slots.length) throw new Error("more rows than expected")
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = low & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = place + 1
  }
}

/** The most similar row of those offered, of equals the one with the smaller id. */
class Nearest {
  /** Below zero for none. */
  row = -1
  similarity = 0
  offered = 0
  readonly #records: RowRecords

  constructor(records: RowRecords) {
    this.#records = records
  }

  reset(): void {
    this.row = -1
    this.similarity = 0
    this.offered = 0
  }

  offer(row: number, similarity: number): void {
    this.offered += 1
    if (this.row >= 0 && similarity < this.similarity) return
    if (this.row >= 0 && similarity === this.similarity && this.#records.compareIds(this.row, row) < 0) return
    this.row = row
    this.similarity = similarity
  }
}

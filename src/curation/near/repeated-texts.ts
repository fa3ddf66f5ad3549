import { KeptRows, PrintTable, type SketchedRow } from "./kept-rows.ts"

/**
 * The kept rows whose text a kept row had before them: they are in no set, and found by the place of that row and their
 * output at once. Memory: 8 to 16 bytes a text, 28 to 36 a row more with it.
 */
export class RepeatedTexts {
  readonly #firsts: PrintTable
  readonly #rows = new KeptRows()
  readonly #byOutput = new PrintTable(this.#rows, "text and output")
  readonly #first: KeptRows
  readonly #asked = new Int32Array(4)
  #count = 0

  /** `kept` are the rows that are in sets. */
  constructor(kept: KeptRows) {
    this.#first = kept
    this.#firsts = new PrintTable(kept, "text")
  }

  get bytes(): number {
    return this.#firsts.bytes + this.#rows.bytes + this.#byOutput.bytes
  }

  clear(): void {
    this.#firsts.clear()
    this.#byOutput.clear()
    this.#count = 0
  }

  /** The row at the place is the first with its text. */
  addFirst(place: number, row: SketchedRow): void {
    this.#firsts.add(place, row)
  }

  /** Keeps the row, unless it is the first with its text: then false. Its output is another than those kept with it. */
  add(row: SketchedRow, number: number): boolean {
    if (this.#firsts.find(row.numbers, row.prints) < 0) return false
    this.#rows.note(this.#count, row, number)
    this.#byOutput.add(this.#count++, row)
    return true
  }

  /** The number of a row with the text of the first one at the place and the output of that row, or below zero. */
  find(place: number, { numbers, prints }: SketchedRow): number {
    if (this.#count === 0) return -1
    const [texts, at] = this.#first.printsAt(place)
    const asked = this.#asked
    for (let index = 0; index < 2; index += 1) {
      asked[index] = texts[at + index] as number
      asked[2 + index] = numbers[prints + 2 + index] as number
    }
    const found = this.#byOutput.find(asked, 0)
    return found < 0 ? -1 : this.#rows.numberAt(found)
  }
}

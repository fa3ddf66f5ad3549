import { join } from "node:path"
import { SpillFile } from "./spill-file.ts"

/**
 * Texts by their numbers, in the order in which they are added, in a temporary file beside the path. Memory: 8 bytes a
 * text.
 */
export class SpilledTexts {
  readonly count: number
  added = 0
  readonly #spill: SpillFile
  /** Where each text begins, and where the last one ends. */
  readonly #places: Float64Array
  #buffer = Buffer.allocUnsafe(readAhead)
  #from = 0
  #until = 0

  /** Some in a folder, by what they are for. */
  static in(folder: string, name: string, count: number): SpilledTexts {
    return new SpilledTexts(join(folder, name), count)
  }

  /** There is room for so many texts. */
  constructor(path: string, count: number) {
    this.count = count
    this.#spill = new SpillFile(path)
    this.#places = new Float64Array(count + 1)
  }

  /** Texts are well-formed. */
  add(text: string): void {
    if (this.added === this.count) throw new Error(`more than ${this.count} texts`)
    this.#spill.add(text)
    this.#places[++this.added] = this.#spill.size
  }

  text(number: number): string {
    const from = this.#places[number] as number
    const until = this.#places[number + 1] as number
    if (from < this.#from || until > this.#until) {
      // Where one text is asked for after the other, many are read at once.
      const isNext = from >= this.#from && from <= this.#until
      this.#read(from, isNext ? Math.min(this.#spill.size, Math.max(until, from + readAhead)) : until)
    }
    return this.#buffer.toString("utf8", from - this.#from, until - this.#from)
  }

  /** Nothing is left of it. */
  close(): void {
    this.#spill.close()
  }

  #read(from: number, until: number): void {
    if (until - from > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(until - from)
    this.#spill.read(from, this.#buffer.subarray(0, until - from))
    this.#from = from
    this.#until = until
  }
}

const readAhead = 1 << 18

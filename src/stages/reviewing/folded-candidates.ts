import { IdTable } from "../../core/id-table.ts"
import type { FoldedRows } from "../../store/rows/folded-rows.ts"

/** Candidates by number, each once: of several rows with one id the first counts. */
export class FoldedCandidates {
  /** How many rows there are. */
  readonly rows: number
  readonly #files: FoldedRows["candidates"]
  readonly #ids = new IdTable()
  readonly #fileOf: Int32Array
  readonly #rowOf: Int32Array
  readonly #lastPlaces: Int32Array

  constructor(files: FoldedRows["candidates"]) {
    this.#files = files
    this.rows = files.reduce((sum, { columns }) => sum + columns.count, 0)
    this.#fileOf = new Int32Array(this.rows)
    this.#rowOf = new Int32Array(this.rows)
    this.#lastPlaces = new Int32Array(this.rows)
    let place = 0
    for (const [file, { columns }] of files.entries())
      for (let row = 0; row < columns.count; row += 1, place += 1) {
        const [high, low] = [columns.at("high", row), columns.at("low", row)]
        const number = this.#ids.size
        if (this.#ids.add(high, low)) {
          this.#fileOf[number] = file
          this.#rowOf[number] = row
          this.#lastPlaces[number] = place
        } else this.#lastPlaces[this.#ids.find(high, low)] = place
      }
  }

  get size(): number {
    return this.#ids.size
  }

  /** Below zero for none. */
  find(high: number, low: number): number {
    return this.#ids.find(high, low)
  }

  /** The number of the candidate with the id. */
  numberOf(id: string): number | undefined {
    const [, high, low] = /^cand_([0-9a-f]{8})([0-9a-f]{8})$/.exec(id) ?? []
    if (high === undefined || low === undefined) return undefined
    const number = this.find(Number.parseInt(high, 16) | 0, Number.parseInt(low, 16) | 0)
    return number < 0 ? undefined : number
  }

  digits(number: number): string {
    return this.#ids.digits(number)
  }

  at(number: number) {
    const file = this.#files[this.#fileOf[number] as number] as FoldedRows["candidates"][number]
    return { file, columns: file.columns, row: this.#rowOf[number] as number }
  }

  /** The place of the last row with its id among all rows. */
  lastPlace(number: number): number {
    return this.#lastPlaces[number] as number
  }
}

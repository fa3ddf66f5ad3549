import { splits, type Split } from "../../core/rows/example.ts"
import { bitsOf, IdTable } from "../../core/id-table.ts"
import { SpillFile } from "../../store/files/spill-file.ts"
import type { Row } from "./imported-row.ts"

/** Where a row of an import stands, what it says, and its split where it or its file says one. */
export interface ArrivedRow {
  readonly id: string
  /** The first 64 bits of the digest of what makes a row with a known id a correction, in hex. */
  readonly content: string
  /** The number of its file. */
  readonly file: number
  readonly line: number
  readonly split: Split | undefined
}

/**
 * The rows of an import, all seeds or all inputs, each id once, numbered from zero in the order in which they were met.
 * What they say lies as lines of JSON in a temporary file in the folder. Memory a row: about 60 bytes.
 */
export class ImportedRows {
  /** How many rows there were that can be imported, those that came again included. */
  given = 0
  /** Whether a row has columns beside its input. */
  haveColumns = false
  readonly #ids = new IdTable()
  readonly #spill: SpillFile
  #numbers = new Int32Array(numbersARow * 1024)
  /** Where the line of each row begins. */
  #places = new Float64Array(1024)
  readonly #strata: string[] = []
  readonly #strataNumbers = new Map<string, number>()

  /** In the workspace's folder: the task may have none yet. */
  constructor(folder: string) {
    this.#spill = SpillFile.in(folder, "import")
  }

  get size(): number {
    return this.#ids.size
  }

  /** The number of the row with the id, or below zero. */
  find(id: string): number {
    return this.#ids.find(...bitsOf(id))
  }

  /** The digits of the row's id. */
  digits(row: number): string {
    return this.#ids.digits(row)
  }

  /** Where the row was first met. */
  firstAt(row: number): Pick<ArrivedRow, "file" | "line" | "split"> {
    return { file: this.#get(row, fileOf), line: this.#get(row, lineOf), split: splits[this.#get(row, firstSplit) - 1] }
  }

  /** Whether the row with the number says so. */
  says(row: number, content: string): boolean {
    const [high, low] = bitsOf(content)
    return this.#get(row, contentHigh) === high && this.#get(row, contentLow) === low
  }

  /** Notes a row whose id was not there before; its number. */
  note({ id, content, file, line, split }: ArrivedRow): number {
    const row = this.#ids.size
    this.#ids.add(...bitsOf(id))
    if (numbersARow * (row + 1) > this.#numbers.length) {
      const [numbers, places] = [new Int32Array(2 * this.#numbers.length), new Float64Array(2 * this.#places.length)]
      numbers.set(this.#numbers)
      places.set(this.#places)
      this.#numbers = numbers
      this.#places = places
    }
    const [high, low] = bitsOf(content)
    this.#numbers.set(
      [file, line, high, low, split === undefined ? 0 : splits.indexOf(split) + 1, 0, 0, 0],
      numbersARow * row,
    )
    return row
  }

  /** The row with the number may be imported, and says this. */
  put(row: number, json: string): void {
    const place = this.#spill.size
    this.#places[row] = place
    this.#spill.add(json)
    this.#spill.add("\n")
    this.#set(row, lineBytes, this.#spill.size - place)
  }

  /** The row, which may have come again, says a split; of several the most held-out one counts. */
  say(row: number, split: Split, stratum: string): void {
    const said = splits.indexOf(split) + 1
    if (said <= this.#get(row, saidSplit)) return
    const number = this.#strataNumbers.get(stratum) ?? this.#strata.push(stratum) - 1
    this.#strataNumbers.set(stratum, number)
    this.#set(row, saidSplit, said)
    this.#set(row, stratumOfRow, number)
  }

  /** The split that the row said, and the group that it is counted with. */
  said(row: number): { readonly split: Split; readonly stratum: string } | undefined {
    const split = splits[this.#get(row, saidSplit) - 1]
    return split === undefined ? undefined : { split, stratum: this.#strata[this.#get(row, stratumOfRow)] as string }
  }

  /** Whether the row may be imported. */
  isIn(row: number): boolean {
    return this.#get(row, lineBytes) > 0
  }

  /** The row is not imported after all. */
  takeOut(row: number): void {
    this.#set(row, lineBytes, 0)
  }

  row(row: number): Row {
    const line = Buffer.allocUnsafe(this.#get(row, lineBytes))
    this.#spill.read(this.#places[row] as number, line)
    return JSON.parse(line.toString("utf8")) as Row
  }

  /** The lines of the rows that are wanted, in their order, many a piece, which the next one overwrites. */
  *lines(isWanted: (row: number) => boolean): Generator<Buffer> {
    const buffer = Buffer.allocUnsafe(pieceBytes)
    let [from, until] = [0, 0]
    for (let row = 0; row <= this.size; row += 1) {
      const isEnd = row === this.size
      if (!isEnd && !(this.isIn(row) && isWanted(row))) continue
      if (!isEnd && this.#places[row] === until) {
        until += this.#get(row, lineBytes)
        continue
      }
      for (let at = from; at < until; at += buffer.length) {
        const piece = buffer.subarray(0, Math.min(buffer.length, until - at))
        this.#spill.read(at, piece)
        yield piece
      }
      if (isEnd) return
      from = this.#places[row] as number
      until = from + this.#get(row, lineBytes)
    }
  }

  /** Nothing is left of it. */
  close(): void {
    this.#spill.close()
  }

  #get(row: number, what: number): number {
    return this.#numbers[numbersARow * row + what] as number
  }

  #set(row: number, what: number, number: number): void {
    this.#numbers[numbersARow * row + what] = number
  }
}

// A row's numbers.
const [fileOf, lineOf, contentHigh, contentLow, firstSplit, saidSplit, stratumOfRow, lineBytes] = [
  0, 1, 2, 3, 4, 5, 6, 7,
] as const
const numbersARow = 8
const pieceBytes = 1 << 18

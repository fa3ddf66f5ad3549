import { digitsOf } from "../../core/id-table.ts"
import { compareText } from "./ranking.ts"
import { header, headerNumbers, partOf, record, worth, type RowBatch } from "./row-batch.ts"
import { sortByKey } from "../text/sort-by-key.ts"

/** Where the numbers of a row are. */
export interface RowPlace {
  readonly numbers: Int32Array
  readonly start: number
  readonly end: number
}

/** The records as another thread is given them: nothing is copied. */
export interface SharedRecords {
  readonly batches: readonly Int32Array<SharedArrayBuffer>[]
  readonly headers: Int32Array<SharedArrayBuffer>
  readonly oddIds: ReadonlyMap<number, string>
}

/**
 * Records that have no room where the old ones of their rows are: of each row where it begins in the numbers, and where
 * the last one ends.
 */
export interface MovedRecords {
  readonly rows: readonly number[]
  readonly starts: readonly number[]
  readonly numbers: Int32Array<SharedArrayBuffer>
}

/**
 * What is known of rows beside their lines, batch by batch. A row is known by its number, in the order of the
 * additions.
 */
export class RowRecords {
  /** The records, by batches. */
  readonly #batches: Int32Array<SharedArrayBuffer>[] = []
  #headers = new Int32Array(new SharedArrayBuffer(4 * headerNumbers * 1024))
  /** The ids that no header holds. */
  readonly #oddIds = new Map<number, string>()
  size = 0

  /** The same records in another thread; nothing is added there. */
  static from({ batches, headers, oddIds }: SharedRecords): RowRecords {
    const records = new RowRecords()
    records.#batches.push(...batches)
    records.#headers = headers
    for (const [row, id] of oddIds) records.#oddIds.set(row, id)
    return records
  }

  /** Nothing may be added any more, or it is not known there. */
  share(): SharedRecords {
    return { batches: this.#batches, headers: this.#headers, oddIds: this.#oddIds }
  }

  /** Adds the rows of a batch; returns the number of the first. */
  add({ rows, headers, numbers, oddIds }: RowBatch): number {
    const first = this.size
    const end = headerNumbers * (first + rows)
    if (end > this.#headers.length) {
      const longer = new Int32Array(new SharedArrayBuffer(4 * Math.max(end, 2 * this.#headers.length)))
      longer.set(this.#headers)
      this.#headers = longer
    }
    this.#headers.set(headers, headerNumbers * first)
    for (let at = headerNumbers * first + header.batch; at < end; at += headerNumbers)
      this.#headers[at] = this.#batches.length
    for (const { row, id } of oddIds) this.#oddIds.set(first + row, id)
    this.#batches.push(numbers)
    this.size += rows
    return first
  }

  /** The row's record ends before it did. */
  shorten(row: number, end: number): void {
    this.#headers[headerNumbers * row + header.end] = end
  }

  /** The records of the rows are in these numbers from now on. */
  move({ rows, starts, numbers }: MovedRecords): void {
    for (const [index, row] of rows.entries()) {
      const at = headerNumbers * row
      this.#headers[at + header.batch] = this.#batches.length
      this.#headers[at + header.start] = starts[index] as number
      this.#headers[at + header.end] = starts[index + 1] as number
    }
    this.#batches.push(numbers)
  }

  /** Where the row's record is; its numbers stay as they are. */
  place(row: number): RowPlace {
    const at = headerNumbers * row
    const numbers = this.#batches[this.#headers[at + header.batch] as number] as Int32Array
    return { numbers, start: this.#headers[at + header.start] as number, end: this.#headers[at + header.end] as number }
  }

  /** Where the row's line is in the spill. */
  line(row: number): { readonly place: number; readonly bytes: number } {
    const at = headerNumbers * row
    const low = (this.#headers[at + header.linePlace] as number) >>> 0
    return {
      place: low + (this.#headers[at + header.linePlace + 1] as number) * 2 ** 32,
      bytes: this.#headers[at + header.lineBytes] as number,
    }
  }

  /** The part of the spill that has the row's line. */
  part(row: number): number {
    return partOf(this.#headers[headerNumbers * row + header.idHigh] as number, this.oddId(row))
  }

  id(row: number): string {
    const odd = this.oddId(row)
    if (odd !== undefined) return odd
    const at = headerNumbers * row
    return `ex_${digitsOf(this.#headers[at + header.idHigh] as number, this.#headers[at + header.idLow] as number)}`
  }

  /** The row's id where it is not `ex_` and 16 hex digits. */
  oddId(row: number): string | undefined {
    return this.#oddIds.size === 0 ? undefined : this.#oddIds.get(row)
  }

  compareIds(a: number, b: number): number {
    if (this.#oddIds.size > 0) return compareText(this.id(a), this.id(b))
    const [headers, i, j] = [this.#headers, headerNumbers * a, headerNumbers * b]
    return (
      compareNumbers(headers[i + header.idHigh] as number, headers[j + header.idHigh] as number) ||
      compareNumbers(headers[i + header.idLow] as number, headers[j + header.idLow] as number)
    )
  }

  /** Sorts the rows by id, in place. */
  byId(rows: Uint32Array): Uint32Array {
    if (this.#oddIds.size > 0) return rows.sort((a, b) => this.compareIds(a, b))
    const least = (row: number) => (this.#headers[headerNumbers * row + header.idHigh] as number) >>> 4
    return sortByKey(rows, 28, least, (a, b) => this.compareIds(a, b))
  }

  /**
   * Sorts the rows from the one most worth keeping to the least, in place: by people before grown, reviewed before not,
   * longer input text before shorter, then by the fingerprints of the folded text and of the output, and by id. A total
   * order on what rows say, so that any permutation of them gives the same.
   */
  byWorth(rows: Uint32Array): Uint32Array {
    // As many bits of the fingerprint as there is room for.
    const printBits = Math.max(1, Math.min(12, 32 - Math.ceil(Math.log2(rows.length + 1))))
    const least = (row: number) => {
      const { numbers, start } = this.place(row)
      const rank = worth - ((numbers[start + record.flags] as number) & worth)
      const shortness = longestText - (numbers[start + record.textLength] as number)
      // Of longer texts the key tells no more than that.
      if (shortness <= 0) return rank * (longestText + 1) * 2 ** printBits
      return (
        (rank * (longestText + 1) + shortness) * 2 ** printBits +
        ((numbers[start + record.print] as number) >>> (32 - printBits))
      )
    }
    return sortByKey(rows, 20 + printBits, least, (a, b) => this.compareWorth(a, b))
  }

  /** Below zero where the first is worth more. */
  compareWorth(a: number, b: number): number {
    const [{ numbers: first, start: i }, { numbers: second, start: j }] = [this.place(a), this.place(b)]
    const better = ((second[j + record.flags] as number) & worth) - ((first[i + record.flags] as number) & worth)
    if (better !== 0) return better
    const longer = (second[j + record.textLength] as number) - (first[i + record.textLength] as number)
    if (longer !== 0) return longer
    for (let index = record.print; index < record.output + 2; index += 1) {
      const [left, right] = [first[i + index] as number, second[j + index] as number]
      if (left !== right) return compareNumbers(left, right)
    }
    return this.compareIds(a, b)
  }
}

const longestText = 2 ** 18 - 1

/** As numbers without a sign. */
function compareNumbers(a: number, b: number): number {
  return (a >>> 0) - (b >>> 0)
}

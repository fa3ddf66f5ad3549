import { compareText } from "./ranking.ts"
import { record, worth, type RowBatch } from "./row-batch.ts"
import { sortByKey } from "./sort-by-key.ts"

/** Where the numbers of a row are. */
export interface RowPlace {
  readonly numbers: Int32Array
  readonly start: number
  readonly end: number
}

/** The records as another thread is given them: nothing is copied. */
export interface SharedRecords {
  readonly batches: readonly Pick<RowBatch, "numbers" | "starts">[]
  readonly rows: Int32Array<SharedArrayBuffer>
  readonly oddIds: ReadonlyMap<number, string>
}

/** The records of rows, batch by batch. A row is known by its number, in the order of the additions. */
export class RowRecords {
  readonly #batches: Pick<RowBatch, "numbers" | "starts">[] = []
  /** For each row its batch and its number there. */
  #rows = new Int32Array(new SharedArrayBuffer(4 * 2 * 1024))
  /** The ids that no record holds. */
  readonly #oddIds = new Map<number, string>()
  size = 0

  /** The same records in another thread; nothing is added there. */
  static from({ batches, rows, oddIds }: SharedRecords): RowRecords {
    const records = new RowRecords()
    records.#batches.push(...batches)
    records.#rows = rows
    for (const [row, id] of oddIds) records.#oddIds.set(row, id)
    return records
  }

  /** Nothing may be added any more. */
  share(): SharedRecords {
    return { batches: this.#batches, rows: this.#rows, oddIds: this.#oddIds }
  }

  /** Adds the rows of a batch; returns the number of the first. */
  add({ rows, numbers, starts, oddIds }: RowBatch): number {
    const first = this.size
    if (2 * (first + rows) > this.#rows.length) {
      const longer = new Int32Array(new SharedArrayBuffer(4 * Math.max(2 * (first + rows), 2 * this.#rows.length)))
      longer.set(this.#rows)
      this.#rows = longer
    }
    for (let row = 0; row < rows; row += 1) {
      this.#rows[2 * (first + row)] = this.#batches.length
      this.#rows[2 * (first + row) + 1] = row
    }
    for (const { row, id } of oddIds) this.#oddIds.set(first + row, id)
    this.#batches.push({ numbers, starts })
    this.size += rows
    return first
  }

  /** Where the row's record is; its numbers stay as they are. */
  place(row: number): RowPlace {
    const { numbers, starts } = this.#batches[this.#rows[2 * row] as number] as Pick<RowBatch, "numbers" | "starts">
    const index = this.#rows[2 * row + 1] as number
    return { numbers, start: starts[index] as number, end: starts[index + 1] as number }
  }

  id(row: number): string {
    const odd = this.oddId(row)
    if (odd !== undefined) return odd
    const { numbers, start } = this.place(row)
    return `ex_${hexOf(numbers[start + record.idHigh] as number)}${hexOf(numbers[start + record.idLow] as number)}`
  }

  /** The row's id where it is not `ex_` and 16 hex digits. */
  oddId(row: number): string | undefined {
    return this.#oddIds.size === 0 ? undefined : this.#oddIds.get(row)
  }

  compareIds(a: number, b: number): number {
    if (this.#oddIds.size > 0) return compareText(this.id(a), this.id(b))
    const [{ numbers: first, start: i }, { numbers: second, start: j }] = [this.place(a), this.place(b)]
    return (
      compareNumbers(first[i + record.idHigh] as number, second[j + record.idHigh] as number) ||
      compareNumbers(first[i + record.idLow] as number, second[j + record.idLow] as number)
    )
  }

  /** Sorts the rows by id, in place. */
  byId(rows: Uint32Array): Uint32Array {
    if (this.#oddIds.size > 0) return rows.sort((a, b) => this.compareIds(a, b))
    const least = (row: number) => {
      const { numbers, start } = this.place(row)
      return (numbers[start + record.idHigh] as number) >>> 4
    }
    return sortByKey(rows, 28, least, (a, b) => this.compareIds(a, b))
  }

  /** Sorts the rows from the one most worth keeping to the least, in place: by people before grown, reviewed before not, longer input text before shorter, then
   * by the fingerprints of the folded text and of the output, and by id. A total order on what rows say, so that any permutation of them gives the same. */
  byWorth(rows: Uint32Array): Uint32Array {
    // As many bits of the fingerprint as there is room for.
    const printBits = Math.max(1, Math.min(12, 32 - Math.ceil(Math.log2(rows.length + 1))))
    const least = (row: number) => {
      const { numbers, start } = this.place(row)
      const rank = worth - ((numbers[start + record.flags] as number) & worth)
      const shortness = longestText - (numbers[start + record.textLength] as number)
      // Of longer texts the key tells no more than that.
      if (shortness <= 0) return rank * (longestText + 1) * 2 ** printBits
      return (rank * (longestText + 1) + shortness) * 2 ** printBits + ((numbers[start + record.print] as number) >>> (32 - printBits))
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

function hexOf(number: number): string {
  return (number >>> 0).toString(16).padStart(8, "0")
}

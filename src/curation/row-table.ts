import { canonicalJson } from "../core/canonical.ts"
import type { DropReason, Example, Output } from "../core/example.ts"
import type { Spill } from "../core/spill.ts"
import { compareText } from "./ranking.ts"
import { record, worth, type RowBatch, type Why } from "./row-batch.ts"
import { sortByKey } from "./sort-by-key.ts"

/** The parts of the spill in which the lines of rows lie: by the first two digits of their ids, so that rows can be written in the order of their ids without
 * reading one at a time. */
export const lineParts = 256

/** Where the numbers of a row are. */
export interface RowPlace {
  readonly numbers: Int32Array
  readonly start: number
  readonly end: number
}

/** The rows of a build and what came of each: kept, or dropped for a reason. Their lines lie in the spill; memory has their records and 16 bytes a row.
 * A row is known by its number, in the order of the additions. */
export class RowTable {
  readonly #spill: Spill
  readonly #batches: RowBatch[] = []
  /** For each row its batch, its number there, and the place of its line in two numbers. */
  #rows = new Int32Array(rowNumbers << 10)
  #size = 0
  readonly #oddIds = new Map<number, string>()
  readonly #dropped = new Map<number, Why>()
  #kept: Uint32Array | undefined

  constructor(spill: Spill) {
    this.#spill = spill
  }

  get size(): number {
    return this.#size
  }

  /** Adds the rows of a batch; returns the number of the first. */
  add(batch: RowBatch): number {
    const first = this.#size
    const { rows, numbers, starts, lines } = batch
    if (rowNumbers * (first + rows) > this.#rows.length) {
      const longer = new Int32Array(Math.max(rowNumbers * (first + rows), 2 * this.#rows.length))
      longer.set(this.#rows)
      this.#rows = longer
    }
    for (const { row, id } of batch.oddIds) this.#oddIds.set(first + row, id)
    for (let row = 0; row < rows; row += 1) {
      const at = starts[row] as number
      const start = numbers[at + record.lineAt] as number
      const part = this.#oddIds.size > 0 ? partOf(this.#oddIds.get(first + row)) : -1
      const place = this.#spill.add(
        part < 0 ? (numbers[at + record.idHigh] as number) >>> 24 : part,
        lines.subarray(start, start + (numbers[at + record.lineBytes] as number)),
      )
      const target = rowNumbers * (first + row)
      this.#rows[target] = this.#batches.length
      this.#rows[target + 1] = row
      this.#rows[target + 2] = place % 2 ** 31
      this.#rows[target + 3] = Math.floor(place / 2 ** 31)
    }
    this.#batches.push({ ...batch, lines: nothing })
    this.#size += rows
    for (const { row, why } of batch.dropped) this.#dropped.set(first + row, why)
    this.#kept = undefined
    return first
  }

  id(row: number): string {
    const odd = this.#oddIds.size === 0 ? undefined : this.#oddIds.get(row)
    if (odd !== undefined) return odd
    const { numbers, start } = this.place(row)
    return `ex_${hexOf(numbers[start + record.idHigh] as number)}${hexOf(numbers[start + record.idLow] as number)}`
  }

  drop(row: number, why: Why): void {
    this.#dropped.set(row, why)
    this.#kept = undefined
  }

  isKept(row: number): boolean {
    return !this.#dropped.has(row)
  }

  /** Where the row's record is; its numbers stay as they are. */
  place(row: number): RowPlace {
    const batch = this.#batches[this.#rows[rowNumbers * row] as number] as RowBatch
    const index = this.#rows[rowNumbers * row + 1] as number
    return { numbers: batch.numbers, start: batch.starts[index] as number, end: batch.starts[index + 1] as number }
  }

  example(row: number): Example {
    return JSON.parse(this.#text(row)) as Example
  }

  /** The rows from the one most worth keeping to the least: by people before grown, reviewed before not, longer input text before shorter, then by the
   * fingerprint of the folded text, by content, and by id. A total order on content, so that any permutation of the rows gives the same. */
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
    const contents = new Map<number, string>()
    const contentOf = (row: number) => {
      const known = contents.get(row)
      if (known !== undefined) return known
      const { input, output } = this.example(row)
      if (contents.size >= mostContents) contents.clear()
      const content = canonicalJson({ input, output })
      contents.set(row, content)
      return content
    }
    return sortByKey(rows, 20 + printBits, least, (a, b) => {
      const [{ numbers: first, start: i }, { numbers: second, start: j }] = [this.place(a), this.place(b)]
      const better = ((second[j + record.flags] as number) & worth) - ((first[i + record.flags] as number) & worth)
      if (better !== 0) return better
      const longer = (second[j + record.textLength] as number) - (first[i + record.textLength] as number)
      if (longer !== 0) return longer
      for (let index = record.print; index < record.print + 2; index += 1) {
        const [left, right] = [first[i + index] as number, second[j + index] as number]
        if (left !== right) return left >>> 0 < right >>> 0 ? -1 : 1
      }
      return compareText(contentOf(a), contentOf(b)) || this.#compareIds(a, b)
    })
  }

  /** The rows that are kept, by id. */
  kept(): Uint32Array {
    if (this.#kept === undefined) {
      const rows = new Uint32Array(this.#size - this.#dropped.size)
      let count = 0
      for (let row = 0; row < this.#size; row += 1) if (this.isKept(row)) rows[count++] = row
      this.#kept = this.#byId(rows)
    }
    return this.#kept
  }

  /** The rows that are dropped, by reason and id. */
  dropped(): Uint32Array {
    const groups = Map.groupBy(this.#dropped.keys(), (row) => (this.#dropped.get(row) as Why).reason)
    const sorted = [...groups].sort(([a], [b]) => compareText(a, b)).map(([, rows]) => this.#byId(Uint32Array.from(rows)))
    const all = new Uint32Array(this.#dropped.size)
    let at = 0
    for (const rows of sorted) {
      all.set(rows, at)
      at += rows.length
    }
    return all
  }

  /** The outputs of the kept rows, by id. */
  *keptOutputs(): Generator<Output> {
    for (const row of this.kept()) yield this.example(row).output
  }

  /** How many rows were dropped for each reason. */
  reasons(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { reason } of this.#dropped.values()) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    return counts
  }

  /** The rows that were dropped for the reason, each with its witness, by id. */
  droppedPairs(reason: DropReason): { a: string; b: string; similarity: number }[] {
    const pairs = [...this.#dropped].flatMap(([row, why]) =>
      why.reason === reason && why.witness !== undefined ? [{ a: why.witness, b: this.id(row), similarity: why.similarity ?? 1 }] : [],
    )
    return pairs.sort((first, second) => compareText(first.b, second.b))
  }

  /** The lines of the kept rows, by id, with their ends; many at once. */
  *keptLines(): Generator<Uint8Array> {
    const kept = this.kept()
    for (let from = 0; from < kept.length; ) {
      const part = this.#partOf(kept[from] as number)
      const bytesAt = this.#spill.readPart(part)
      let until = from
      let bytes = 0
      for (; until < kept.length && this.#partOf(kept[until] as number) === part; until += 1) bytes += this.#lineBytes(kept[until] as number)
      const lines = new Uint8Array(bytes)
      for (let at = 0; from < until; from += 1) {
        const row = kept[from] as number
        const length = this.#lineBytes(row)
        lines.set(bytesAt(this.#linePlace(row), length), at)
        at += length
      }
      yield lines
    }
  }

  /** The lines of the dropped rows, by reason and id, each with why. */
  *droppedLines(): Generator<string> {
    for (const row of this.dropped()) {
      const why = JSON.stringify(orderedWhy(this.#dropped.get(row) as Why))
      yield `${this.#text(row).slice(0, -2)},${why.slice(1)}\n`
    }
  }

  #byId(rows: Uint32Array): Uint32Array {
    if (this.#oddIds.size > 0) return rows.sort((a, b) => this.#compareIds(a, b))
    const least = (row: number) => {
      const { numbers, start } = this.place(row)
      return (numbers[start + record.idHigh] as number) >>> 4
    }
    return sortByKey(rows, 28, least, (a, b) => this.#compareIds(a, b))
  }

  #compareIds(a: number, b: number): number {
    if (this.#oddIds.size > 0) return compareText(this.id(a), this.id(b))
    const [{ numbers: first, start: i }, { numbers: second, start: j }] = [this.place(a), this.place(b)]
    const high = ((first[i + record.idHigh] as number) >>> 0) - ((second[j + record.idHigh] as number) >>> 0)
    return high === 0 ? ((first[i + record.idLow] as number) >>> 0) - ((second[j + record.idLow] as number) >>> 0) : high
  }

  #partOf(row: number): number {
    const part = this.#oddIds.size > 0 ? partOf(this.#oddIds.get(row)) : -1
    if (part >= 0) return part
    const { numbers, start } = this.place(row)
    return (numbers[start + record.idHigh] as number) >>> 24
  }

  #lineBytes(row: number): number {
    const { numbers, start } = this.place(row)
    return numbers[start + record.lineBytes] as number
  }

  #linePlace(row: number): number {
    return (this.#rows[rowNumbers * row + 3] as number) * 2 ** 31 + (this.#rows[rowNumbers * row + 2] as number)
  }

  #text(row: number): string {
    const line = Buffer.allocUnsafe(this.#lineBytes(row))
    this.#spill.read(this.#linePlace(row), line)
    return line.toString("utf8")
  }
}

const rowNumbers = 4
const nothing = new Uint8Array()
const longestText = 2 ** 18 - 1
const mostContents = 10_000

/** For ids of another form: below all the usual ones, or above; -1 for a usual id. */
function partOf(oddId: string | undefined): number {
  if (oddId === undefined) return -1
  return oddId < "ex_" ? 0 : lineParts - 1
}

function hexOf(number: number): string {
  return (number >>> 0).toString(16).padStart(8, "0")
}

/** In the order in which they have always been written. */
function orderedWhy({ reason, witness, similarity, detail }: Why): Why {
  return {
    reason,
    ...(witness === undefined ? {} : { witness }),
    ...(similarity === undefined ? {} : { similarity }),
    ...(detail === undefined ? {} : { detail }),
  }
}

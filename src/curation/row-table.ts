import type { DropReason, Example, Output } from "../core/example.ts"
import type { Spill } from "../core/spill.ts"
import { compareText } from "./ranking.ts"
import { record, type RowBatch, type Why } from "./row-batch.ts"
import { RowRecords } from "./row-records.ts"

/** The parts of the spill in which the lines of rows lie: by the first two digits of their ids, so that rows can be written in the order of their ids without
 * reading one at a time. */
export const lineParts = 256

/** The rows of a build and what came of each: kept, or dropped for a reason. Their lines lie in the spill; memory has their records and 16 bytes a row. */
export class RowTable {
  readonly records = new RowRecords()
  readonly #spill: Spill
  /** The place of each row's line. */
  #lines = new Float64Array(1024)
  readonly #dropped = new Map<number, Why>()
  #kept: Uint32Array | undefined

  constructor(spill: Spill) {
    this.#spill = spill
  }

  get size(): number {
    return this.records.size
  }

  /** Adds the rows of a batch; returns the number of the first. */
  add(batch: RowBatch): number {
    const first = this.records.add(batch)
    const { rows, numbers, starts, lines, dropped } = batch
    if (first + rows > this.#lines.length) {
      const longer = new Float64Array(Math.max(first + rows, 2 * this.#lines.length))
      longer.set(this.#lines)
      this.#lines = longer
    }
    for (let row = 0; row < rows; row += 1) {
      const at = starts[row] as number
      const start = numbers[at + record.lineAt] as number
      const line = lines.subarray(start, start + (numbers[at + record.lineBytes] as number))
      this.#lines[first + row] = this.#spill.add(this.#partOf(first + row), line)
    }
    for (const { row, why } of dropped) this.#dropped.set(first + row, why)
    this.#kept = undefined
    return first
  }

  id(row: number): string {
    return this.records.id(row)
  }

  drop(row: number, why: Why): void {
    this.#dropped.set(row, why)
    this.#kept = undefined
  }

  isKept(row: number): boolean {
    return !this.#dropped.has(row)
  }

  example(row: number): Example {
    return JSON.parse(this.#text(row)) as Example
  }

  /** The rows that are kept, by id. */
  kept(): Uint32Array {
    if (this.#kept === undefined) {
      const rows = new Uint32Array(this.size - this.#dropped.size)
      let count = 0
      for (let row = 0; row < this.size; row += 1) if (this.isKept(row)) rows[count++] = row
      this.#kept = this.records.byId(rows)
    }
    return this.#kept
  }

  /** The rows that are dropped, by reason and id. */
  dropped(): Uint32Array {
    const groups = Map.groupBy(this.#dropped.keys(), (row) => (this.#dropped.get(row) as Why).reason)
    const sorted = [...groups].sort(([a], [b]) => compareText(a, b)).map(([, rows]) => this.records.byId(Uint32Array.from(rows)))
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
        lines.set(bytesAt(this.#lines[row] as number, length), at)
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

  /** Ids of another form are below all the usual ones, or in the last part. */
  #partOf(row: number): number {
    const odd = this.records.oddId(row)
    if (odd !== undefined) return odd < "ex_" ? 0 : lineParts - 1
    const { numbers, start } = this.records.place(row)
    return (numbers[start + record.idHigh] as number) >>> 24
  }

  #lineBytes(row: number): number {
    const { numbers, start } = this.records.place(row)
    return numbers[start + record.lineBytes] as number
  }

  #text(row: number): string {
    const line = Buffer.allocUnsafe(this.#lineBytes(row))
    this.#spill.read(this.#lines[row] as number, line)
    return line.toString("utf8")
  }
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

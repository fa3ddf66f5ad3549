import type { DropReason } from "../../core/rows/drop-reasons.ts"
import type { Example, Output } from "../../core/rows/example.ts"
import type { Spill } from "../../core/spill.ts"
import { compareText } from "./ranking.ts"
import type { RowBatch, Why } from "./row-batch.ts"
import { rowExample } from "./row-lines.ts"
import { RowRecords } from "./row-records.ts"

/**
 * The rows of a build and what came of each: kept, or dropped for a reason. Their lines lie in the spill; memory has
 * their headers and records.
 */
export class RowTable {
  readonly records = new RowRecords()
  readonly spill: Spill
  readonly #dropped = new Map<number, Why>()
  #kept: Uint32Array | undefined

  constructor(spill: Spill) {
    this.spill = spill
  }

  get size(): number {
    return this.records.size
  }

  /** Adds the rows of a batch; returns the number of the first. */
  add(batch: RowBatch): number {
    const first = this.records.add(batch)
    for (const { row, why } of batch.dropped) this.#dropped.set(first + row, why)
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
    return rowExample(this.records, this.spill, row)
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
    const sorted = [...groups]
      .sort(([a], [b]) => compareText(a, b))
      .map(([, rows]) => this.records.byId(Uint32Array.from(rows)))
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
      why.reason === reason && why.witness !== undefined
        ? [{ a: why.witness, b: this.id(row), similarity: why.similarity ?? 1 }]
        : [],
    )
    return pairs.sort((first, second) => compareText(first.b, second.b))
  }

  /** Why each of the rows was dropped. */
  whys(rows: Uint32Array): Why[] {
    return Array.from(rows, (row) => this.#dropped.get(row) as Why)
  }
}

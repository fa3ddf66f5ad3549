import type { DropReason, Example, Output } from "../core/example.ts"
import type { Spill } from "../core/spill.ts"
import { compareText } from "./ranking.ts"
import type { RowBatch, Why } from "./row-batch.ts"
import { RowRecords } from "./row-records.ts"

/** The rows of a build and what came of each: kept, or dropped for a reason. Their lines lie in the spill; memory has their heads and records. */
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

  /** The lines of the kept rows, by id, with their ends; many at once, which the next ones overwrite. */
  *keptLines(): Generator<Uint8Array> {
    const out = new LineBuffer()
    for (const bytes of this.#lines(this.kept())) {
      if (out.isFull) yield out.take()
      out.add(bytes)
    }
    yield out.take()
  }

  /** The lines of the dropped rows, by reason and id, each with why; many at once, which the next ones overwrite. */
  *droppedLines(): Generator<Uint8Array> {
    const rows = this.dropped()
    const out = new LineBuffer()
    let index = 0
    for (const bytes of this.#lines(rows)) {
      if (out.isFull) yield out.take()
      const why = JSON.stringify(orderedWhy(this.#dropped.get(rows[index++] as number) as Why))
      out.add(bytes.subarray(0, -2))
      out.addText(`,${why.slice(1)}\n`)
    }
    yield out.take()
  }

  /** The line of each row in turn; overwritten by the next. Rows of one part that follow each other are read together. */
  *#lines(rows: Uint32Array): Generator<Uint8Array> {
    let single = Buffer.alloc(1024)
    for (let from = 0; from < rows.length; ) {
      const part = this.records.part(rows[from] as number)
      let until = from
      let bytes = 0
      for (; until < rows.length && this.records.part(rows[until] as number) === part; until += 1)
        bytes += this.records.line(rows[until] as number).bytes
      const whole = mostTimesWanted * bytes > this.spill.partBytes(part) ? this.spill.readPart(part) : undefined
      for (; from < until; from += 1) {
        const { place, bytes: length } = this.records.line(rows[from] as number)
        if (whole === undefined) {
          if (length > single.length) single = Buffer.alloc(2 * length)
          this.spill.read(place, single.subarray(0, length))
        }
        yield whole?.(place, length) ?? single.subarray(0, length)
      }
    }
  }

  #text(row: number): string {
    const { place, bytes } = this.records.line(row)
    const line = Buffer.allocUnsafe(bytes)
    this.spill.read(place, line)
    return line.toString("utf8")
  }
}

// A part is read whole where that is no more than so many times what is wanted of it.
const mostTimesWanted = 8

/** Lines one after another, to be written together. */
class LineBuffer {
  #bytes = Buffer.allocUnsafe(2 * fullBytes)
  #used = 0

  get isFull(): boolean {
    return this.#used >= fullBytes
  }

  add(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#used)
    this.#used += bytes.length
  }

  addText(text: string): void {
    this.#reserve(3 * text.length)
    this.#used += this.#bytes.write(text, this.#used)
  }

  /** What was added since the last time; overwritten by what is added next. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#used)
    this.#used = 0
    return bytes
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.length) return
    const longer = Buffer.allocUnsafe(2 * (this.#used + bytes))
    this.#bytes.copy(longer, 0, 0, this.#used)
    this.#bytes = longer
  }
}

const fullBytes = 1 << 20

/** In the order in which they have always been written. */
function orderedWhy({ reason, witness, similarity, detail }: Why): Why {
  return {
    reason,
    ...(witness === undefined ? {} : { witness }),
    ...(similarity === undefined ? {} : { similarity }),
    ...(detail === undefined ? {} : { detail }),
  }
}

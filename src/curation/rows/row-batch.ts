import type { DroppedExample, Example } from "../../core/rows/example.ts"
import { bitsOf } from "../../core/id-table.ts"
import type { SpillWriter } from "../../core/spill.ts"
import type { OutputPrint } from "./output-equality.ts"
import type { Rank } from "./ranking.ts"
import { bitSketchNumbers } from "../near/bit-sketch.ts"
import type { Sketch } from "../near/similar-sets.ts"

/** Why a row is not kept. */
export type Why = Pick<DroppedExample, "reason" | "witness" | "similarity" | "detail">

/** Rows as they were taken in, made to be handed from one thread to another. Memory that threads share. */
export interface RowBatch {
  readonly rows: number
  /** Of each row its `header`. */
  readonly headers: Int32Array<SharedArrayBuffer>
  /** The records. */
  readonly numbers: Int32Array<SharedArrayBuffer>
  /** The rows that are dropped for what can be told of them alone. */
  readonly dropped: readonly { readonly row: number; readonly why: Why }[]
  /** The ids that a header cannot hold: all but `ex_` and 16 hex digits. */
  readonly oddIds: readonly { readonly row: number; readonly id: string }[]
}

/** What is known of a row beside its text: enough to put it in its order and to compare it. */
export interface RowFacts {
  readonly rank: Rank
  /** Of the input's text, in UTF-16 code units. */
  readonly textLength: number
  /** Of the input's folded text. */
  readonly print: OutputPrint
  readonly output: OutputPrint
  /** With so many keys; undefined where rows are sketched later. */
  readonly sketch: Sketch | undefined
}

/**
 * The parts of the spill in which the lines of rows lie: by the first two digits of their ids, so that rows can be
 * written in the order of their ids without reading one at a time.
 */
export const lineParts = 256

/** Ids of another form than the usual are below all of these, or in the last part. */
export function partOf(idHigh: number, oddId: string | undefined): number {
  if (oddId === undefined) return idHigh >>> 24
  return oddId < "ex_" ? 0 : lineParts - 1
}

// A header: the id's digits, where the row's line is (the lower and the upper half of its place), and its record. Heads
// lie close together: what is done in the order of ids reads nothing else.
export const header = { idHigh: 0, idLow: 1, lineBytes: 2, linePlace: 3, batch: 5, start: 6, end: 7 } as const
export const headerNumbers = 8

// A record: what a row is put in its order and compared by; nothing for a dropped row.
export const record = { flags: 0, textLength: 1, print: 2, output: 4, bitSketch: 6 } as const
/** Where the keys of a record begin, and after them the hashes. */
export const recordKeys = record.bitSketch + bitSketchNumbers
const [isReviewed, isHuman] = [1, 2] as const
export const worth = isHuman | isReviewed

/**
 * Collects rows until they are taken as a batch; `bands` is how many keys a sketch has. Their lines are in the spill at
 * once, with their ends.
 */
export class RowBatchWriter {
  readonly #bands: number
  readonly #spill: SpillWriter
  #headers = new Int32Array(1 << 10)
  #numbers = new Int32Array(1 << 16)
  #used = 0
  #rows = 0
  #provenance: Example["provenance"] | undefined
  #provenanceJson = ""
  #dropped: { row: number; why: Why }[] = []
  #oddIds: { row: number; id: string }[] = []

  constructor(bands: number, spill: SpillWriter) {
    this.#bands = bands
    this.#spill = spill
  }

  get rows(): number {
    return this.#rows
  }
  /** How large the batch has become. */
  get bytes(): number {
    return 4 * this.#used
  }

  /** Adds a row that is not dropped yet; its number in the batch. The JSON of its input need not be made again. */
  add(example: Example, { rank, textLength, print, output, sketch }: RowFacts, inputJson: string): number {
    const bands = this.#bands
    const at = this.#begin(example, inputJson, recordKeys + (sketch === undefined ? 0 : bands + sketch.size))
    const numbers = this.#numbers
    numbers[at + record.flags] = Number(rank.human) * isHuman + Number(rank.reviewed) * isReviewed
    numbers[at + record.textLength] = textLength
    numbers[at + record.print] = print[0]
    numbers[at + record.print + 1] = print[1]
    numbers[at + record.output] = output[0]
    numbers[at + record.output + 1] = output[1]
    if (sketch !== undefined) {
      const { numbers: from, bitSketch, keys, hashes, size } = sketch
      for (let index = 0; index < bitSketchNumbers; index += 1)
        numbers[at + record.bitSketch + index] = from[bitSketch + index] as number
      for (let index = 0; index < bands; index += 1) numbers[at + recordKeys + index] = from[keys + index] as number
      const target = at + recordKeys + bands
      for (let index = 0; index < size; index += 1) numbers[target + index] = from[hashes + index] as number
    }
    return this.#rows - 1
  }

  addDropped(example: Example, why: Why, inputJson = JSON.stringify(example.input)): void {
    this.#begin(example, inputJson, 0)
    this.#dropped.push({ row: this.#rows - 1, why })
  }

  /** The rows since the last batch. */
  take(): RowBatch {
    const batch = {
      rows: this.#rows,
      headers: shared(this.#headers, headerNumbers * this.#rows),
      numbers: shared(this.#numbers, this.#used),
      dropped: this.#dropped,
      oddIds: this.#oddIds,
    }
    this.#used = 0
    this.#rows = 0
    this.#dropped = []
    this.#oddIds = []
    return batch
  }

  #begin({ id, output, provenance }: Example, inputJson: string, length: number): number {
    const isUsual = usualId.test(id)
    const [idHigh, idLow] = isUsual ? bitsOf(id) : [0, 0]
    const answer = output === undefined ? "" : `,"output":${JSON.stringify(output)}`
    // Many rows share one.
    if (provenance !== this.#provenance) {
      this.#provenance = provenance
      this.#provenanceJson = JSON.stringify(provenance)
    }
    const line = `{"id":${isUsual ? `"${id}"` : JSON.stringify(id)},"input":${inputJson}${answer},"provenance":${this.#provenanceJson}}\n`
    const place = this.#spill.add(partOf(idHigh, isUsual ? undefined : id), line)
    if (this.#used + length > this.#numbers.length) this.#numbers = longer(this.#numbers, this.#used + length)
    const at = headerNumbers * this.#rows
    if (at + headerNumbers > this.#headers.length) this.#headers = longer(this.#headers, at + headerNumbers)
    const headers = this.#headers
    headers[at + header.idHigh] = idHigh
    headers[at + header.idLow] = idLow
    headers[at + header.lineBytes] = this.#spill.lastBytes
    headers[at + header.linePlace] = place | 0
    headers[at + header.linePlace + 1] = place / 2 ** 32
    headers[at + header.start] = this.#used
    headers[at + header.end] = this.#used + length
    if (!isUsual) this.#oddIds.push({ row: this.#rows, id })
    this.#rows += 1
    this.#used += length
    return this.#used - length
  }
}

const usualId = /^ex_[0-9a-f]{16}$/

function shared(numbers: Int32Array, count: number): Int32Array<SharedArrayBuffer> {
  const copy = new Int32Array(new SharedArrayBuffer(4 * count))
  copy.set(numbers.subarray(0, count))
  return copy
}

function longer(old: Int32Array, least: number): Int32Array<ArrayBuffer> {
  const numbers = new Int32Array(2 * least)
  numbers.set(old)
  return numbers
}

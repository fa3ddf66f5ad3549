import { inputText } from "../../core/task/output.ts"
import type { SpillReader } from "../../core/spill.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { bitSketchNumbers } from "../near/bit-sketch.ts"
import { record, recordKeys } from "./row-batch.ts"
import { partExamples } from "./row-parts.ts"
import type { MovedRecords, RowRecords } from "./row-records.ts"
import type { Sketch } from "../near/similar-sets.ts"
import { Sketcher, type SketchPlan } from "../near/sketcher.ts"

/** How rows are sketched anew; plain data. */
export interface ResketchPlan {
  readonly plan: Required<SketchPlan>
  /** How many keys the records have room for, at least those of the plan; and how many those have that are there. */
  readonly bands: number
  readonly recordedBands: number
}

/**
 * Sketches rows once more, by another plan than they were taken in by. A new sketch goes where the old one was, unless
 * it is longer.
 */
export class Resketcher {
  readonly #records: RowRecords
  readonly #spill: SpillReader
  readonly #task: TaskSpecification
  readonly #plan: ResketchPlan
  readonly #sketcher: Sketcher

  constructor(records: RowRecords, spill: SpillReader, task: TaskSpecification, plan: ResketchPlan) {
    this.#records = records
    this.#spill = spill
    this.#task = task
    this.#plan = plan
    this.#sketcher = new Sketcher(plan.plan)
  }

  /** Sketches rows of one part of the spill. */
  sketch(part: number, partRows: Uint32Array): MovedRecords {
    const [rows, starts, moved]: [number[], number[], number[]] = [[], [0], []]
    for (const { row, example } of partExamples(this.#records, this.#spill, part, partRows)) {
      const sketch = this.#sketcher.sketch(inputText(this.#task, example.input))
      if (this.#overwrite(row, sketch)) continue
      const { numbers, start } = this.#records.place(row)
      for (let index = 0; index < record.bitSketch; index += 1) moved.push(numbers[start + index] as number)
      const at = moved.length
      moved.length += bitSketchNumbers + this.#plan.bands + sketch.size
      this.#write(moved, at, sketch)
      rows.push(row)
      starts.push(moved.length)
    }
    const numbers = new Int32Array(new SharedArrayBuffer(4 * moved.length))
    numbers.set(moved)
    return { rows, starts, numbers }
  }

  /** False where there is no room. */
  #overwrite(row: number, sketch: Sketch): boolean {
    if (this.#plan.bands !== this.#plan.recordedBands) return false
    const { numbers, start, end } = this.#records.place(row)
    const newEnd = start + recordKeys + this.#plan.bands + sketch.size
    if (newEnd > end) return false
    this.#write(numbers, start + record.bitSketch, sketch)
    this.#records.shorten(row, newEnd)
    return true
  }

  /** Writes the bit sketch, the keys with room for all bands, and the hashes. */
  #write(target: Int32Array | number[], at: number, { numbers, bitSketch, keys, hashes, size }: Sketch): void {
    for (let index = 0; index < bitSketchNumbers; index += 1) target[at + index] = numbers[bitSketch + index] as number
    const keysAt = at + bitSketchNumbers
    for (let band = 0; band < this.#plan.bands; band += 1)
      target[keysAt + band] = band < this.#plan.plan.bands.count ? (numbers[keys + band] as number) : 0
    const hashesAt = keysAt + this.#plan.bands
    for (let index = 0; index < size; index += 1) target[hashesAt + index] = numbers[hashes + index] as number
  }
}

import type { OutputEquality } from "./output-equality.ts"
import { KeepBest } from "./keep-best.ts"
import { record, recordKeys } from "./row-batch.ts"
import type { RowRecords } from "./row-records.ts"
import type { Sketch } from "./similar-sets.ts"
import type { SketchPlan } from "./sketcher.ts"

/** How rows are compared with one another; plain data. */
export interface ComparisonPlan {
  readonly plan: Required<SketchPlan>
  readonly threshold: number
  /** How many keys the sketches in the records have; undefined where they are no good for the plan. */
  readonly recordedBands: number | undefined
}

/** What came of rows that were compared, by their numbers. */
export interface Comparison {
  readonly dropped: readonly DroppedRow[]
  readonly conflicts: readonly RowConflict[]
}

/** A row that one worth more makes superfluous, or contradicts word for word. */
export interface DroppedRow {
  readonly row: number
  readonly reason: "exact-duplicate" | "near-duplicate" | "conflict"
  readonly witness: number
  readonly similarity: number
}

/** Two kept rows whose inputs are near-duplicates and whose outputs differ; `a` is the one more worth keeping. */
export interface RowConflict {
  readonly a: number
  readonly b: number
  readonly similarity: number
}

/** What a comparison needs of a row beside its record. */
export interface RowTexts {
  /** The row's sketch by the plan; asked for where the records have none that is good for it. */
  sketch(row: number): Sketch
  /** The row's output, where texts are compared. */
  outputText(row: number): string
}

/** Keeps the best of near rows: the rows in the order of their worth, each unless a kept one makes it superfluous. */
export function compareRows(
  records: RowRecords,
  rows: Uint32Array,
  outputs: OutputEquality,
  { plan, threshold, recordedBands }: ComparisonPlan,
  texts?: RowTexts,
): Comparison {
  const expected = { expected: rows.length, areLasting: recordedBands !== undefined }
  const keep = new KeepBest(records, outputs, threshold, plan.bands.count, { ...expected, outputText: (row) => texts?.outputText(row) ?? "" })
  for (const row of records.byWorth(rows)) {
    const { numbers, start, end } = records.place(row)
    const prints = { record: numbers, print: start + record.print, output: start + record.output }
    if (recordedBands === undefined) {
      if (texts === undefined) throw new Error("rows without a sketch need their texts")
      keep.offer(row, { ...texts.sketch(row), ...prints })
    } else {
      const hashes = start + recordKeys + recordedBands
      keep.offer(row, { numbers, parities: start + record.parities, keys: start + recordKeys, hashes, size: end - hashes, ...prints })
    }
  }
  return keep
}

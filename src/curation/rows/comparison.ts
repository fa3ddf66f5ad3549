import { FewSets } from "../near/few-sets.ts"
import { KeepBest, type ComparedRow, type Comparison } from "./keep-best.ts"
import { eachGroup, type RowGroups } from "./key-groups.ts"
import type { OutputEquality } from "./output-equality.ts"
import { record, recordKeys } from "./row-batch.ts"
import type { RowRecords } from "./row-records.ts"
import { SetList } from "../near/set-list.ts"
import { SimilarSets } from "../near/similar-sets.ts"
import type { SketchPlan } from "../near/sketcher.ts"

/** How rows are compared with one another; plain data. */
export interface ComparisonPlan {
  readonly plan: Required<SketchPlan>
  readonly threshold: number
  /** How many keys the sketches in the records have, of which the first are those of the plan. */
  readonly recordedBands: number
}

/**
 * Keeps the best of near rows, group by group of those that share keys: the rows of a group in the order of their
 * worth, each unless a kept one makes it superfluous. `outputText` is asked for where outputs are compared as texts.
 */
export function compareGroups(
  records: RowRecords,
  groups: RowGroups,
  outputs: OutputEquality,
  { plan, threshold, recordedBands }: ComparisonPlan,
  outputText: (row: number) => string,
): Comparison {
  const found: Comparison = { dropped: [], conflicts: [] }
  const few = new FewSets(threshold, plan.bands.count)
  const keepOfFew = new KeepBest(records, outputs, few, { expected: mostFew, found, outputText })
  const offer = (keep: KeepBest, rows: Uint32Array) => {
    for (const row of records.byWorth(rows)) keep.offer(row, recordedRow(records, row, recordedBands))
  }
  const others: Uint32Array[] = []
  eachGroup(groups, (rows) => {
    if (rows.length > mostFew) {
      others.push(rows)
      return
    }
    few.clear()
    keepOfFew.clear()
    offer(keepOfFew, rows)
  })
  for (const rows of others) {
    const bands = plan.bands.count
    const sets =
      rows.length > mostListed
        ? new SimilarSets(threshold, bands, rows.length, { areLasting: true })
        : new SetList(threshold, bands)
    offer(new KeepBest(records, outputs, sets, { expected: rows.length, found, outputText }), rows)
  }
  return found
}

// In a group of no more rows each is compared with every other by itself: tables for so few take longer to make.
const mostFew = 64
// In one of no more rows reading all their cards takes less than finding those that share a key.
const mostListed = 1 << 13

function recordedRow(records: RowRecords, row: number, bands: number): ComparedRow {
  const { numbers, start, end } = records.place(row)
  const hashes = start + recordKeys + bands
  return {
    numbers,
    bitSketch: start + record.bitSketch,
    keys: start + recordKeys,
    hashes,
    size: end - hashes,
    record: numbers,
    print: start + record.print,
    output: start + record.output,
  }
}

import { FewSets } from "../near/few-sets.ts"
import { Keeper, type KeeperRules } from "../near/keeper.ts"
import type { SketchedRow } from "../near/kept-rows.ts"
import type { Output } from "../../core/rows/example.ts"
import { eachGroup, type RowGroups } from "./key-groups.ts"
import type { OutputEquality } from "./output-equality.ts"
import { record, recordKeys } from "./row-batch.ts"
import type { RowRecords } from "./row-records.ts"
import { SetList } from "../near/set-list.ts"
import { SimilarSets, type SetSearch } from "../near/similar-sets.ts"
import type { SketchPlan } from "../near/sketcher.ts"

/** What came of rows that were compared, by their numbers. */
export interface Comparison {
  readonly dropped: DroppedRow[]
  readonly conflicts: RowConflict[]
}

/** A row that one worth more makes superfluous, or contradicts word for word. */
interface DroppedRow {
  readonly row: number
  readonly reason: "exact-duplicate" | "near-duplicate" | "conflict"
  readonly witness: number
  readonly similarity: number
}

/** Two kept rows whose inputs are near-duplicates and whose outputs differ; `a` is the one more worth keeping. */
interface RowConflict {
  readonly a: number
  readonly b: number
  readonly similarity: number
}

/** How rows are compared with one another; plain data. */
export interface ComparisonPlan {
  readonly plan: Required<SketchPlan>
  readonly threshold: number
  /** How many keys the sketches in the records have, of which the first are those of the plan. */
  readonly recordedBands: number
}

/**
 * Keeps the best of near rows, group by group of those that share keys: the rows of a group in the order of their
 * worth, each unless a kept one makes it superfluous. `outputOf` is asked for where outputs are compared as texts.
 */
export function compareGroups(
  records: RowRecords,
  groups: RowGroups,
  outputs: OutputEquality,
  { plan, threshold, recordedBands }: ComparisonPlan,
  outputOf: (row: number) => Output,
): Comparison {
  const found: Comparison = { dropped: [], conflicts: [] }
  const rules: KeeperRules = {
    ...(outputs.bySimilarity ? { agree: (kept, row) => outputs.areSimilar(kept, row, outputOf) } : {}),
    order: (a, b) => records.compareIds(a, b),
    outputsAreMany: outputs.areMany,
  }
  const keeperOf = (sets: SetSearch, mostRows: number) => new Keeper(sets, { ...rules, onePerText: { mostRows } })
  const few = new FewSets(threshold, plan.bands.count)
  const keeperOfFew = keeperOf(few, mostFew)
  const offer = (keeper: Keeper, rows: Uint32Array) => {
    for (const row of records.byWorth(rows)) {
      const { isKept, reason, witness, similarity } = keeper.offer(recordedRow(records, row, recordedBands), row)
      if (reason === undefined) continue
      if (!isKept) found.dropped.push({ row, reason, witness, similarity })
      else found.conflicts.push({ a: witness, b: row, similarity })
    }
  }
  const others: Uint32Array[] = []
  eachGroup(groups, (rows) => {
    if (rows.length > mostFew) {
      others.push(rows)
      return
    }
    few.clear()
    keeperOfFew.clear()
    offer(keeperOfFew, rows)
  })
  for (const rows of others) {
    const bands = plan.bands.count
    const sets =
      rows.length > mostListed
        ? new SimilarSets(threshold, bands, rows.length, { areLasting: true })
        : new SetList(threshold, bands)
    offer(keeperOf(sets, rows.length), rows)
  }
  return found
}

// In a group of no more rows each is compared with every other by itself: tables for so few take longer to make.
const mostFew = 64
// In one of no more rows reading all their cards takes less than finding those that share a key.
const mostListed = 1 << 13

function recordedRow(records: RowRecords, row: number, bands: number): SketchedRow {
  const { numbers, start, end } = records.place(row)
  const hashes = start + recordKeys + bands
  return {
    numbers,
    bitSketch: start + record.bitSketch,
    keys: start + recordKeys,
    hashes,
    size: end - hashes,
    // The fingerprint of the output follows that of the text.
    prints: start + record.print,
  }
}

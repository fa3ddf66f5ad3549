import { digits } from "../../curation/leaks/lineage.ts"
import { pickSeeds } from "../../store/rows/seed-ranges.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import { fates, type ReviewStart } from "../standing/fates.ts"
import type { SourceRow } from "../../core/rows/review-item.ts"
import type { HeldOutRows } from "./held-out-rows.ts"

/** The rows of conflicts as they stand in their files: of the pairs, and of those that were asked about before. */
export function sourcesOf(
  rows: TaskRows,
  start: ReviewStart,
  { held, standing }: HeldOutRows,
  pairs: readonly { readonly a: string; readonly b: string }[],
): Map<string, SourceRow> {
  const asked = rows.review.conflicts().flatMap(({ a, b }) => [a.row, b.row])
  const wanted = new Set([...asked, ...pairs.flatMap(({ a, b }) => [a, b])].map(digits))
  const sources = new Map<string, SourceRow>()
  if (wanted.size === 0) return sources
  const seeds = pickSeeds(rows, standing, new Set(Array.from(wanted, (id) => `seed_${id}`)))
  for (const fate of fates(rows, start, {
    heldOf: (id) => held.get(id) ?? "train",
    isWanted: (id) => wanted.has(digits(id)),
    seeds,
  }))
    if (fate.state === "example" && fate.held !== "retired" && wanted.has(digits(fate.row)))
      sources.set(fate.row, { row: fate.row, split: fate.held, example: fate.original })
  return sources
}

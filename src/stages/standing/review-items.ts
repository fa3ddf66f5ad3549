import { digest } from "../../core/canonical.ts"
import type { ReviewItem, SourceRow } from "../../core/rows/review-item.ts"
import { outputForm, type TaskSpecification } from "../../core/task/task.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import { goldChecks } from "./gold-checks.ts"
import { reviewKinds } from "./kinds.ts"
import { adjudicationOf } from "./standing.ts"

/**
 * Every item a person can decide on, decided or not: those of each kind, whatever of these reviewers decided on
 * differently, and gold checks.
 */
export function reviewItems(rows: TaskRows, sources: ReadonlyMap<string, SourceRow>): ReviewItem[] {
  const decisions = Map.groupBy(rows.review.decisions(), ({ item }) => item)
  const items = reviewKinds.flatMap((kind) => kind.items({ rows, sources, decisions }))
  return [
    ...items,
    ...items.flatMap((item) => adjudicationOf(item, decisions.get(item.id) ?? []) ?? []),
    ...goldChecks(sources, decisions),
  ]
}

/** The digest of the guideline a decision is made under. */
export function guidelineDigest(task: TaskSpecification): string {
  return digest({ guideline: task.guideline, output: outputForm(task) })
}

import { inOrderOf } from "../../curation/review/asked-reviewers.ts"
import type { Decision } from "../../core/rows/example.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { AskedItem } from "./review-plan.ts"

/** Questions about rows that are examples already fall to one reviewer. */
export function askedAboutRows(
  task: TaskSpecification,
  item: ReviewItem,
  decisions: ReadonlyMap<string, readonly Decision[]>,
): AskedItem {
  const { disputed = item } = item
  const decidedBy = [...new Set((decisions.get(disputed.id) ?? []).map(({ reviewer }) => reviewer))]
  const reviewers = inOrderOf(task.review, disputed.id).filter((name) => !decidedBy.includes(name))
  return {
    item,
    need: item.disputed !== undefined ? "disagreement" : "label-error",
    reviewers: reviewers.slice(0, 1),
    decidedBy,
  }
}

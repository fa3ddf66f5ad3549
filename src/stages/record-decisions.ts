import { canonicalJson } from "../core/canonical.ts"
import type { Decision } from "../core/example.ts"
import type { TaskRows } from "../store/task-rows.ts"
import { rowDecisions } from "./conflicts.ts"
import type { ReviewItem } from "./review-items.ts"

/** The decisions that the task's logs do not hold yet: equal ones by the same reviewer about the same revision are the same decision, whenever they were made. */
export function newDecisions(rows: TaskRows, decisions: readonly Decision[]): Decision[] {
  const known = new Set(rows.decisions().map(keyOf))
  return decisions.filter((decision) => !known.has(keyOf(decision)))
}

/** The decisions are in a log of their own, with what they mean for the rows that an item is about. `suffix` keeps sessions of the same day and people apart. */
export function recordDecisions(
  rows: TaskRows,
  items: ReadonlyMap<string, ReviewItem>,
  added: readonly Decision[],
  at: string,
  suffix: string,
): void {
  if (added.length === 0) return
  const reviewers = [...new Set(added.map(({ reviewer }) => reviewer.toLowerCase().replace(/[^a-z0-9]+/g, "-")))].join("+").slice(0, 60)
  rows.writeSession(`${at.slice(0, 10)}-${reviewers}-${suffix}`, [
    ...added,
    ...added.flatMap((decision) => rowDecisions(items.get(decision.item) as ReviewItem, decision)),
  ])
}

function keyOf(decision: Decision): string {
  return canonicalJson([decision.item, decision.verdict, decision.output ?? null, decision.reviewer, decision.revision])
}

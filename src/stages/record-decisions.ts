import { canonicalJson } from "../core/canonical.ts"
import type { Decision, DecisionLine } from "../core/example.ts"
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
  rows.writeSession(sessionName(at, added, suffix), [
    ...added,
    ...added.flatMap((decision) => rowDecisions(items.get(decision.item) as ReviewItem, decision)),
  ])
}

/** The decision, or that the last one is taken back, is on disk when the call returns, at the end of the log of the session; with what it means for the
 * rows that the item is about. `session` is the name that `sessionName` gave. */
export function appendDecision(rows: TaskRows, session: string, item: ReviewItem, line: DecisionLine): void {
  rows.appendToSession(session, [line, ...rowDecisions(item, line)])
}

/** The name of a log of decisions: it sorts by day and says whose they are. `suffix` keeps sessions of the same day and people apart. */
export function sessionName(at: string, by: readonly Pick<Decision, "reviewer">[], suffix: string): string {
  const reviewers = [...new Set(by.map(({ reviewer }) => reviewer.toLowerCase().replace(/[^a-z0-9]+/g, "-")))].join("+").slice(0, 60)
  return `${at.slice(0, 10)}-${reviewers}-${suffix}`
}

function keyOf(decision: Decision): string {
  return canonicalJson([decision.item, decision.verdict, decision.output ?? null, decision.reviewer, decision.revision])
}

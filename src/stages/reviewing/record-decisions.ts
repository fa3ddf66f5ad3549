import { answersTo } from "../../curation/review/consensus.ts"
import { canonicalJson, digest } from "../../core/canonical.ts"
import type { Erased } from "../../core/rows/erasure.ts"
import type { Decision, DecisionLine } from "../../core/rows/example.ts"
import { outcomeKey } from "../../core/rows/migration.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import { adjudication } from "../standing/kinds/adjudication.ts"
import { kindOf, reviewKinds } from "../standing/kinds.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"
import { rowOutcome } from "../../curation/review/row-checks.ts"
import { outcomeOn } from "../standing/standing.ts"

export interface DecidedItem {
  readonly item: ReviewItem
  readonly decision: Decision
}

/**
 * The decisions that are not among those of the task's logs: equal ones by the same reviewer about the same revision are
 * the same decision, whenever they were made.
 */
export function newDecisions(decided: readonly Decision[], made: readonly DecidedItem[]): DecidedItem[] {
  const items = new Set(made.map(({ decision }) => decision.item))
  const known = new Set(decided.flatMap((decision) => (items.has(decision.item) ? [keyOf(decision)] : [])))
  return made.filter(({ decision }) => !known.has(keyOf(decision)))
}

/** Whether the item, a row that it is about, or what it says was erased. */
export function isErased(erased: Erased, item: ReviewItem): boolean {
  const rows = [...(item.rows ?? []).map(({ row }) => row), ...(item.gold === undefined ? [] : [item.gold.row])]
  if (erased.of({ id: item.id, rows, input: item.input }) !== undefined) return true
  return item.disputed !== undefined && isErased(erased, item.disputed)
}

/**
 * The decisions are in a log of their own, with what they mean for the rows that an item is about and for the item
 * whose dispute they settle. The log's name has the day, the people, the suffix and the content: one person on two
 * branches of a repository never writes the same file differently.
 */
export function recordDecisions(
  rows: TaskRows,
  added: readonly DecidedItem[],
  { at, suffix }: { readonly at: string; readonly suffix: string },
): void {
  if (added.length === 0) return
  const given = decisionsGiven(rows)
  const lines = added.flatMap(({ item, decision }) => linesOf(item, decision, given))
  const by = added.map(({ decision }) => decision)
  rows.review.writeSession(`${sessionName(at, by, suffix)}-${digest(lines).slice(7, 15)}`, lines)
}

/**
 * The decision, or that the last one is taken back, is on disk when the call returns, at the end of the log of the
 * session; with what it means for the rows that the item is about. `session` is the name that `sessionName` gave.
 */
export function appendDecision(rows: TaskRows, session: string, item: ReviewItem, line: DecisionLine): void {
  rows.review.appendToSession(session, linesOf(item, line, decisionsGiven(rows)))
}

/**
 * The name of a log of decisions: it sorts by day and says whose they are. `suffix` keeps sessions of the same day and
 * people apart.
 */
export function sessionName(at: string, by: readonly Pick<Decision, "reviewer">[], suffix: string): string {
  const reviewers = [...new Set(by.map(({ reviewer }) => reviewer.toLowerCase().replace(/[^a-z0-9]+/g, "-")))]
    .join("+")
    .slice(0, 60)
  return `${at.slice(0, 10)}-${reviewers}-${suffix}`
}

/** The decisions on an item; the logs are read when the first one is asked for. */
function decisionsGiven(rows: TaskRows): (item: string) => readonly Decision[] {
  let read: Map<string, Decision[]> | undefined
  return (item) => {
    read ??= Map.groupBy(rows.review.decisions(), (decision) => decision.item)
    return read.get(item) ?? []
  }
}

/**
 * What is written of a decision: itself, on a conflict what it means for the rows, on a dispute what it means for the
 * disputed item and its rows.
 */
function linesOf(item: ReviewItem, line: DecisionLine, given: (item: string) => readonly Decision[]): DecisionLine[] {
  const { disputed, gold } = item
  if (gold !== undefined) return [{ ...line, rows: [gold.row] }]
  if (disputed === undefined) return [line, ...linesOnRows(item, line, given, item.isReopened === true)]
  // The rows are named, so that an erasure of one reaches the decision.
  const named = { ...line, rows: [...new Set([...(line.rows ?? []), disputed.id])] }
  const made = settling(translated(item, disputed, line), given, (earlier) => outcomeOn(disputed, earlier))
  return [named, made, ...linesOnRows(disputed, made, given, true)]
}

/** The decision on a dispute as one on what was disputed. */
function translated(item: ReviewItem, disputed: ReviewItem, { output, ...line }: DecisionLine): DecisionLine {
  const about = { ...line, item: disputed.id, revision: disputed.revision }
  return line.verdict === "withdraw" || line.verdict === "reject"
    ? about
    : { ...about, verdict: "edit", output: output ?? item.output }
}

function linesOnRows(
  item: ReviewItem,
  line: DecisionLine,
  given: (item: string) => readonly Decision[],
  isSettling: boolean,
): DecisionLine[] {
  const lines = kindOf(item).onRows?.(item, line) ?? []
  return isSettling
    ? lines.map((each, index) => settling(each, given, (earlier) => rowOutcome(earlier, item.rows?.[index]?.output)))
    : [...lines]
}

/** The decisions that reviewers made themselves, without what those on some items say of others. */
export function withoutDerived(decisions: readonly Decision[]): Decision[] {
  const keyOf = ({ reviewer, at }: Decision, about: string) => JSON.stringify([reviewer, at, about])
  const deriving = decisions.filter(({ item }) => derivingPrefixes.some((prefix) => item.startsWith(prefix)))
  const derived = new Set(deriving.flatMap((decision) => (decision.rows ?? []).map((row) => keyOf(decision, row))))
  const isDerived = (decision: Decision) =>
    derived.has(keyOf(decision, decision.item)) ||
    (decision.item.startsWith("check_") && derived.has(keyOf(decision, decision.rows?.[0] ?? "")))
  return derived.size === 0 ? [...decisions] : decisions.filter((decision) => !isDerived(decision))
}

/** What the ids begin with of the items whose decisions say something of rows or of other items. */
const derivingPrefixes = [adjudication, ...reviewKinds.filter(({ onRows }) => onRows !== undefined)].map(
  ({ idPrefix }) => `${idPrefix}_`,
)

/** The line counts before the decisions that were given on its item until now. */
function settling(
  line: DecisionLine,
  given: (item: string) => readonly Decision[],
  outcomeOf: (earlier: Decision) => string,
): DecisionLine {
  return line.verdict === "withdraw"
    ? line
    : { ...line, settles: [...answersTo(given(line.item), outcomeOf).keys()].map(outcomeKey) }
}

function keyOf(decision: Decision): string {
  return canonicalJson([decision.item, decision.verdict, decision.output ?? null, decision.reviewer, decision.revision])
}

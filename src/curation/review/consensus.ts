import type { Decision } from "../../core/rows/example.ts"
import { outcomeKey } from "../../core/rows/migration.ts"

/** What reviewers made of one question. */
export type Consensus =
  | { readonly state: "open" }
  /** One decision for each different outcome, in the order of the outcomes. */
  | { readonly state: "disputed"; readonly answers: readonly Decision[] }
  | { readonly state: "agreed"; readonly decision: Decision }

/**
 * How a question stands after its decisions, which come in the order of time. Of each reviewer the last decision
 * counts. Equal outcomes are agreement; a decision that settles counts before those of the reviewers whose outcomes it
 * was chosen between, until one of them says something it did not know.
 */
export function consensusOf(decisions: readonly Decision[], outcomeOf: (decision: Decision) => string): Consensus {
  // Mostly one person decides, and nobody compares.
  const [only, second] = decisions
  if (only !== undefined && second === undefined) return { state: "agreed", decision: only }
  const answers = answersTo(decisions, outcomeOf)
  const seen = [...answers.keys()].map(outcomeKey)
  const settled = decisions.findLast(
    ({ settles }) => settles !== undefined && seen.every((outcome) => settles.includes(outcome)),
  )
  if (settled !== undefined) return { state: "agreed", decision: settled }
  const [decision, ...others] = answers.values()
  if (decision === undefined) return { state: "open" }
  return others.length === 0 ? { state: "agreed", decision } : { state: "disputed", answers: [decision, ...others] }
}

/**
 * The different outcomes that reviewers gave, sorted, each with the last decision for it; what settled a dispute is no
 * answer of its own.
 */
export function answersTo(
  decisions: readonly Decision[],
  outcomeOf: (decision: Decision) => string,
): Map<string, Decision> {
  const last = new Map(
    decisions.flatMap((decision) => (decision.settles === undefined ? [[decision.reviewer, decision] as const] : [])),
  )
  const answers = new Map<string, Decision>()
  for (const decision of decisions)
    if (last.get(decision.reviewer) === decision) answers.set(outcomeOf(decision), decision)
  return new Map([...answers].sort(([a], [b]) => (a < b ? -1 : 1)))
}

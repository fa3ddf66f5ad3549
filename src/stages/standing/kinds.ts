import type { Choice, ReviewKind } from "../../core/contracts/review-kind.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"
import { adjudicating, adjudication } from "./kinds/adjudication.ts"
import { candidate } from "./kinds/candidate.ts"
import { conflict } from "./kinds/conflict.ts"
import { input } from "./kinds/input.ts"
import { labelError } from "./kinds/label-error.ts"
import { relabel } from "./kinds/relabel.ts"

/**
 * Every kind of review item: the one list of them. Its order is that of `--only`, of counts in texts, and in which
 * questions about rows that are examples already are asked.
 */
export const reviewKinds: readonly ReviewKind[] = [candidate, input, adjudication, relabel, conflict, labelError]

/** The kind of the item; of a dispute, adjudication as it is for the kind that is disputed. */
export function kindOf({ kind: name, disputed }: ReviewItem): ReviewKind {
  if (disputed !== undefined) return adjudicating(kindOf(disputed))
  const kind = reviewKinds.find((each) => each.name === name)
  if (kind === undefined) throw new Error(`there is no kind of review item called ${name}`)
  return kind
}

/** The choices that an item leaves: where nothing is proposed there is nothing to accept. */
export function choicesOf(item: ReviewItem): readonly Choice[] {
  return kindOf(item).choices.filter(({ verdict }) => verdict !== "accept" || item.output !== undefined)
}

/** The choices of all kinds, each once. */
export function everyChoice(kinds: readonly ReviewKind[] = reviewKinds): Choice[] {
  return [...new Map(kinds.flatMap(({ choices }) => choices).map((choice) => [choice.name, choice])).values()]
}

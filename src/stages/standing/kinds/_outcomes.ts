import { consensusOf, type Consensus } from "../../../curation/review/consensus.ts"
import { canonicalJson } from "../../../core/canonical.ts"
import type { ReviewKind } from "../../../core/contracts/review-kind.ts"
import type { Decision } from "../../../core/rows/example.ts"
import type { ReviewItem } from "../../../core/rows/review-item.ts"

/** What reviewers made of an item of the kind. */
export function consensusOn(kind: ReviewKind, item: ReviewItem, decisions: readonly Decision[]): Consensus {
  return consensusOf(currentOn(kind, item, decisions), (decision) => outcomeOn(kind, item, decision))
}

/**
 * What a decision on the item comes to, as a text to compare by: rejecting, keeping the row as it is, or the output.
 */
export function outcomeOn(kind: ReviewKind, item: ReviewItem, decision: Decision): string {
  const isReject = decision.verdict === "reject"
  if (kind.isAboutRows) return canonicalJson((isReject ? kind.kept?.(item) : decision.output) ?? null)
  return isReject ? "reject" : canonicalJson(outputOf(kind, item, decision) ?? null)
}

/** The decisions that count for the item as it is now. */
export function currentOn(kind: ReviewKind, item: ReviewItem, decisions: readonly Decision[]): readonly Decision[] {
  return kind.isAboutRows ? decisions : decisions.filter((decision) => decision.revision === item.revision)
}

/** The output that a decision which does not reject stands for. */
export function outputOf({ isAboutRows }: ReviewKind, item: ReviewItem, { verdict, output }: Decision): unknown {
  return verdict === "edit" || isAboutRows ? output : item.output
}

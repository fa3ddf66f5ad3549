import type { Consensus } from "../../curation/review/consensus.ts"
import type { Decision } from "../../core/rows/example.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"
import * as outcomes from "./kinds/_outcomes.ts"
import { adjudicationItem } from "./kinds/adjudication.ts"
import { kindOf } from "./kinds.ts"

/**
 * How an item stands: the fold of its decisions. `conflict`: reviewers decided differently. `stale`: it changed after
 * it was decided.
 */
export type Standing =
  | { readonly state: "pending" | "conflict" | "stale" }
  | { readonly state: "accepted"; readonly output: unknown; readonly by: string }
  | { readonly state: "rejected"; readonly by: string; readonly reason: string | undefined }

/** How a candidate or an input without an answer stands. */
export function standingOf(item: ReviewItem, decisions: readonly Decision[]): Standing {
  if (decisions.length === 0) return { state: "pending" }
  const consensus = consensusOn(item, decisions)
  if (consensus.state === "open") return { state: "stale" }
  if (consensus.state === "disputed") return { state: "conflict" }
  const { verdict, output, reviewer, reason } = consensus.decision
  if (verdict === "reject") return { state: "rejected", by: reviewer, reason }
  return { state: "accepted", output: verdict === "edit" ? output : item.output, by: reviewer }
}

function consensusOn(item: ReviewItem, decisions: readonly Decision[]): Consensus {
  return outcomes.consensusOn(kindOf(item), item, decisions)
}

/** What a decision on the item comes to, as a text to compare by. */
export function outcomeOn(item: ReviewItem, decision: Decision): string {
  return outcomes.outcomeOn(kindOf(item), item, decision)
}

/** The decisions that count for the item as it is now. */
export function currentOn(item: ReviewItem, decisions: readonly Decision[]): readonly Decision[] {
  return outcomes.currentOn(kindOf(item), item, decisions)
}

/** The question which of several answers to the item holds; undefined where there are not several. */
export function adjudicationOf(item: ReviewItem, decisions: readonly Decision[]): ReviewItem | undefined {
  return adjudicationItem(kindOf(item), item, decisions)
}

/** A policy accepted it, and no person looked at it. */
export function isByPolicy(acceptedBy: string): boolean {
  return acceptedBy.startsWith("policy:")
}

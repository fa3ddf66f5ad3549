import { answersTo, consensusOf, type Consensus } from "../../curation/review/consensus.ts"
import { canonicalJson, contentId, digest } from "../../core/canonical.ts"
import type { Decision } from "../../core/rows/example.ts"
import type { ReviewItem } from "./review-items.ts"

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

export function consensusOn(item: ReviewItem, decisions: readonly Decision[]): Consensus {
  return consensusOf(currentOn(item, decisions), (decision) => outcomeOn(item, decision))
}

/**
 * What a decision on the item comes to, as a text to compare by: rejecting, keeping the row as it is, or the output.
 */
export function outcomeOn(item: ReviewItem, { verdict, output }: Decision): string {
  if (isAboutRows(item)) return verdict === "reject" ? keeps(item) : canonicalJson(output ?? null)
  return verdict === "reject" ? "reject" : canonicalJson((verdict === "edit" ? output : item.output) ?? null)
}

/**
 * The decisions that count for the item as it is now. The id of a question about rows follows from their content, so
 * that all on it do.
 */
export function currentOn(item: ReviewItem, decisions: readonly Decision[]): readonly Decision[] {
  return isAboutRows(item) ? decisions : decisions.filter((decision) => decision.revision === item.revision)
}

/**
 * The question which of several answers to the item holds, for a reviewer who gave none of them; undefined where all
 * gave the same one. It stays the same question after it was decided. Names are left out.
 */
export function adjudicationOf(item: ReviewItem, decisions: readonly Decision[]): ReviewItem | undefined {
  const answers = answersTo(currentOn(item, decisions), (decision) => outcomeOn(item, decision))
  if (answers.size < 2) return undefined
  const outputs = [...answers.values()].flatMap((decision) =>
    decision.verdict === "reject" ? [] : [outputOf(item, decision)],
  )
  const [first, second] = outputs
  const said = [...answers.values()].map((decision) =>
    decision.verdict === "reject" ? meaningOfReject[item.kind] : show(outputOf(item, decision)),
  )
  return {
    id: contentId("adjudication", {
      item: item.id,
      revision: isAboutRows(item) ? null : item.revision,
      answers: [...answers.keys()],
    }),
    kind: "adjudication",
    input: item.input,
    output: first,
    ...(item.kind === "label-error" ? { current: item.current } : second === undefined ? {} : { current: second }),
    ...(item.other === undefined ? {} : { other: item.other }),
    ...(item.rows === undefined ? {} : { rows: item.rows }),
    note: `reviewers decided differently: ${said.join("; or ")}. accept takes the proposed output, edit the corrected one; reject: ${meaningOfReject[item.kind]}`,
    revision: digest({ input: item.input, answers: [...answers.keys()] }),
    disputed: item,
  }
}

const meaningOfReject: Readonly<Record<ReviewItem["kind"], string>> = {
  candidate: "turned down",
  input: "turned down",
  adjudication: "turned down",
  "label-error": "the output stays as it is",
  conflict: "both rows are right as they are",
  relabel: "no example any more",
}

function outputOf(item: ReviewItem, { verdict, output }: Decision): unknown {
  return verdict === "edit" || isAboutRows(item) ? output : item.output
}

function show(output: unknown): string {
  return typeof output === "string" ? output : canonicalJson(output ?? null)
}

/** Whether the item asks about rows that are examples already. */
function isAboutRows({ kind }: ReviewItem): boolean {
  return kind === "label-error" || kind === "conflict" || kind === "relabel"
}

function keeps(item: ReviewItem): string {
  return item.kind === "label-error" ? canonicalJson(item.current) : "null"
}

/** A policy accepted it, and no person looked at it. */
export function isByPolicy(acceptedBy: string): boolean {
  return acceptedBy.startsWith("policy:")
}

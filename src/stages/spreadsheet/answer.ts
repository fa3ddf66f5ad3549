import type { Decision, Output } from "../../core/rows/example.ts"
import type { ReviewItem } from "../standing/review-items.ts"

/**
 * What a reviewer says of an item. Of the two rows of a conflict: the output of `a` or of `b` is right for both, each
 * is right as it is (`both`), or another one is right for both (`edit`).
 */
export type Choice = "accept" | "edit" | "reject" | "a" | "b" | "both"

/** A reviewer's answer; `output` is that of an edit, valid for the task. */
export type Answer = { readonly choice: Exclude<Choice, "edit"> } | { readonly choice: "edit"; readonly output: Output }

/** The choices that an item leaves: an input without an answer has nothing to accept. */
export function choicesOf(item: ReviewItem): readonly Choice[] {
  if (item.kind === "conflict") return ["a", "b", "both", "edit"]
  return item.output === undefined ? ["edit", "reject"] : ["accept", "edit", "reject"]
}

/**
 * The decision that an answer makes of an item, whichever way the reviewer gave it. The choice must be one of the
 * item's.
 */
export function decisionOf(
  item: ReviewItem,
  answer: Answer,
  by: { readonly reviewer: string; readonly comment: string },
): Omit<Decision, "guideline" | "at" | "source"> {
  const about = item.rows === undefined ? {} : { rows: item.rows.map(({ row }) => row) }
  const base = {
    item: item.id,
    ...about,
    reviewer: by.reviewer,
    revision: item.revision,
    ...(by.comment === "" ? {} : { reason: by.comment }),
  }
  switch (answer.choice) {
    case "reject":
    case "both":
      return { ...base, verdict: "reject" }
    case "accept":
    case "a":
      // What is accepted of a conflict or of a suspected row is the suggestion, which the next search may change: it
      // goes into the decision.
      return {
        ...base,
        verdict: "accept",
        ...(item.kind === "label-error" || item.kind === "conflict" ? { output: item.output } : {}),
      }
    case "b":
      return { ...base, verdict: "edit", output: item.current }
    case "edit":
      return { ...base, verdict: "edit", output: answer.output }
  }
}

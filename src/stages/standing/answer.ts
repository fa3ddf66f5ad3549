import type { Choice } from "../../core/contracts/review-kind.ts"
import type { Decision, Output } from "../../core/rows/example.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"
import { kindOf } from "./kinds.ts"

/** What a reviewer says of an item: one of its choices; `output` is what they wrote, valid for the task. */
export interface Answer {
  readonly choice: Choice
  readonly output?: Output
}

/** Whether the reviewer writes the output. */
export function takesOutput({ verdict, output }: Choice): boolean {
  return verdict === "edit" && output === undefined
}

/** The output that the row has after the choice, where that is known before the reviewer writes anything. */
export function outputAfter(item: ReviewItem, { verdict, output }: Choice): unknown {
  if (output !== undefined) return output(item)
  return verdict === "accept" ? item.output : verdict === "reject" ? kindOf(item).kept?.(item) : undefined
}

/**
 * The decision that an answer makes of an item, whichever way the reviewer gave it. The choice must be one of the
 * item's.
 */
export function decisionOf(
  item: ReviewItem,
  { choice, output }: Answer,
  by: { readonly reviewer: string; readonly comment: string },
): Omit<Decision, "guideline" | "at" | "source"> {
  const about = item.rows === undefined ? {} : { rows: item.rows.map(({ row }) => row) }
  const carried = takesOutput(choice) ? { output } : choice.output && { output: choice.output(item) }
  return {
    item: item.id,
    ...about,
    reviewer: by.reviewer,
    revision: item.revision,
    ...(by.comment === "" ? {} : { reason: by.comment }),
    verdict: choice.verdict,
    ...carried,
  }
}

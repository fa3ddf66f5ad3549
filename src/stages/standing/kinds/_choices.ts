import type { ChoiceButton } from "../../../core/contracts/choice-button.ts"
import type { Choice, RejectMeaning } from "../../../core/contracts/review-kind.ts"
import type { ReviewItem } from "../../../core/rows/review-item.ts"
import type { TaskSpecification } from "../../../core/task/task.ts"

export const accept: Choice = {
  name: "accept",
  verdict: "accept",
  words: ["accepted", "yes", "ok", "y"],
  tint: "good",
}
export const edit: Choice = { name: "edit", verdict: "edit", words: ["edited", "correct"], tint: "changed" }
export const reject: Choice = { name: "reject", verdict: "reject", words: ["rejected", "no", "n"], tint: "bad" }

export const turnedDown: RejectMeaning = { note: "turned down", chip: "rejected", needsReason: true }

/** What may be done with a proposed output; where there is none, nothing but to edit. */
export function acceptButtons(_task: TaskSpecification, item: ReviewItem): ChoiceButton[] {
  return item.output === undefined ? [] : [{ key: "A", text: "Accept", choice: "accept", isMain: true }]
}

/** Whether the page can show the output. */
export function isShown(output: unknown): boolean {
  return output !== undefined && output !== null
}

import type { TaskSpecification } from "../core/task.ts"
import type { TaskExamples } from "./examples.ts"
import type { ReviewItem } from "./review-items.ts"

/** The items that wait for a person, in the order in which they are asked: open items, then conflicts, then suspected label errors. Every way to review asks in this order. */
export function reviewQueue(_task: TaskSpecification, examples: TaskExamples, options: { only?: ReviewItem["kind"] | undefined } = {}): ReviewItem[] {
  return [...examples.open, ...examples.conflicts, ...examples.suspects].filter(({ kind }) => options.only === undefined || kind === options.only)
}

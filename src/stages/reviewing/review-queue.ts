import { personalDataKindsIn } from "../../curation/version/personal-data-policy.ts"
import { UsageError } from "../../core/errors.ts"
import { nearest, show } from "../../core/parse.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { TaskExamples } from "../standing/task-examples.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"
import { needs } from "../standing/review-plan.ts"

/**
 * The items that wait for a person, by need: calibration items, what reviewers decided on differently, low confidence,
 * conflicts and suspected label errors, labels that no example covers, what was drawn at random, and the rest. A named
 * reviewer gets their share without what they decided on, and gold checks among it. Every way to review asks in this
 * order, which follows from ids alone.
 */
export function reviewQueue(
  task: TaskSpecification,
  examples: TaskExamples,
  options: { only?: ReviewItem["kind"] | undefined; reviewer?: string | undefined } = {},
): ReviewItem[] {
  const { reviewer } = options
  const { reviewers } = task.review
  if (reviewer !== undefined && reviewers.length > 0) requireNamed(task, reviewer)
  const isTheirs = (names: readonly string[], decidedBy: readonly string[]) =>
    reviewer === undefined || (!decidedBy.includes(reviewer) && (names.length === 0 || names.includes(reviewer)))
  const queue = examples.asked
    .filter(({ item }) => !isWithheld(task, item))
    .filter(({ reviewers: names, decidedBy }) => isTheirs(names, decidedBy))
    .map((asked, index) => ({ asked, index }))
    .sort(
      (a, b) =>
        needs.indexOf(a.asked.need) - needs.indexOf(b.asked.need) ||
        (a.asked.confidence ?? 1) - (b.asked.confidence ?? 1) ||
        a.index - b.index,
    )
    .map(({ asked }) => asked.item)
  const checks = reviewer === undefined || reviewers.length === 0 ? [] : examples.goldChecksFor(reviewer)
  const shown = checks.filter((item) => !isWithheld(task, item))
  return mixed(queue, shown).filter(({ kind }) => options.only === undefined || kind === options.only)
}

/**
 * Whether the item is shown to nobody: where personal data is refused, it leaves the files in no way. Where it is
 * replaced or dropped, who decides sees a row as it is.
 */
export function isWithheld(task: TaskSpecification, { input, output }: Pick<ReviewItem, "input" | "output">): boolean {
  return (
    task.privacy.personalData === "refuse" && personalDataKindsIn(task, { input, output: output ?? null }).length > 0
  )
}

/** How many items that wait are shown to nobody. */
export function withheldCount(task: TaskSpecification, { asked }: TaskExamples): number {
  return asked.filter(({ item }) => isWithheld(task, item)).length
}

/**
 * The checks spread evenly over the queue, none first and none without an item beside it: where reviewing ends early,
 * the share is the same.
 */
function mixed(queue: readonly ReviewItem[], checks: readonly ReviewItem[]): ReviewItem[] {
  const gap = Math.max(2, Math.floor(queue.length / (checks.length + 1)))
  const waiting = [...checks]
  return queue.flatMap((item, index) => {
    const check = (index + 1) % gap === 0 ? waiting.shift() : undefined
    return check === undefined ? [item] : [item, check]
  })
}

function requireNamed(task: TaskSpecification, reviewer: string): void {
  const { reviewers } = task.review
  if (reviewers.includes(reviewer)) return
  const meant = nearest(reviewer, reviewers)
  throw new UsageError(
    `${show(reviewer)} is no reviewer of ${task.task}; allowed: ` +
      `${reviewers.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`,
    `Name one of them, or add the name to review.reviewers in the specification.`,
  )
}

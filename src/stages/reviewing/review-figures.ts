import { canonicalJson } from "../../core/canonical.ts"
import { cellName } from "../../core/contracts/strategy.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { FileDigests } from "../../store/rows/remembered.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import type { Workspace } from "../../store/workspace.ts"
import { goldChecks } from "../standing/gold-checks.ts"
import { answersMissing } from "../standing/review-plan.ts"
import { countsOf, taskExamples, type TaskExamples } from "../standing/task-examples.ts"
import { foldedFigures } from "./folded-figures.ts"
import { ReviewTally, type ReviewFigures } from "./review-tally.ts"

/**
 * The figures of a task. Of many rows a few numbers each are kept between calls, and only what was appended to the files
 * is read; where that cannot be, all rows are gone through.
 */
export function reviewFigures(workspace: Workspace, task: TaskSpecification, digests?: FileDigests): ReviewFigures {
  const figures = foldedFigures(workspace, task, digests)
  return figures ?? figuresOf(task, taskExamples(task, new TaskRows(workspace, task.task)))
}

/** The figures of these examples. */
export function figuresOf(task: TaskSpecification, examples: TaskExamples): ReviewFigures {
  const tally = new ReviewTally()
  for (const decision of examples.decided) tally.decision(decision)
  for (const standing of examples.standings.values()) tally.item(standing)
  for (const { id, strategy, cell, output } of examples.candidates) {
    const standing = examples.standings.get(id)
    if (standing === undefined) continue
    const isEdited = standing.state === "accepted" && canonicalJson(standing.output) !== canonicalJson(output)
    tally.candidate({ id, strategy, cell: cellName(cell ?? {}) }, standing, isEdited)
  }
  const checks = task.review.reviewers.reduce((sum, name) => sum + examples.goldChecksFor(name).length, 0)
  return {
    tally,
    grown: examples.grown,
    open: examples.open.length,
    testRows: examples.test.length,
    counts: countsOf(examples),
    missing: examples.asked.reduce((sum, asked) => sum + answersMissing(asked), 0) + checks,
    plan: examples.plan,
    gold: goldChecks(examples.sources, examples.decisions),
    goldDecisions: examples.decided,
  }
}

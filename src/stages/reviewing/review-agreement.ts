import type { TaskSpecification } from "../../core/task/task.ts"
import { agreementReport, ratedItems, type AgreementReport } from "../../evaluation/review/agreement.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import type { StageContext } from "../context.ts"
import { taskExamples } from "../standing/task-examples.ts"
import { passes, uniqueById } from "../../core/rows/candidates.ts"
import { reviewItems } from "../standing/review-items.ts"

/**
 * How far the reviewers of the task agree where they decided on the same items. Memory has the candidates and the
 * decisions; all examples of the task only where somebody decided on something else: a gold check, a suspected label, a
 * label that was split.
 */
export function reviewAgreement(context: StageContext, task: TaskSpecification): AgreementReport {
  const rows = new TaskRows(context.workspace, task.task)
  const proposed = new Map<string, unknown>()
  for (const { id } of rows.eachInput()) proposed.set(id, undefined)
  for (const { id, output } of uniqueById(rows.grown.candidates()).filter(passes)) proposed.set(id, output)
  let others: ReadonlyMap<string, unknown> | undefined
  const proposedOf = (item: string) => {
    if (proposed.has(item)) return proposed.get(item)
    others ??= new Map(reviewItems(rows, taskExamples(task, rows).sources).map(({ id, output }) => [id, output]))
    return others.get(item)
  }
  return agreementReport(task, ratedItems(rows.review.decisions(), proposedOf))
}

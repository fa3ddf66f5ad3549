import type { TaskSpecification } from "../core/task.ts"
import { agreementReport, ratedItems, type AgreementReport } from "../evaluation/agreement.ts"
import { TaskRows } from "../store/task-rows.ts"
import type { StageContext } from "./context.ts"
import { taskExamples } from "./examples.ts"
import { reviewItems } from "./review-items.ts"

/** How far the reviewers of the task agree where they decided on the same items. */
export function reviewAgreement(context: StageContext, task: TaskSpecification): AgreementReport {
  const rows = new TaskRows(context.workspace, task.task)
  const proposed = new Map(reviewItems(rows, taskExamples(task, rows).sources).map(({ id, output }) => [id, output]))
  return agreementReport(
    task,
    ratedItems(rows.decisions(), (item) => proposed.get(item)),
  )
}

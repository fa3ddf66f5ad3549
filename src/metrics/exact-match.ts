import type { Metric, ScoredRow } from "../core/contracts/metric.ts"
import { sameOutput } from "../core/task/output.ts"
import type { TaskSpecification } from "../core/task/task.ts"

/**
 * The share of rows whose answer says the same as the reference, 0 to 1: equal label, set of labels or canonical JSON,
 * or text up to case and white space (`sameOutput`). An answer that could not be read is wrong. Empty input gives NaN.
 */
const exactMatch: Metric = {
  summary: "The share of answers that say exactly what the reference says",
  kinds: ["label", "multilabel", "json", "text", "chat"],
  rowScores(rows, task) {
    return Float64Array.from(rows, (row) => (isRight(row, task) ? 1 : 0))
  },
  value(rows, task) {
    let right = 0
    for (const row of rows) if (isRight(row, task)) right += 1
    return right / rows.length
  },
}
export default exactMatch

function isRight({ reference, output }: ScoredRow, task: TaskSpecification): boolean {
  return output !== undefined && sameOutput(task, reference, output)
}

import type { ScoredRow } from "../../../src/core/contracts/metric.ts"
import { taskSchema, type TaskSpecification } from "../../../src/core/task/task.ts"

/** A label task with the labels a, b and c. */
export function labelTask(verdict: Record<string, unknown> = {}): TaskSpecification {
  return taskSchema.parse({
    task: "triage",
    kind: "label",
    description: "Sort",
    input: { body: {} },
    output: { labels: { a: "A", b: "B", c: "C" } },
    verdict,
  })
}

/** Rows from references and answers side by side; undefined is an answer that could not be read. */
export function scored(references: readonly unknown[], outputs: readonly unknown[]): ScoredRow[] {
  return references.map((reference, position) => ({
    id: `row-${position}`,
    input: {},
    references: [reference],
    output: outputs[position],
  }))
}

/** Rows that are right where the score is 1 and answer another label where it is 0. */
export function rightWhere(scores: readonly number[]): ScoredRow[] {
  return scored(
    scores.map(() => "a"),
    scores.map((score) => (score === 1 ? "a" : "b")),
  )
}

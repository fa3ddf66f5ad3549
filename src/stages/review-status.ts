import { PersonNeededError } from "../core/errors.ts"
import type { TaskSpecification } from "../core/task.ts"
import { TaskRows } from "../store/task-rows.ts"
import type { StageContext } from "./context.ts"
import { taskExamples } from "./examples.ts"

/** How far the review is. */
export function reviewStatus(
  context: StageContext,
  task: TaskSpecification,
): { open: number; pending: number; conflicts: number; stale: number; accepted: number; rejected: number; suspects: number; conflictPairs: number } {
  const examples = taskExamples(task, new TaskRows(context.workspace, task.task))
  const count = (state: string) => [...examples.standings.values()].filter((standing) => standing.state === state).length
  return {
    open: examples.open.length,
    pending: count("pending"),
    conflicts: count("conflict"),
    stale: count("stale"),
    accepted: count("accepted"),
    rejected: count("rejected"),
    suspects: examples.suspects.length,
    conflictPairs: examples.conflicts.length,
  }
}

/** Raised by a stage that cannot go on while items are open. */
export function reviewNeeded(task: TaskSpecification, open: number): PersonNeededError {
  return new PersonNeededError(
    `${open} items of ${task.task} wait for a decision`,
    `tuneloop review export ${task.task} --out review.csv, decide in the spreadsheet, then: tuneloop review import ${task.task} review.csv`,
  )
}

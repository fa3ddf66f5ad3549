import { failureKinds } from "../../evaluation/scores/failure-kinds.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { Failure } from "../../core/rows/failure.ts"
import { inputText } from "../../core/task/output.ts"
import { nearest, show } from "../../core/parse.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { runFiles, readPlan, evaluationsOf } from "../../store/rows/run-files.ts"
import { answersOf } from "../../store/rows/answers.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { StageContext } from "../context.ts"
import { validationLabel } from "../evaluating/questions.ts"
import { scoredRows } from "../evaluating/scored-rows.ts"
import { sourcesOf } from "./expand.ts"

/**
 * What the tuned model of an evaluation got wrong on the validation rows, by kind, with the train seeds that are most
 * like it; `latest` is the task's newest evaluation. Test rows are not read, and of validation rows only what kind of
 * error was made goes on.
 */
export function failuresOf(context: StageContext, task: TaskSpecification, wanted: string): Failure[] {
  const known = evaluationsOf(context.workspace, task.task)
  const found = wanted === "latest" ? known.at(-1) : known.find(({ evaluation }) => evaluation === wanted)
  if (found === undefined) {
    const ids = known.map(({ evaluation }) => evaluation)
    const meant = nearest(wanted, ids)
    throw new ToolkitError(
      `there is no evaluation ${show(wanted)} of ${task.task}; ${ids.length === 0 ? "none was made" : `there are: ${ids.join(", ")}`}${meant ? `; did you mean ${show(meant)}?` : ""}`,
      {
        code: "unknown-evaluation",
        exitCode: 2,
        hint: ids.length === 0 ? "Train and evaluate first: tuneloop evaluate latest" : "Name one of them, or latest.",
      },
    )
  }
  const files = runFiles(context.workspace, found.run)
  const plan = readPlan(files)
  const predictions = answersOf(context.workspace, found, validationLabel)
  if (plan === undefined || predictions === undefined)
    throw new ToolkitError(`the answers of ${found.evaluation} are not there any more`, {
      code: "no-predictions",
      hint: `Evaluate again: tuneloop evaluate ${found.run}`,
    })
  const holdout = found.holdout ?? plan.holdout
  const validation = new Versions(context.workspace, task.task).rows(holdout, "validation.jsonl")
  const scored = scoredRows(task, validation, { predictions })
  const rows = scored.map((row, index) => ({ ...row, text: inputText(task, validation[index]?.input ?? {}) }))
  return failureKinds(task, rows, sourcesOf(context, task, []).seeds)
}

import type { Prediction } from "../../core/contracts/backend.ts"
import type { ConfiguredContender } from "../../core/contracts/contender.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { Example } from "../../core/rows/example.ts"
import type { HoldoutId } from "../../core/rows/frozen-ids.ts"
import type { RecordingTerms } from "../../core/rows/recorded-answer.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { Recording } from "../../store/rows/recorded-answers.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { Workspace } from "../../store/workspace.ts"
import { servedPrediction } from "./served-prediction.ts"

/** The contenders of an evaluation. */
interface Compared {
  readonly task: TaskSpecification
  readonly contenders: readonly ConfiguredContender[]
}

/** What each contender of recorded answers is compared by, as part of the evaluation's id. */
export type RecordingsTerms = Readonly<Record<string, RecordingTerms>>

/** The terms of the recordings that the contenders name. Throws where there is no such recording. */
export function recordingsOf(workspace: Workspace, { task, contenders }: Compared): RecordingsTerms {
  return Object.fromEntries(
    contenders.flatMap(({ name, contender, options }) => {
      const recording = contender.recording?.(options)
      if (recording === undefined) return []
      const terms = new Recording(workspace, task.task, recording).terms()
      if (terms !== undefined) return [[name, terms]]
      throw new ToolkitError(`task ${task.task} has no recorded answers named ${recording}`, {
        code: "not-recorded",
        exitCode: 2,
        hint: `Record them: tuneloop models record <model> --task ${task.task} --as ${recording}`,
      })
    }),
  )
}

/** Every test row has its answer in each recording. Throws before the test set is opened; names rows by id alone. */
export function requireRecorded(
  workspace: Workspace,
  { task, holdout, contenders }: Compared & { readonly holdout: HoldoutId },
): void {
  const rows = new Versions(workspace, task.task).questions(holdout, "test.jsonl")
  for (const { contender, options } of contenders) {
    const name = contender.recording?.(options)
    if (name !== undefined) requireAnswers(new Recording(workspace, task.task, name), task.task, holdout, rows)
  }
}

/** The recorded answers as those of a contender, in the order of the rows. */
export function keptAnswers(workspace: Workspace, task: string, name: string, rows: readonly Example[]): Prediction[] {
  const answers = new Recording(workspace, task, name).answersTo(rows)
  return rows.flatMap(({ id }): Prediction[] => {
    const answer = answers.get(id)
    return answer === undefined ? [] : [servedPrediction(id, answer)]
  })
}

const namedRows = 5

function requireAnswers(
  recording: Recording,
  task: string,
  holdout: string,
  rows: readonly Pick<Example, "id" | "input">[],
): void {
  const answers = recording.answersTo(rows)
  const missing = rows.filter(({ id }) => !answers.has(id)).map(({ id }) => id)
  if (missing.length === 0) return
  const named = missing.slice(0, namedRows).join(", ")
  const rest = missing.length > namedRows ? ` and ${missing.length - namedRows} more` : ""
  const { model = "<model>", baseUrl } = recording.terms() ?? {}
  const words = ["tuneloop models record", model, "--task", task, "--as", recording.name, "--holdout", holdout]
  throw new ToolkitError(
    `${recording.place} has no answers to ${missing.length} of ${rows.length} test rows: ${named}${rest}`,
    {
      code: "not-recorded",
      exitCode: 2,
      hint: `Record them: ${[...words, ...(baseUrl === undefined ? [] : ["--base-url", baseUrl])].join(" ")}`,
    },
  )
}

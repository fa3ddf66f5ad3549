import { contentDigits } from "../../core/canonical.ts"
import { ToolkitError } from "../../core/errors.ts"
import { baseOf, type ModelRef } from "../../core/training/model-ref.ts"
import { writeDigested } from "../../store/files/staged-file.ts"
import { generationFolder } from "../../store/rows/answers.ts"
import type { StageContext } from "../context.ts"
import type { KeyedQuestion } from "./answers-key.ts"
import type { EvaluationPlan } from "./evaluation-plan.ts"
import { linesAsked } from "./questions.ts"

/** A question that a model answers. */
export interface GeneratedQuestion extends KeyedQuestion {
  readonly model: ModelRef
}

/**
 * The missing questions are answered, each in its file. The folder of the work follows from all questions of the
 * evaluation: one that was interrupted goes on there, whatever was answered since.
 */
export async function generate(
  context: StageContext,
  plan: EvaluationPlan,
  missing: readonly GeneratedQuestion[],
  all: readonly GeneratedQuestion[],
): Promise<void> {
  const { backend, training } = plan
  if (!backend.generate)
    throw new ToolkitError(`the backend ${backend.name} cannot generate`, {
      code: "no-generation",
      hint: "Name a backend that can generate in the job: backend.name.",
    })
  const base = baseOf(training)
  await backend.prepare?.(base)
  const folder = generationFolder(context.workspace, plan.run, contentDigits(all.map(({ key }) => key)))
  const { maxNewTokens, batchSize, latencyRows } = plan.job.evaluation
  const jobs = missing.map((question) => {
    const { label: name, model, file: predictions, latency } = question
    const rows = folder.rowsFile(name)
    writeDigested(rows, lines(question))
    return { name, model, rows, predictions, maxNewTokens, latency }
  })
  await backend.generate(
    { base, jobs, batchSize, latencyRows, seed: training.seed, folder: folder.work },
    (name, done, total) => context.report.progress(`${name}: ${done} of ${total} answered`),
  )
  // Rows of the test set lie about no longer than they are needed.
  folder.discardRows()
}

function* lines(question: KeyedQuestion): Generator<string> {
  for (const line of linesAsked(question)) yield `${line}\n`
}

import { contentDigits } from "../../core/canonical.ts"
import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import { ToolkitError } from "../../core/errors.ts"
import { baseOf, type ModelRef } from "../../core/training/model-ref.ts"
import { writeDigested } from "../../store/files/staged-file.ts"
import { generationFolder, generationWorks } from "../../store/rows/answers.ts"
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
  plan: Pick<EvaluationPlan, "run" | "task" | "job" | "training" | "backend">,
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
    writeDigested(rows, lines(plan, question))
    return { name, model, rows, predictions, maxNewTokens, latency }
  })
  const request = { base, jobs, batchSize, latencyRows, seed: training.seed, folder: folder.work }
  try {
    await backend.generate(request, (name, done, total) =>
      context.report.progress(`${name}: ${done} of ${total} answered`),
    )
  } catch (error) {
    if (context.signal.aborted) await noteThatItGoesOn(context, plan, folder.work)
    throw error
  }
  // Rows of the test set lie about no longer than they are needed.
  folder.discardRows()
}

/** An interrupt ends the waiting only: whoever pressed Ctrl-C must know what goes on, and how it ends. */
async function noteThatItGoesOn(
  context: StageContext,
  { run, backend }: Pick<EvaluationPlan, "run" | "backend">,
  folder: string,
): Promise<void> {
  const log = await backend.generating?.(folder)
  if (log !== undefined)
    context.report.warn(
      `the generation goes on by itself (its log: ${context.workspace.show(log)}); run the same command again ` +
        `to wait for it, or stop it: tuneloop runs cancel ${run}`,
    )
}

/** No generation of the run is at work any more. Returns how many were; an evaluation goes on from what they did. */
export async function stopGenerations(
  { workspace }: StageContext,
  run: string,
  backend: FineTuneBackend,
): Promise<number> {
  let stopped = 0
  for (const folder of generationWorks(workspace, run)) if (await backend.stopGeneration?.(folder)) stopped += 1
  return stopped
}

function* lines(plan: Pick<EvaluationPlan, "task" | "backend">, question: KeyedQuestion): Generator<string> {
  for (const line of linesAsked(plan, question)) yield `${line}\n`
}

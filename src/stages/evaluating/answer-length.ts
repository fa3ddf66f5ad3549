import { answerRoom } from "../../core/asking/answer-room.ts"
import { estimatedTokens } from "../../core/asking/tokens.ts"
import type { TrainingPlan } from "../../core/contracts/backend.ts"
import { formatOutput } from "../../core/task/output.ts"
import { labelsOf, type TaskSpecification } from "../../core/task/task.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { StageContext } from "../context.ts"

/** What an answer might have before its length followed from the outputs; evaluations of that time keep their ids. */
export const formerMaxNewTokens = 16

/** The settings of an evaluation with everything decided. */
export type DecidedJob = JobSpecification & { readonly evaluation: { readonly maxNewTokens: number } }

/** The job with so many tokens for an answer. */
export function withLength(job: JobSpecification, maxNewTokens: number): DecidedJob {
  return { ...job, evaluation: { ...job.evaluation, maxNewTokens } }
}

/** The most tokens of an answer, by the outputs of the rows that the run was trained with and beside. No opening. */
export function lengthFor(context: StageContext, task: TaskSpecification, training: TrainingPlan): number {
  return answerRoom(knownOutputs(context, task, training), formerMaxNewTokens)
}

/** Tells whoever set a length that is shorter than an output that the model is to learn, before anything is opened. */
export function warnOfShortAnswers(
  context: StageContext,
  task: TaskSpecification,
  training: TrainingPlan,
  maxNewTokens: number,
): void {
  let longest = 0
  for (const text of knownOutputs(context, task, training)) longest = Math.max(longest, estimatedTokens(text))
  if (longest <= maxNewTokens) return
  context.report.warn(
    `evaluation.maxNewTokens of the job is ${maxNewTokens}, and the longest output that was trained has about ` +
      `${longest} tokens: such answers are cut and count as wrong. Leave it out, or raise it.`,
  )
}

function* knownOutputs(
  { workspace }: StageContext,
  task: TaskSpecification,
  { dataset, holdout }: TrainingPlan,
): Generator<string> {
  yield* labelsOf(task)
  const versions = new Versions(workspace, task.task)
  for (const { output } of versions.each(dataset, "train.jsonl")) yield formatOutput(task, output)
  for (const { output } of versions.each(holdout, "validation.jsonl")) yield formatOutput(task, output)
}

import type { HoldoutId } from "../../core/rows/frozen-ids.ts"
import { contentId, digest } from "../../core/canonical.ts"
import type { FineTuneBackend, TrainingPlan } from "../../core/contracts/backend.ts"
import type { ConfiguredContender } from "../../core/contracts/contender.ts"
import type { ConfiguredMetric } from "../../core/contracts/metric.ts"
import { ConfigError, ToolkitError } from "../../core/errors.ts"
import { promptVersion } from "../../core/task/prompt.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { CheckpointChoice } from "../../core/training/checkpoints.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import { type AdoptedRun, readAdopted } from "../../store/rows/adopted-runs.ts"
import { evaluationText, readPlan, runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"
import type { DeployTerms } from "../deploying/while-deployed.ts"
import { adoptedTraining } from "./adopted-training.ts"
import { type DecidedJob, formerMaxNewTokens, lengthFor, withLength } from "./answer-length.ts"
import type { ServedModels } from "./served-models.ts"
import { recordingsOf, type RecordingsTerms } from "./recordings.ts"

/**
 * Raised when a change here would give other predictions or figures from the same run. 2, of chat tasks with tools
 * alone: they are asked with them, and calls are compared by what they call.
 */
const semanticsOf = (task: TaskSpecification) => (task.kind === "chat" && task.output.tools.length > 0 ? 2 : 1)

/** What is to be evaluated, against what and by which rule. */
export interface EvaluationRequest {
  readonly task: TaskSpecification
  readonly job: JobSpecification
  readonly run: string
  readonly backend: FineTuneBackend
  /** The contenders in the order of the report, the tuned model first. Those of other kinds of task stay out. */
  readonly contenders: readonly ConfiguredContender[]
  readonly metrics: readonly ConfiguredMetric[]
  /** The machine that evaluates, in words. */
  readonly machine: string
  /** How models are asked that are served somewhere; absent where none is. */
  readonly served?: ServedModels | undefined
  /** How a model is deployed that answers only then; absent where nobody can be asked. */
  readonly deploying?: DeployTerms | undefined
  /** A later holdout than the run's own. */
  readonly holdout?: HoldoutId | undefined
  /** Another checkpoint than that of the run's plan. */
  readonly checkpoint?: CheckpointChoice | undefined
}

/** An evaluation before its first answer. */
export interface EvaluationPlan extends Omit<EvaluationRequest, "holdout" | "job" | "checkpoint"> {
  readonly id: string
  readonly job: DecidedJob
  /** What the run was trained by. */
  readonly training: TrainingPlan
  /** What is known of a run that was not made here. */
  readonly adopted: AdoptedRun | undefined
  readonly checkpoint: CheckpointChoice
  readonly holdout: HoldoutId
  /** What was recorded of the contenders that answer from a recording, by their names. */
  readonly recordings: RecordingsTerms
}

/** The evaluation that the request asks for, with its id. Reads no test row. */
export function planEvaluation(context: StageContext, request: EvaluationRequest): EvaluationPlan {
  const { task, job, run } = request
  const adopted = readAdopted(runFiles(context.workspace, run))
  const training = adopted === undefined ? requirePlan(context, task, run) : adoptedTraining(context, task, adopted)
  const holdout = request.holdout ?? training.holdout
  const contenders = request.contenders.filter(({ contender }) => contender.kinds.includes(task.kind))
  const recordings = recordingsOf(context.workspace, { task, contenders })
  const checkpoint = request.checkpoint ?? training.checkpoint ?? "last"
  const settings = { task, run, training, holdout, recordings, checkpoint }
  const decided = decidedJob(context, job, settings)
  const id = evaluationId({ ...settings, job: decided })
  return { ...request, contenders, id, job: decided, training, adopted, checkpoint, holdout, recordings }
}

/** A length that nobody set follows from the outputs, unless the evaluation was made before it did. */
function decidedJob(context: StageContext, job: JobSpecification, settings: Omit<Settings, "job">): DecidedJob {
  const { task, run, training } = settings
  const given = job.evaluation.maxNewTokens
  if (given !== undefined) return withLength(job, given)
  const former = withLength(job, formerMaxNewTokens)
  const isMade = evaluationText(context.workspace, run, evaluationId({ ...settings, job: former })) !== undefined
  return isMade ? former : withLength(job, lengthFor(context, task, training))
}

type Settings = Pick<EvaluationPlan, "task" | "run" | "training" | "holdout"> & {
  readonly job: JobSpecification
  readonly recordings?: RecordingsTerms
  readonly checkpoint?: CheckpointChoice
}

/**
 * The id of the evaluation of the run by the job's settings: equal for equal plan, holdout, prompt, contenders and
 * rule.
 */
export function evaluationId({ task, job, run, training, holdout, recordings = {}, checkpoint }: Settings): string {
  const planned = training.checkpoint ?? "last"
  return contentId("eval", {
    semantics: semanticsOf(task),
    run,
    plan: digest(training),
    task: task.task,
    output: task.output,
    verdict: task.verdict,
    evaluation: { ...job.evaluation, maxNewTokens: job.evaluation.maxNewTokens ?? formerMaxNewTokens },
    ...(holdout === training.holdout ? {} : { holdout }),
    ...(checkpoint === undefined || checkpoint === planned ? {} : { checkpoint }),
    ...(task.holdout.groupBy === undefined ? {} : { groupCorrelation: task.holdout.groupCorrelation }),
    ...(Object.keys(recordings).length === 0 ? {} : { recordings }),
  })
}

/** The run's plan; the specification must still render the prompt that the run was trained with. */
function requirePlan(context: StageContext, task: TaskSpecification, run: string): TrainingPlan {
  const plan = readPlan(runFiles(context.workspace, run))
  if (!plan)
    throw new ToolkitError(`there is no run ${run} in this workspace`, {
      code: "unknown-run",
      exitCode: 2,
      hint: "tuneloop runs ls lists them.",
    })
  if (promptVersion(task) !== plan.prompt)
    throw new ConfigError(
      `${run} was trained with another prompt`,
      [
        {
          file: context.workspace.show(context.workspace.specFile(task.task)),
          path: "prompt",
          message: `renders ${promptVersion(task)}; the run was trained with ${plan.prompt}`,
        },
      ],
      `Train again: tuneloop train ${plan.job} --wait`,
    )
  return plan
}

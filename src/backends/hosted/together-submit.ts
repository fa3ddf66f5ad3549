import { createHash } from "node:crypto"
import type { RunFiles, StoredThing, SubmitOptions, TrainingPlan } from "../../core/contracts/backend.ts"
import { ProviderError } from "../../core/errors.ts"
import type { RemoteJob } from "../../core/training/run.ts"
import { type ConfirmedSubmission, jobNamed, requireFit } from "./confirm.ts"
import { searchOf, Submission } from "./submission-notes.ts"
import { isOver, type ModelLimits, type TogetherJob, type TogetherJobs } from "./together-jobs.ts"

/**
 * Uploads what was not uploaded for this key yet, waits until the service has looked at it, asks what the job will
 * cost, and creates it, once.
 */
export async function submitJob(
  jobs: TogetherJobs,
  plan: TrainingPlan,
  files: RunFiles,
  { submissionKey, priced }: Pick<SubmitOptions, "submissionKey" | "priced">,
): Promise<RemoteJob> {
  const submission = new Submission(files, submissionKey)
  const sent = await submission.uploaded(plan, jobs)
  const request = { ...requestOf(plan, submissionKey), ...sent }
  const usd = await requireAllowance(jobs, request)
  if (usd !== undefined) await priced?.(usd)
  return remoteJob(await jobs.create(request, () => submission.aboutToCreate(jobs.wire.now())), submissionKey)
}

/** The job that a submit with this key created: its suffix and its training file are this submission's alone. */
export async function findJob(
  jobs: TogetherJobs,
  submissionKey: string,
  files: RunFiles,
  settleMs: number,
): Promise<RemoteJob | undefined> {
  const search = searchOf(files, submissionKey)
  if (search === undefined) return undefined
  const { trainingFile } = search
  const mark = markOf(submissionKey)
  const found = (await jobs.jobs()).find(
    (job) => job.suffix?.endsWith(mark) || (trainingFile !== undefined && job.training_file === trainingFile),
  )
  if (found !== undefined) return remoteJob(found, submissionKey)
  search.requireSettled({ provider: "together", settleMs, now: jobs.wire.now() })
  return undefined
}

/** The job of this id as that of the submission. Throws where it is another one. */
export async function confirmJob(jobs: TogetherJobs, id: string, submission: ConfirmedSubmission): Promise<RemoteJob> {
  const job = await jobNamed("together", id, (name) => jobs.job(name))
  const isMarked = job.suffix?.endsWith(markOf(submission.submissionKey)) === true ? true : undefined
  const named = { id, model: job.model, trainingFile: job.training_file, isMarked }
  await requireFit(named, submission, { backend: "together", bytesOf: (file) => jobs.bytesOf(file) })
  return remoteJob(job, submission.submissionKey)
}

/** The files and the jobs that the service lists for this key. */
export async function* storedThings(jobs: TogetherJobs): AsyncGenerator<StoredThing> {
  for (const { id, filename, bytes, processing_status: status } of await jobs.files())
    yield { kind: "file", id, name: filename ?? undefined, bytes: bytes ?? undefined, status: status ?? undefined }
  for (const job of await jobs.jobs())
    yield {
      kind: "job",
      id: job.id,
      name: job.model_output_name ?? job.model ?? undefined,
      createdAt: job.created_at ?? undefined,
      status: job.status,
      isOpen: !isOver(job),
      files: [job.training_file, job.validation_file].filter((file) => typeof file === "string"),
    }
}

/** What is sent to create the job, without its files. */
export function requestOf(plan: TrainingPlan, submissionKey: string): Record<string, unknown> {
  const { method, hyperparameters: settings } = plan
  return {
    model: plan.baseModel,
    suffix: `${plan.job.slice(0, longestSuffix - markDigits - 1)}-${markOf(submissionKey)}`,
    n_epochs: settings.epochs,
    batch_size: settings.batchSize,
    gradient_accumulation_steps: settings.gradientAccumulation,
    learning_rate: settings.learningRate,
    lr_scheduler: { lr_scheduler_type: settings.scheduler, lr_scheduler_args: schedulerArguments(settings.scheduler) },
    warmup_ratio: settings.warmupRatio,
    weight_decay: settings.weightDecay,
    max_seq_length: settings.maxLength,
    random_seed: plan.seed,
    ...(plan.files.validation.rows > 0 ? { n_evals: settings.epochs } : {}),
    // A loss for each checkpoint: both come at the end of each epoch.
    ...(plan.checkpoint === undefined ? {} : { n_checkpoints: settings.epochs }),
    training_method: methodOf(plan),
    training_type: {
      type: "Lora",
      lora_r: method.rank,
      lora_alpha: method.alpha,
      lora_dropout: method.dropout,
      lora_trainable_modules: Array.isArray(method.targetModules)
        ? method.targetModules.join(",")
        : method.targetModules,
    },
  }
}

function methodOf({ objective, hyperparameters: { beta } }: TrainingPlan) {
  if (objective === "sft") return { method: "sft", train_on_inputs: false }
  return { method: "dpo", ...(beta === undefined ? {} : { dpo_beta: beta }) }
}

/** What of the plan is beyond the model's limits. */
export function beyondLimits(
  { baseModel, method, hyperparameters, objective, checkpoint }: TrainingPlan,
  limits: ModelLimits | undefined,
): string[] {
  if (limits === undefined) return [`${baseModel} cannot be fine-tuned there`]
  const { max_rank, min_batch_size, max_batch_size, max_batch_size_dpo, target_modules } = limits.lora_training ?? {}
  const mostRows = objective === "dpo" ? max_batch_size_dpo : max_batch_size
  const over = (name: string, value: number, most: number | null | undefined) =>
    typeof most === "number" && value > most ? [`${name} is ${value}; at most ${most}`] : []
  const modules = Array.isArray(method.targetModules) && target_modules ? method.targetModules : []
  const unknown = modules.filter((name) => !target_modules?.includes(name))
  return [
    ...(hyperparameters.scheduler === "constant"
      ? ["hyperparameters.scheduler is constant; allowed: linear, cosine"]
      : []),
    ...(limits.lora_training ? [] : [`${baseModel} has no LoRA training there`]),
    ...over("method.rank", method.rank, max_rank),
    ...over("hyperparameters.epochs", hyperparameters.epochs, limits.max_num_epochs),
    ...(checkpoint === undefined
      ? []
      : over("the number of checkpoints, one an epoch,", hyperparameters.epochs, limits.max_num_checkpoints)),
    ...over("hyperparameters.batchSize", hyperparameters.batchSize, mostRows),
    ...(typeof min_batch_size === "number" && hyperparameters.batchSize < min_batch_size
      ? [`hyperparameters.batchSize is ${hyperparameters.batchSize}; at least ${min_batch_size}`]
      : []),
    ...over(
      "hyperparameters.maxLength",
      hyperparameters.maxLength,
      objective === "sft" ? limits.max_seq_length_sft : limits.max_seq_length_dpo,
    ),
    ...(unknown.length === 0
      ? []
      : [`method.targetModules has ${unknown.join(", ")}; allowed: ${target_modules?.join(", ")}`]),
  ]
}

/** A cosine has to say how much of its wave is used: half of it falls to the lowest rate. */
function schedulerArguments(scheduler: string): object {
  return { min_lr_ratio: 0, ...(scheduler === "cosine" ? { num_cycles: 0.5 } : {}) }
}

/**
 * What the job will cost, where the service says so. It would not run one beyond the account's limit: that is said
 * before the job is created.
 */
async function requireAllowance(
  jobs: TogetherJobs,
  request: Readonly<Record<string, unknown>>,
): Promise<number | undefined> {
  const { model, training_file, validation_file, n_epochs, n_evals, training_method, training_type } = request
  const estimate = await jobs.estimate({
    ...{ model, training_file, n_epochs, training_method, training_type },
    ...(validation_file === undefined ? {} : { validation_file, n_evals }),
  })
  if (estimate.allowed_to_proceed !== false) return estimate.estimated_total_price ?? undefined
  throw new ProviderError(
    `together estimates $${estimate.estimated_total_price ?? "?"} for the job; the account's limit is ` +
      `$${estimate.user_limit ?? "?"}`,
    { provider: "together", mayHaveCost: false, hint: "Raise the limit at Together, or train on fewer rows." },
  )
}

export function remoteJob(job: TogetherJob, submissionKey: string): RemoteJob {
  const { id, training_file: train, validation_file: validation } = job
  return {
    backend: "together",
    id,
    submissionKey,
    details: { ...(train ? { trainingFile: train } : {}), ...(validation ? { validationFile: validation } : {}) },
  }
}

const longestSuffix = 40
const markDigits = 12

/** Stands in the name of the job and of its model: the service keeps no metadata. */
function markOf(submissionKey: string): string {
  return createHash("sha256").update(submissionKey).digest("hex").slice(0, markDigits)
}

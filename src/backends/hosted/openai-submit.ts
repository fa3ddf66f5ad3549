import type { RunFiles, TrainingPlan } from "../../core/contracts/backend.ts"
import { ProviderError } from "../../core/errors.ts"
import type { RemoteJob } from "../../core/training/run.ts"
import type { Job, OpenAiJobs } from "./openai-jobs.ts"
import { readNotes, type SubmissionNotes, writeNotes } from "./submission-notes.ts"

/** The field of a job's metadata that names its submission. */
export const keyLabel = "tuneloop_submission"

/**
 * Uploads what was not uploaded for this key yet, waits until it is ready, and creates the job, once. The notes say
 * what lies at the service, and that a job is about to be asked for, before each happens.
 */
export async function submitJob(
  jobs: OpenAiJobs,
  plan: TrainingPlan,
  files: RunFiles,
  submissionKey: string,
): Promise<RemoteJob> {
  const known = readNotes(files)
  let notes: SubmissionNotes = known?.submissionKey === submissionKey ? known : { submissionKey, uploads: {} }
  const uploaded = async (name: string, path: string): Promise<string> => {
    const there = notes.uploads[name]
    if (there !== undefined) return there.id
    const { id, bytes } = await jobs.upload(path)
    notes = { ...notes, uploads: { ...notes.uploads, [name]: { id, bytes: bytes ?? 0 } } }
    writeNotes(files, notes)
    return id
  }
  const trainingFile = await uploaded("train.jsonl", files.train)
  const validationFile =
    plan.files.validation.rows > 0 ? await uploaded("validation.jsonl", files.validation) : undefined
  for (const id of [trainingFile, ...(validationFile === undefined ? [] : [validationFile])]) await jobs.whenReady(id)
  const job = await jobs.create(requestOf(jobs, plan, { trainingFile, validationFile, submissionKey }), () => {
    notes = { ...notes, creatingAt: jobs.wire.now().toISOString() }
    writeNotes(files, notes)
  })
  return remoteJob(jobs, job, submissionKey)
}

/**
 * The job that a submit with this key created. Found by the key in its metadata, or, where the service keeps none, by
 * its training file, which was uploaded for this key alone. Throws while a new job may still be missing from the list.
 */
export async function findJob(
  jobs: OpenAiJobs,
  submissionKey: string,
  files: RunFiles,
): Promise<RemoteJob | undefined> {
  const notes = readNotes(files)
  // Nothing was asked for under this key.
  if (notes?.submissionKey !== submissionKey || notes.creatingAt === undefined) return undefined
  const trainingFile = notes.uploads["train.jsonl"]?.id
  for await (const job of jobs.jobs())
    if (
      job.metadata?.[keyLabel] === submissionKey ||
      (trainingFile !== undefined && job.training_file === trainingFile)
    )
      return remoteJob(jobs, job, submissionKey)
  const { settleMs, backend } = jobs.options
  const youngMs = Math.abs(jobs.wire.now().getTime() - Date.parse(notes.creatingAt))
  if (youngMs >= settleMs) return undefined
  throw new ProviderError("the job is not in the service's list, which may lag behind", {
    provider: backend,
    retryAfterMs: settleMs - youngMs,
    isRetryable: true,
    hint: `Ask again in ${Math.ceil((settleMs - youngMs) / 1000)} s.`,
  })
}

/** What is sent to create the job: every setting as the service calls it, none that it does not follow. */
export function requestOf(
  { options: { profile, extra } }: OpenAiJobs,
  plan: TrainingPlan,
  sent: { readonly trainingFile: string; readonly validationFile: string | undefined; readonly submissionKey: string },
): Record<string, unknown> {
  const given: Readonly<Record<string, unknown>> = { ...plan.method, ...plan.hyperparameters }
  const settings = {
    ...profile.always,
    ...Object.fromEntries(
      Object.entries(profile.settings).flatMap(([ours, theirs]) =>
        given[ours] === undefined ? [] : [[theirs, given[ours]]],
      ),
    ),
  }
  return {
    model: plan.baseModel,
    training_file: sent.trainingFile,
    ...(sent.validationFile === undefined ? {} : { validation_file: sent.validationFile }),
    suffix: plan.job.slice(0, longestSuffix),
    seed: plan.seed,
    ...(profile.hyperparameters === "method"
      ? { method: { type: "supervised", supervised: { hyperparameters: settings } } }
      : { hyperparameters: settings }),
    ...(profile.hasMetadata ? { metadata: { [keyLabel]: sent.submissionKey } } : {}),
    ...extra,
  }
}

const longestSuffix = 64

export function remoteJob(
  { options: { backend } }: OpenAiJobs,
  { id, training_file: train, validation_file: validation }: Job,
  submissionKey: string,
): RemoteJob {
  return {
    backend,
    id,
    submissionKey,
    details: { ...(train ? { trainingFile: train } : {}), ...(validation ? { validationFile: validation } : {}) },
  }
}

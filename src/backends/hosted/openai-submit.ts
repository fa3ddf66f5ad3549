import type { RunFiles, TrainingPlan } from "../../core/contracts/backend.ts"
import type { RemoteJob } from "../../core/training/run.ts"
import type { Job, OpenAiJobs } from "./openai-jobs.ts"
import { type ConfirmedSubmission, jobNamed, requireFit } from "./confirm.ts"
import { searchOf, Submission } from "./submission-notes.ts"

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
  const submission = new Submission(files, submissionKey)
  const sent = await submission.uploaded(plan, jobs)
  const job = await jobs.create({ ...requestOf(jobs, plan, submissionKey), ...sent }, () =>
    submission.aboutToCreate(jobs.wire.now()),
  )
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
  const search = searchOf(files, submissionKey)
  if (search === undefined) return undefined
  const { trainingFile } = search
  for await (const job of jobs.jobs())
    if (
      job.metadata?.[keyLabel] === submissionKey ||
      (trainingFile !== undefined && job.training_file === trainingFile)
    )
      return remoteJob(jobs, job, submissionKey)
  const { settleMs, backend: provider, profile } = jobs.options
  search.requireSettled({ provider, settleMs, now: jobs.wire.now(), keepsKey: profile.hasMetadata })
  return undefined
}

/** The job of this id as that of the submission. Throws where it is another one. */
export async function confirmJob(jobs: OpenAiJobs, id: string, submission: ConfirmedSubmission): Promise<RemoteJob> {
  const { backend } = jobs.options
  const job = await jobNamed(backend, id, (name) => jobs.job(name))
  const key = job.metadata?.[keyLabel]
  const isMarked = typeof key === "string" ? key === submission.submissionKey : undefined
  const bytesOf = async (file: string) => (await jobs.file(file)).bytes
  await requireFit({ id, model: job.model, trainingFile: job.training_file, isMarked }, submission, {
    backend,
    bytesOf,
  })
  return remoteJob(jobs, job, submission.submissionKey)
}

/** What is sent to create the job, without its files: settings as the service calls them, and only those. */
export function requestOf(
  { options: { profile, extra } }: OpenAiJobs,
  plan: TrainingPlan,
  submissionKey: string,
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
    suffix: plan.job.slice(0, longestSuffix),
    seed: plan.seed,
    ...(profile.hyperparameters === "method" ? { method: methodOf(plan, settings) } : { hyperparameters: settings }),
    ...(profile.hasMetadata ? { metadata: { [keyLabel]: submissionKey } } : {}),
    ...extra,
  }
}

const longestSuffix = 64

function methodOf({ objective }: TrainingPlan, hyperparameters: Readonly<Record<string, unknown>>) {
  return objective === "dpo"
    ? { type: "dpo", dpo: { hyperparameters } }
    : { type: "supervised", supervised: { hyperparameters } }
}

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

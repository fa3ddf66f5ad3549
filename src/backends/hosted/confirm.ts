import type { RunFiles, TrainingPlan } from "../../core/contracts/backend.ts"
import { ProviderError } from "../../core/errors.ts"
import { searchOf } from "./submission-notes.ts"

/** A job that a person named as that of a submission. */
export interface NamedJob {
  readonly id: string
  readonly model: string | null | undefined
  readonly trainingFile: string | null | undefined
  /** Whether what the service keeps of the key names this submission; undefined where it keeps nothing. */
  readonly isMarked: boolean | undefined
}

export interface ConfirmedSubmission {
  readonly plan: TrainingPlan
  readonly files: RunFiles
  readonly submissionKey: string
}

/** How a service is asked about the job. */
interface Service {
  /** The backend's name. */
  readonly backend: string
  /** How many bytes a file there has. */
  readonly bytesOf: (file: string) => Promise<number | null | undefined>
}

/** The job that the service has under the id; an error where it has none says how to find the right one. */
export async function jobNamed<Job>(backend: string, id: string, look: (id: string) => Promise<Job>): Promise<Job> {
  try {
    return await look(id)
  } catch (error) {
    if (!(error instanceof ProviderError) || (error.status !== 404 && error.status !== 400)) throw error
    throw misnamedJob(backend, `${backend} has no job ${id}`)
  }
}

/**
 * The job is of the plan's model, and trained on the file that was uploaded for the submission, or, where that is not
 * known, on one of the same size. Throws where it is another one.
 */
export async function requireFit(job: NamedJob, submission: ConfirmedSubmission, service: Service): Promise<void> {
  const fault = job.isMarked === true ? undefined : await misfit(job, submission, service)
  if (fault !== undefined) throw misnamedJob(service.backend, `${job.id} is not the job of this run: ${fault}`)
}

async function misfit(
  { model, trainingFile, isMarked }: NamedJob,
  { plan, files, submissionKey }: ConfirmedSubmission,
  { bytesOf }: Service,
): Promise<string | undefined> {
  if (isMarked === false) return "it was created by another submission"
  // A name without a date becomes one with a date.
  if (typeof model === "string" && model !== plan.baseModel && !model.startsWith(`${plan.baseModel}-`))
    return `it trains ${model}, the run ${plan.baseModel}`
  const uploaded = searchOf(files, submissionKey)?.trainingFile
  if (uploaded !== undefined)
    return trainingFile === uploaded
      ? undefined
      : `it trains on ${trainingFile ?? "no file"}, the run uploaded ${uploaded}`
  if (typeof trainingFile !== "string") return "it names no training file"
  const bytes = await bytesOf(trainingFile)
  return bytes === plan.files.train.bytes
    ? undefined
    : `its training file has ${bytes ?? "an unknown number of"} bytes, the run's has ${plan.files.train.bytes}`
}

/** A job that is not the one that was meant, with the way to the right one. */
export function misnamedJob(
  provider: string,
  message: string,
  hint = `Look at the jobs there: tuneloop runs ls --on ${provider}`,
): ProviderError {
  return new ProviderError(message, { provider, mayHaveCost: false, hint })
}

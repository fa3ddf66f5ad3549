import type { Artifact, RunFiles, ServiceJob } from "../../core/contracts/backend.ts"
import { bringRows } from "./adopted-rows.ts"
import { type Job, type OpenAiJobs, timeOf } from "./openai-jobs.ts"

/** The jobs at the service, whoever created them, newest first; or the one of the id. */
export async function* jobHistory(jobs: OpenAiJobs, id?: string): AsyncGenerator<ServiceJob> {
  if (id !== undefined) yield serviceJob(await jobs.job(id))
  else for await (const job of jobs.jobs()) yield serviceJob(job)
}

/** The rows that the service still has of a job, as they were uploaded. */
export function fetchRows(jobs: OpenAiJobs, job: ServiceJob, files: RunFiles): Promise<Artifact[]> {
  return bringRows(job, files, async (id, path) => jobs.download(await jobs.file(id), path))
}

function serviceJob(job: Job): ServiceJob {
  return {
    id: job.id,
    createdAt: timeOf(job.created_at),
    baseModel: job.model ?? undefined,
    objective: objectiveOf(job),
    files: { train: job.training_file ?? undefined, validation: job.validation_file ?? undefined },
    said: job,
  }
}

function objectiveOf({ method }: Job): ServiceJob["objective"] {
  return method?.type === "dpo" ? "dpo" : method?.type === "supervised" || method == null ? "sft" : undefined
}

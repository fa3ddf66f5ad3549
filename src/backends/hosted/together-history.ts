import type { Artifact, RunFiles, ServiceJob } from "../../core/contracts/backend.ts"
import { bringRows } from "./adopted-rows.ts"
import type { TogetherJob, TogetherJobs } from "./together-jobs.ts"

/** The jobs at the service, whoever created them, newest first; or the one of the id. */
export async function* jobHistory(jobs: TogetherJobs, id?: string): AsyncGenerator<ServiceJob> {
  if (id !== undefined) return yield serviceJob(await jobs.job(id))
  const all = await jobs.jobs()
  for (const job of all.toSorted((a, b) => timeOf(b) - timeOf(a))) yield serviceJob(job)
}

/** The rows that the service still has of a job, as they were uploaded. */
export function fetchRows(jobs: TogetherJobs, job: ServiceJob, files: RunFiles): Promise<Artifact[]> {
  return bringRows(job, files, (id, path) => jobs.downloadFile(id, path))
}

function serviceJob(job: TogetherJob): ServiceJob {
  const { method } = job.training_method ?? {}
  return {
    id: job.id,
    createdAt: Number.isNaN(timeOf(job)) ? undefined : new Date(timeOf(job)).toISOString(),
    baseModel: job.model ?? undefined,
    objective: method === "sft" || method === "dpo" ? method : undefined,
    files: { train: job.training_file ?? undefined, validation: job.validation_file ?? undefined },
    said: job,
  }
}

function timeOf({ created_at: at }: TogetherJob): number {
  return Date.parse(at ?? "")
}

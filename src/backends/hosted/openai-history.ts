import { existsSync, mkdirSync } from "node:fs"
import { dirname } from "node:path"
import type { Artifact, RunFiles, ServiceJob } from "../../core/contracts/backend.ts"
import { ProviderError } from "../../core/errors.ts"
import { artifactOf } from "./artifacts.ts"
import { type Job, type OpenAiJobs, timeOf } from "./openai-jobs.ts"

/** The jobs at the service, whoever created them, newest first; or the one of the id. */
export async function* jobHistory(jobs: OpenAiJobs, id?: string): AsyncGenerator<ServiceJob> {
  if (id !== undefined) yield serviceJob(await jobs.job(id))
  else for await (const job of jobs.jobs()) yield serviceJob(job)
}

/** The rows that the service still has of a job, as they were uploaded. */
export async function fetchRows(jobs: OpenAiJobs, { files: there }: ServiceJob, files: RunFiles): Promise<Artifact[]> {
  const artifacts: Artifact[] = []
  for (const [id, path] of [
    [there.train, files.train],
    [there.validation, files.validation],
  ] as const) {
    if (id === undefined || existsSync(path)) continue
    mkdirSync(dirname(path), { recursive: true })
    if (await download(jobs, id, path)) artifacts.push(await artifactOf(path))
  }
  return artifacts
}

/** False for a file that the service has deleted, or does not give away. */
async function download(jobs: OpenAiJobs, id: string, path: string): Promise<boolean> {
  try {
    await jobs.download(await jobs.file(id), path)
    return true
  } catch (error) {
    if (error instanceof ProviderError && [400, 403, 404].includes(error.status ?? 0)) return false
    throw error
  }
}

function serviceJob(job: Job): ServiceJob {
  return {
    id: job.id,
    createdAt: timeOf(job.created_at),
    baseModel: job.model ?? undefined,
    files: { train: job.training_file ?? undefined, validation: job.validation_file ?? undefined },
    said: job,
  }
}

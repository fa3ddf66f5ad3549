import { existsSync, mkdirSync, statSync } from "node:fs"
import { basename, join } from "node:path"
import type { Artifact, RunFiles } from "../../core/contracts/backend.ts"
import type { RemoteJob } from "../../core/training/run.ts"
import { artifactOf } from "./artifacts.ts"
import type { OpenAiJobs } from "./openai-jobs.ts"

/**
 * The result files of a job, and those of its checkpoints where the service has them (adapters), in the run's folder,
 * each of the size that the service states. What is there already is not brought again.
 */
export async function fetchResults(jobs: OpenAiJobs, remote: RemoteJob, files: RunFiles): Promise<Artifact[]> {
  const job = await jobs.job(remote.id)
  const artifacts: Artifact[] = []
  for (const id of job.result_files ?? []) artifacts.push(await fetchFile(jobs, id, join(files.folder, "results")))
  for (const { step_number: step, result_files: results } of await jobs.checkpoints(remote.id))
    for (const id of results ?? [])
      artifacts.push(await fetchFile(jobs, id, join(files.checkpoints, `step-${step ?? "last"}`)))
  return artifacts
}

async function fetchFile(jobs: OpenAiJobs, id: string, folder: string): Promise<Artifact> {
  const file = await jobs.file(id)
  // A service's own name stays inside the folder.
  const path = join(folder, basename(file.filename ?? id).replace(/^\.+/, "_") || id)
  if (!existsSync(path) || (typeof file.bytes === "number" && statSync(path).size !== file.bytes)) {
    mkdirSync(folder, { recursive: true })
    await jobs.download(file, path)
  }
  return artifactOf(path)
}

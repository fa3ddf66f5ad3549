import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import type { Artifact, RunFiles } from "../../core/contracts/backend.ts"
import { ProviderError } from "../../core/errors.ts"
import type { RemoteJob } from "../../core/training/run.ts"
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
  const { filename, bytes: stated } = await jobs.file(id)
  // A service's own name stays inside the folder.
  const path = join(folder, basename(filename ?? id).replace(/^\.+/, "_") || id)
  if (!existsSync(path)) {
    const content = await jobs.content(id)
    if (typeof stated === "number" && stated !== content.byteLength)
      throw new ProviderError(`${id} came with ${content.byteLength} bytes; the service states ${stated}`, {
        provider: jobs.wire.service.name,
        isRetryable: true,
        mayHaveCost: false,
      })
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${path}.tmp`, content)
    renameSync(`${path}.tmp`, path)
  }
  const content = readFileSync(path)
  return { path, bytes: content.byteLength, digest: `sha256:${createHash("sha256").update(content).digest("hex")}` }
}

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import type { Artifact, RunFiles } from "../../../core/contracts/backend.ts"
import { ProviderError } from "../../../core/errors.ts"
import type { RemoteJob } from "../../../core/training/run.ts"
import { artifactOf } from "../artifacts.ts"
import { referenceOf } from "./artifacts.ts"
import { checkpointName, modelOf, type WandbProject } from "./submit.ts"

/**
 * The adapter of the job's last checkpoint is in the run's folder, each file of the digest that its artifact states;
 * the folder is whole or not there. What is there already is not brought again.
 */
export async function fetchAdapter(place: WandbProject, job: RemoteJob, files: RunFiles): Promise<Artifact[]> {
  if (!existsSync(files.adapter)) await bring(place, job, files)
  return Promise.all(filesIn(files.adapter).map(artifactOf))
}

async function bring({ jobs, artifacts }: WandbProject, { details = {} }: RemoteJob, files: RunFiles): Promise<void> {
  const model = modelOf(details)
  const step = (await jobs.checkpoints(model.modelId)).at(-1)?.step ?? 0
  if (step === 0) throw missing(`the model ${model.name} has no trained checkpoint`)
  mkdirSync(files.folder, { recursive: true })
  const staging = mkdtempSync(join(files.folder, "adapter-"))
  try {
    const adapter = join(staging, "adapter")
    const artifact = checkpointName(model, step)
    if (!(await artifacts.download(artifact, adapter))) throw missing(`there is no artifact ${referenceOf(artifact)}`)
    renameSync(adapter, files.adapter)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

function missing(message: string): ProviderError {
  return new ProviderError(message, { provider: "wandb", mayHaveCost: false })
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .sort()
}

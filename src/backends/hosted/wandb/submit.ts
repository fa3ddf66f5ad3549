import { createHash } from "node:crypto"
import { rmSync } from "node:fs"
import type { RunFiles, StoredThing, TrainingPlan } from "../../../core/contracts/backend.ts"
import { JobMayExistError, ProviderError } from "../../../core/errors.ts"
import type { RemoteJob } from "../../../core/training/run.ts"
import { type ConfirmedSubmission, misnamedJob } from "../confirm.ts"
import { searchOf, Submission } from "../submission-notes.ts"
import type { ArtifactName, WandbArtifacts } from "./artifacts.ts"
import { learningRates, writeEpochs } from "./epochs.ts"
import { jobOf, type WandbJobs } from "./jobs.ts"

/** A project at W&B and how it is reached. */
export interface WandbProject {
  readonly jobs: WandbJobs
  readonly artifacts: WandbArtifacts
  /** The key's own where absent. */
  readonly entity: string | undefined
  readonly project: string
}

/** The model that a job trains: made for its submission alone, so that its checkpoints are the job's. */
export interface TrainedModel {
  readonly modelId: string
  readonly entity: string
  readonly project: string
  readonly name: string
  readonly run: string
  readonly baseModel: string
}

/**
 * Makes a model for this key, uploads the rows of all epochs as an artifact, and creates the job, once. The notes say
 * what lies there, and that a job is about to be asked for, before each happens.
 */
export async function submitJob(
  { jobs, artifacts, entity, project }: WandbProject,
  plan: TrainingPlan,
  files: RunFiles,
  submissionKey: string,
): Promise<RemoteJob> {
  const submission = new Submission(files, submissionKey)
  const name = `${plan.job.slice(0, longestName - markDigits - 1)}-${markOf(submissionKey)}`
  const model = modelOf(
    await submission.made(async () => {
      const made = await jobs.model({ entity, project, name, base_model: plan.baseModel })
      const run = made.run_id ?? made.name
      return {
        modelId: made.id,
        entity: made.entity,
        project: made.project,
        name: made.name,
        run,
        baseModel: plan.baseModel,
      }
    }),
  )
  const withoutValidation = { ...plan, files: { ...plan.files, validation: { ...plan.files.validation, rows: 0 } } }
  const { training_file: rows } = await submission.uploaded(withoutValidation, {
    upload: async (path) => ({ id: await uploadRows(artifacts, model, plan, path) }),
    // An artifact is committed, or not there.
    whenReady: async () => undefined,
  })
  const request = { model_id: model.modelId, training_data_url: rows, config: configOf(plan) }
  const { id } = await jobs.create(request, () => submission.aboutToCreate(jobs.wire.now()))
  submission.created(id)
  return remoteJob(id, submissionKey, model, rows)
}

/**
 * The job that a submit with this key created. The service lists no jobs: one whose answer arrived is known by its id,
 * any other by what it made of the submission's model. Throws where there is neither: nobody knows whether it runs.
 */
export async function findJob(
  { jobs }: WandbProject,
  submissionKey: string,
  files: RunFiles,
): Promise<RemoteJob | undefined> {
  const search = searchOf(files, submissionKey)
  if (search === undefined) return undefined
  const model = modelOf(search.made)
  const rows = search.trainingFile ?? ""
  if (search.job !== undefined) {
    const job = await jobs.job(search.job)
    return remoteJob(job.id, submissionKey, model, rows)
  }
  const checkpoints = await jobs.checkpoints(model.modelId)
  if (checkpoints.some(({ step }) => step > 0)) return remoteJob(unnamedJob, submissionKey, model, rows)
  throw new JobMayExistError("the answer to the create did not arrive, and W&B has no list of jobs", {
    provider: "wandb",
    isRetryable: true,
    retryAfterMs: unknownMs,
    hint: `A job that ran shows itself by a checkpoint of the model ${model.name}. Look for it at ${pageOf(model)}`,
  })
}

/** Where a person sees the model's jobs, which no call lists. */
function pageOf({ entity, project, run }: TrainedModel): string {
  return `https://wandb.ai/${entity}/${project}/runs/${run}`
}

/** The job of this id as that of the submission. Throws where it is another one; the service may name no model. */
export async function confirmJob(
  { jobs }: WandbProject,
  id: string,
  { files, submissionKey }: ConfirmedSubmission,
): Promise<RemoteJob> {
  const misnamed = (message: string, hint: string) => misnamedJob("wandb", message, hint)
  const job = await jobOf(jobs, id)
  const search = searchOf(files, submissionKey)
  if (search === undefined)
    throw misnamed(
      `${id} is not the job of this run: it asked for none`,
      `There is none then: tuneloop runs resolve ${files.run} --not-created`,
    )
  const model = modelOf(search.made)
  const look = `W&B lists no jobs. Look at the page of the run's model: ${pageOf(model)}`
  if (job === undefined) throw misnamed(`wandb has no job ${id}`, look)
  if (job.model_id != null && job.model_id !== model.modelId)
    throw misnamed(`${id} is not the job of this run: it trains ${job.model_id}, the run ${model.modelId}`, look)
  new Submission(files, submissionKey).created(id)
  return remoteJob(id, submissionKey, model, search.trainingFile ?? "")
}

/** The artifacts of rows in the project; there is no list of jobs. */
export async function* storedThings({ artifacts, entity, project }: WandbProject): AsyncGenerator<StoredThing> {
  for await (const { reference, ...artifact } of artifacts.list(entity ?? (await artifacts.entity()), project))
    yield { kind: "file", id: reference, bytes: artifact.bytes, createdAt: artifact.createdAt, status: artifact.state }
}

/** An uploaded artifact is gone, with its rows. */
export async function purge({ artifacts }: WandbProject, reference: string): Promise<void> {
  await artifacts.remove(nameIn(reference))
}

/** What keeps the plan from being taken, as the service and its own client state it. */
export async function refusalsOf(
  { jobs }: WandbProject,
  { baseModel, files, hyperparameters }: TrainingPlan,
  mostFileBytes: number,
): Promise<string[]> {
  const models = await jobs.baseModels()
  const bytes = files.train.bytes * hyperparameters.epochs
  return [
    ...(models.includes(baseModel) ? [] : [`it cannot train ${baseModel}; it trains ${models.join(", ")}`]),
    ...(bytes > mostFileBytes
      ? [`the rows of ${hyperparameters.epochs} epochs have ${bytes} bytes; at most ${mostFileBytes} go up at once`]
      : []),
  ]
}

export function modelOf(details: Readonly<Record<string, string>>): TrainedModel {
  const { modelId = "", entity = "", project = "", name = "", run = "", baseModel = "" } = details
  return { modelId, entity, project, name, run, baseModel }
}

/** The name by which the model of a step is asked, and its adapter is found. */
export function checkpointName({ entity, project, name }: TrainedModel, step: number): ArtifactName {
  return { entity, project, name, version: `step${step}` }
}

/** The id of a job whose own id never arrived: it is known by its model alone. */
export const unnamedJob = "unnamed"

/** The loss is on the last answer alone, as in our own trainer. */
function configOf(plan: TrainingPlan): object {
  return { batch_size: plan.hyperparameters.batchSize, learning_rate: learningRates(plan), assistant_turns: "last" }
}

async function uploadRows(
  artifacts: WandbArtifacts,
  model: TrainedModel,
  plan: TrainingPlan,
  path: string,
): Promise<string> {
  const { entity, project, run, name } = model
  const { epochs } = plan.hyperparameters
  const rows = `${path}.epochs`
  try {
    await writeEpochs(path, rows, { epochs, seed: plan.seed })
    const metadata = { format: "jsonl", num_trajectories: plan.files.train.rows * epochs }
    const artifact = { entity, project, run, name: `${name}-rows`, metadata }
    return await artifacts.save(artifact, { name: "train.jsonl", path: rows })
  } finally {
    rmSync(rows, { force: true })
  }
}

function remoteJob(id: string, submissionKey: string, model: TrainedModel, rows: string): RemoteJob {
  return { backend: "wandb", id, submissionKey, details: { ...model, trainingFile: rows } }
}

/** The parts of `wandb-artifact:///entity/project/name:version`. */
function nameIn(reference: string): ArtifactName {
  const [, entity, project, name, version] =
    /^wandb-artifact:\/\/\/([^/]+)\/([^/]+)\/([^/:]+):([^/:]+)$/.exec(reference) ?? []
  if (entity !== undefined && project !== undefined && name !== undefined && version !== undefined)
    return { entity, project, name, version }
  throw new ProviderError(`${reference} is not the name of an artifact`, { provider: "wandb", mayHaveCost: false })
}

const unknownMs = 60_000
const longestName = 64
const markDigits = 12

function markOf(submissionKey: string): string {
  return createHash("sha256").update(submissionKey).digest("hex").slice(0, markDigits)
}

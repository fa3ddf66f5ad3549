import { createHash, hash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { RunFiles, TrainingPlan } from "../../../core/contracts/backend.ts"
import { ToolkitError } from "../../../core/errors.ts"
import type { RemoteJob } from "../../../core/training/run.ts"
import { type ConfirmedSubmission, jobNamed, requireFit } from "../confirm.ts"
import { searchOf, Submission, uploadsOf } from "../submission-notes.ts"
import { fileDigest } from "../../work/digests.ts"
import { trainingRequest } from "../../work/training-request.ts"
import type { Hub, HubFile, HubJob } from "./hub.ts"

export const backendName = "hf-jobs"

/** Where and how a job is run. */
export interface JobPlace {
  readonly hub: Hub
  /** What the names of its repositories begin with. */
  readonly repository: string
  readonly image: string
  readonly flavor: string
  /** The folder of the trainer's scripts here. */
  readonly trainer: string
  /** How long a new job may be missing from the list. */
  readonly settleMs: number
  /** Whether the machine is to talk to another hub than the public one. */
  readonly endpoint: string | undefined
}

const inputsAt = "/tuneloop/inputs"
const earlierAt = "/tuneloop/earlier"
/** The trainer is asked to stop so long before its machine goes, to leave what it has. */
const farewellSeconds = 180
const checkpointSeconds = 300
const keyLabel = "tuneloop-submission"
const keyVariable = "TUNELOOP_SUBMISSION"

/**
 * Makes a private repository for this key alone, puts the request, the rows and the trainer's scripts there, and
 * creates the job, once. The notes say what lies at the hub, and that a job is about to be asked for, before each
 * happens.
 */
export async function submitJob(
  place: JobPlace,
  plan: TrainingPlan,
  files: RunFiles,
  how: { readonly submissionKey: string; readonly timeoutSeconds: number; readonly resume: boolean },
): Promise<RemoteJob> {
  const { hub } = place
  const { submissionKey, timeoutSeconds } = how
  const repository = `${await hub.namespace()}/${place.repository}-${markOf(submissionKey)}`
  const earlier = how.resume ? await lastCheckpoints(hub, files, repository) : undefined
  const submission = new Submission(files, submissionKey)
  const job = {
    ...{ repository, submissionKey, timeoutSeconds, checkpointSeconds },
    deadlineSeconds: Math.max(timeoutSeconds - farewellSeconds, timeoutSeconds / 2),
  }
  const { sent, digest } = await inputsOf(place, plan, files, job)
  await submission.place("inputs", repository, async () => {
    await hub.createRepository(repository)
    await hub.upload(repository, sent, `The inputs of ${files.run}`)
  })
  const mounts = [
    { repository, at: inputsAt },
    ...(earlier === undefined ? [] : [{ repository: earlier, at: earlierAt }]),
  ]
  const created = await hub.createJob(
    {
      ...{ image: place.image, flavor: place.flavor, timeoutSeconds },
      command: [
        "python3",
        "-I",
        `${inputsAt}/trainer/hub_job.py`,
        inputsAt,
        digest,
        ...mounts.slice(1).map(({ at }) => at),
      ],
      environment: {
        [keyVariable]: submissionKey,
        ...(place.endpoint === undefined ? {} : { HF_ENDPOINT: place.endpoint }),
      },
      secrets: { HF_TOKEN: hub.token },
      labels: { name: plan.job, [keyLabel]: markOf(submissionKey) },
      mounts,
    },
    () => submission.aboutToCreate(hub.wire.now()),
  )
  return remoteJob(created, repository, submissionKey)
}

/** The job that a submit with this key created, by its label. Throws while a new job may still be missing there. */
export async function findJob(
  { hub, settleMs, repository }: JobPlace,
  submissionKey: string,
  files: RunFiles,
): Promise<RemoteJob | undefined> {
  const search = searchOf(files, submissionKey)
  if (search === undefined) return undefined
  const mark = markOf(submissionKey)
  for await (const job of hub.jobs([keyLabel, mark]))
    if (isMarked(job, mark)) return remoteJob(job, `${await hub.namespace()}/${repository}-${mark}`, submissionKey)
  search.requireSettled({ provider: backendName, settleMs, now: hub.wire.now() })
  return undefined
}

/** The job of this id as that of the submission. Throws where it is another one. */
export async function confirmJob(place: JobPlace, id: string, submission: ConfirmedSubmission): Promise<RemoteJob> {
  const { submissionKey } = submission
  const mark = markOf(submissionKey)
  const job = await jobNamed(backendName, id, (name) => place.hub.job(name))
  const named = { id, model: undefined, trainingFile: undefined, isMarked: isMarked(job, mark) }
  await requireFit(named, submission, { backend: backendName, bytesOf: async () => undefined })
  return remoteJob(job, `${await place.hub.namespace()}/${place.repository}-${mark}`, submissionKey)
}

/** The repository of a job's inputs, results and checkpoints. */
export function repositoryOf({ id, details }: RemoteJob): string {
  const repository = details?.["repository"]
  if (repository !== undefined) return repository
  throw new ToolkitError(`nobody wrote down the repository of the job ${id}`, {
    code: "provider",
    hint: `Look at the repositories there: tuneloop runs ls --on ${backendName}`,
  })
}

/** The key of a job's submission and its repository, by what the hub keeps of the job. */
export function submissionOf(job: HubJob): { readonly submissionKey?: string; readonly mark?: string } {
  const [key, mark] = [job.environment?.[keyVariable], job.labels?.[keyLabel]]
  return {
    ...(typeof key === "string" ? { submissionKey: key } : {}),
    ...(typeof mark === "string" ? { mark } : {}),
  }
}

function isMarked(job: HubJob, mark: string): boolean {
  return submissionOf(job).mark === mark
}

function remoteJob({ id }: HubJob, repository: string, submissionKey: string): RemoteJob {
  return { backend: backendName, id, submissionKey, details: { repository } }
}

/** The newest earlier attempt that left checkpoints. */
async function lastCheckpoints(hub: Hub, files: RunFiles, own: string): Promise<string | undefined> {
  for (const { remoteId } of uploadsOf(files))
    if (remoteId !== own && (await hub.files(remoteId, "checkpoints")).length > 0) return remoteId
  return undefined
}

/** Everything that the machine gets to see, with the digest of the list of digests. */
async function inputsOf(
  { trainer }: JobPlace,
  plan: TrainingPlan,
  files: RunFiles,
  job: { readonly submissionKey: string },
): Promise<{ readonly sent: readonly HubFile[]; readonly digest: string }> {
  const request = trainingRequest(plan, {
    ...{ run: files.run, submissionKey: job.submissionKey },
    ...{ train: "train.jsonl", validation: "validation.jsonl", adapter: "adapter", checkpoints: "checkpoints" },
  })
  const scripts = readdirSync(trainer).filter((name) => name.endsWith(".py") || name === "requirements.txt")
  const inputs: HubFile[] = [
    { path: "train.jsonl", file: files.train },
    ...(existsSync(files.validation) ? [{ path: "validation.jsonl", file: files.validation }] : []),
    { path: "request.json", text: `${JSON.stringify(request, null, 2)}\n` },
    { path: "job.json", text: `${JSON.stringify(job, null, 2)}\n` },
    ...scripts.sort().map((name) => ({ path: `trainer/${name}`, text: readFileSync(join(trainer, name), "utf8") })),
  ]
  const digests: Record<string, string> = {}
  for (const input of inputs)
    digests[input.path] = "text" in input ? hash("sha256", input.text, "hex") : await fileDigest(input.file)
  const manifest = `${JSON.stringify({ files: digests }, null, 2)}\n`
  return { sent: [...inputs, { path: "manifest.json", text: manifest }], digest: hash("sha256", manifest, "hex") }
}

const markDigits = 16

/** Stands in a label, which takes no colon, and in the name of a repository. */
function markOf(submissionKey: string): string {
  return createHash("sha256").update(submissionKey).digest("hex").slice(0, markDigits)
}

import { digest, digestText } from "../core/canonical.ts"
import type { RenderedFile, TrainingPlan } from "../core/backend.ts"
import { GateError, ToolkitError } from "../core/errors.ts"
import type { DatasetManifest, Example } from "../core/example.ts"
import type { JobSpecification } from "../core/job.ts"
import { stratumOf } from "../core/output.ts"
import { type Message, promptVersion, renderExample } from "../core/prompt.ts"
import type { TaskSpecification } from "../core/task.ts"
import { toJsonLines } from "../store/files.ts"
import { TaskRows } from "../store/task-rows.ts"
import { Versions } from "../store/versions.ts"
import type { StageContext } from "./context.ts"
import { requireAllowed } from "./rights.ts"

export interface PlannedTraining {
  readonly plan: TrainingPlan
  readonly digest: string
  readonly rendered: { readonly train: string; readonly validation: string }
}

/** The plan of a job with every default resolved and the exact bytes that will be sent; nothing is written. Throws a GateError for a version with a leak, for rows and a base model that `rights.forbid` keeps apart, and for a row that renders empty. */
export function planTraining(context: StageContext, job: JobSpecification, task: TaskSpecification): PlannedTraining {
  const versions = new Versions(context.workspace, task.task)
  const dataset = job.dataset === "latest" ? versions.latest() : job.dataset
  if (dataset === undefined)
    throw new ToolkitError(`task ${task.task} has no dataset version yet`, { code: "no-dataset", hint: `Make one: tuneloop build ${task.task}` })
  const manifest = versions.manifest(dataset as `ds_${string}`)
  requireTrainable(versions, manifest)
  const train = versions.rows(dataset, "train.jsonl")
  requireStanding(context, task, train)
  requireAllowed(context, task, train, job.baseModel)
  const rendered = {
    train: toJsonLines(weighted(task, renderRows(task, train), train, manifest)),
    validation: toJsonLines(renderRows(task, versions.rows(manifest.holdout, "validation.jsonl"))),
  }
  const plan: TrainingPlan = {
    schemaVersion: 1,
    job: job.job,
    task: task.task,
    dataset,
    holdout: manifest.holdout,
    prompt: promptVersion(task),
    baseModel: job.baseModel,
    revision: job.revision ?? null,
    backend: job.backend,
    objective: job.objective,
    method: job.method,
    hyperparameters: job.hyperparameters,
    seed: job.seed,
    files: { train: fileEntry(rendered.train), validation: fileEntry(rendered.validation) },
  }
  return { plan, digest: digest(plan), rendered }
}

/** The rows with what each counts for in training, where the version has weights. */
function weighted<Row extends { readonly id: string }>(
  task: TaskSpecification,
  rendered: readonly Row[],
  rows: readonly Example[],
  { prevalence }: DatasetManifest,
): (Row & { readonly weight?: number })[] {
  if (prevalence === undefined) return [...rendered]
  return rendered.map((row, place) => ({ ...row, weight: prevalence.weights[stratumOf(task, rows[place]?.output)] ?? 1 }))
}

/** A version that must not be trained on is not sent anywhere: neither to a backend nor as an export. One with a leak, one that rows were erased from, or whose holdout they were erased from, is a GateError. */
export function requireTrainable(versions: Versions, manifest: DatasetManifest): void {
  if (manifest.leaks.found > 0)
    throw new GateError(
      `${manifest.id} has ${manifest.leaks.found} leaks and cannot be trained on`,
      `Build a clean version: tuneloop build ${manifest.task}`,
    )
  const erased = versions.erasedPart(manifest)
  if (erased !== undefined)
    throw new GateError(
      `rows were erased from ${erased}${erased === manifest.id ? "" : `, the holdout of ${manifest.id}`}: it is no longer what its id says and cannot be trained on`,
      `Build a version without them: tuneloop build ${manifest.task}`,
    )
}

/** Throws a GateError when a row is erased: a version may come back by git, or be frozen by a build that was running meanwhile. */
export function requireStanding(context: StageContext, task: TaskSpecification, train: readonly Example[]): void {
  const erased = new TaskRows(context.workspace, task.task).erased()
  const found = erased.isEmpty ? [] : train.filter((row) => erased.of(row) !== undefined)
  if (found.length > 0)
    throw new GateError(
      `${found.length} rows of the version were erased and stand in it again`,
      `Finish the erasure: tuneloop dataset erase ${task.task} --yes; then: tuneloop build ${task.task}`,
    )
}

/** The rows as they are trained on, wherever that is. A row that renders to an empty message is a GateError; an answer that only calls tools is none where the reader knows of tools. */
export function renderRows(
  task: TaskSpecification,
  examples: readonly Example[],
  { knowsTools }: { knowsTools: boolean } = { knowsTools: false },
): { readonly id: string; readonly messages: readonly Message[] }[] {
  const rows = examples.map((example) => ({ id: example.id, messages: renderExample(task, example) }))
  const isEmpty = (message: Message | undefined) => message?.content.trim() === "" && !(knowsTools && message["tool_calls"] !== undefined)
  const empty = rows.filter(
    ({ messages }) => messages.some((message) => message.role !== "assistant" && isEmpty(message)) || isEmpty(messages.at(-1)),
  )
  if (empty.length > 0)
    throw new GateError(
      `${empty.length} rows render to an empty message: ${empty
        .slice(0, 5)
        .map(({ id }) => id)
        .join(", ")}`,
      "Mend prompt.system or prompt.user in the specification, or those rows.",
    )
  return rows
}

function fileEntry(text: string): RenderedFile {
  return { rows: text.split("\n").length - 1, bytes: Buffer.byteLength(text), digest: digestText(text) }
}

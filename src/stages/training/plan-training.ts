import { createHash } from "node:crypto"
import { isDatasetId } from "../../core/rows/frozen-ids.ts"
import { digest } from "../../core/canonical.ts"
import type {
  FineTuneBackend,
  RenderedFile,
  RowDialect,
  RowForm,
  RowLimits,
  TrainingPlan,
  TrainingRow,
} from "../../core/contracts/backend.ts"
import { lengthFaults, templateChat } from "../../core/contracts/chat-rows.ts"
import { toolsOf } from "../../core/contracts/format.ts"
import { GateError, ToolkitError } from "../../core/errors.ts"
import type { Example, Preference } from "../../core/rows/example.ts"
import type { DatasetManifest } from "../../core/rows/manifests.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import { stratumOf } from "../../core/task/output.ts"
import { type Message, promptVersion, renderExample } from "../../core/task/prompt.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { StageContext } from "../context.ts"
import { type LeavingRow, requirePrivate } from "../privacy.ts"
import { requireAllowed } from "../rights.ts"
import { dialectLines, requireRows } from "./dialect-lines.ts"
import { requireNoLeak, requireUnaltered } from "./leak-gate.ts"
import { renderedPreferences, requirePreferences } from "./preferences.ts"

export interface PlannedTraining {
  readonly plan: TrainingPlan
  readonly digest: string
  /** The lines of each file with their ends, rendered anew each time that they are gone through. */
  readonly rendered: { readonly train: Iterable<string>; readonly validation: Iterable<string> }
}

/**
 * The plan of a job with every default resolved and the exact bytes that will be sent; nothing is written, and one row
 * at a time is in memory. Throws a GateError for a version with a leak, for rows and a base model that `rights.forbid`
 * keeps apart, and for a row that renders empty, that the backend's dialect would not train on as it is, or that a
 * service may cut. For the objective `dpo` the rows are the version's preferences, without validation; a version that
 * has none is a GateError.
 */
export function planTraining(
  context: StageContext,
  job: JobSpecification,
  task: TaskSpecification,
  backend?: Pick<FineTuneBackend, "kind" | "rows" | "capabilities">,
): PlannedTraining {
  const form = { dialect: backend?.rows, limits: limitsOf(backend, job) }
  const versions = new Versions(context.workspace, task.task)
  const dataset = isDatasetId(job.dataset) ? job.dataset : versions.latest()
  if (dataset === undefined)
    throw new ToolkitError(`task ${task.task} has no dataset version yet`, {
      code: "no-dataset",
      hint: `Make one: tuneloop build ${task.task}`,
    })
  const manifest = versions.manifest(dataset)
  requireTrainable(versions, manifest, task)
  const train = versions.each(dataset, "train.jsonl")
  requireStanding(context, task, train)
  if (job.backend.name !== "local") {
    requirePrivate(task, train, dataset)
    requirePrivate(task, versions.each(manifest.holdout, "validation.jsonl"), manifest.holdout)
    requirePrivate(task, pairsOf(versions.preferences(dataset)), dataset)
  }
  requireAllowed(context, task, train, job.baseModel)
  const rendered =
    job.objective === "dpo"
      ? { train: preferenceLines(task, versions, manifest, form), validation: [] }
      : {
          train: linesOf(task, train, { weightOf: weightsOf(task, manifest), ...form }),
          validation: linesOf(task, versions.each(manifest.holdout, "validation.jsonl"), form),
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
    // At its default it stays out of the digest.
    ...(job.checkpoint === "last" ? {} : { checkpoint: job.checkpoint }),
    seed: job.seed,
    files: { train: fileEntry(rendered.train), validation: fileEntry(rendered.validation) },
  }
  requireRows(plan, backend?.rows)
  requireValidation(plan)
  return { plan, digest: digest(plan), rendered }
}

/** Each half of a preference as a row of its own. */
export function* pairsOf(preferences: readonly Preference[]): Generator<LeavingRow> {
  for (const { id, input, chosen, rejected } of preferences) {
    yield { id, input, output: chosen }
    yield { id, input, output: rejected }
  }
}

/** A validation loss needs rows to be measured on. */
function requireValidation({ checkpoint, files, holdout, task }: TrainingPlan): void {
  if (checkpoint === undefined || files.validation.rows > 0) return
  throw new ToolkitError(`${holdout} has no validation rows, and checkpoint: ${checkpoint} needs their loss`, {
    code: "unsupported",
    exitCode: 2,
    hint: `Set checkpoint: last in the job, or import more gold examples: tuneloop seed import ${task} <file>`,
  })
}

/** How rows are sent. */
interface SentForm {
  readonly dialect: RowDialect | undefined
  readonly limits: RowLimits
}

/** What a service trains on of a row at most; a trainer of this house counts for itself before it begins. */
function limitsOf(
  backend: Pick<FineTuneBackend, "kind" | "capabilities"> | undefined,
  { hyperparameters: { maxLength } }: JobSpecification,
): RowLimits {
  const settings = backend?.kind === "hosted" ? (backend.capabilities().settings ?? ["maxLength"]) : []
  return settings.includes("maxLength") ? { mostTokens: maxLength } : {}
}

/** The rendered rows as lines: in the backend's dialect, or in the trainer's own form. */
function linesOf(
  task: TaskSpecification,
  examples: Iterable<Example>,
  { weightOf, dialect, limits }: SentForm & { readonly weightOf?: ((example: Example) => number) | undefined },
): Iterable<string> {
  const rows = () => trainingRows(task, examples, weightOf)
  return { [Symbol.iterator]: () => dialectLines(rows(), dialect ?? trainerForm, limits) }
}

/** Rows as our own trainer takes them, for the model's own chat template. */
const trainerForm: RowForm<TrainingRow> = {
  faults: ({ messages, tools }, { mostTokens } = {}) =>
    lengthFaults(JSON.stringify([...messages, ...tools]), mostTokens),
  row: ({ id, messages, tools, weight }) => ({
    id,
    ...templateChat({ messages, tools }),
    ...(weight === undefined ? {} : { weight }),
  }),
}

/** The version's preferences as lines in the backend's dialect; the trainer has no form of its own for them. */
function preferenceLines(
  task: TaskSpecification,
  versions: Versions,
  manifest: DatasetManifest,
  { dialect, limits }: SentForm,
): Iterable<string> {
  const form = dialect?.preferences
  if (form === undefined)
    throw new ToolkitError("the backend of the job has no form for preferences, which the objective dpo trains on", {
      code: "unsupported",
      exitCode: 2,
      hint: "Name a backend that has dpo (docs/backends.md), or set objective: sft in the job.",
    })
  const preferences = requirePreferences(renderedPreferences(task, versions, manifest), manifest)
  return { [Symbol.iterator]: () => dialectLines(preferences, form, limits) }
}

function* trainingRows(
  task: TaskSpecification,
  examples: Iterable<Example>,
  weightOf: ((example: Example) => number) | undefined,
): Generator<TrainingRow> {
  for (const { example, messages } of renderRows(task, examples))
    yield {
      id: example.id,
      messages,
      tools: toolsOf(task, example.input),
      ...(weightOf === undefined ? {} : { weight: weightOf(example) }),
    }
}

function weightsOf(
  task: TaskSpecification,
  { prevalence }: DatasetManifest,
): ((example: Example) => number) | undefined {
  return prevalence === undefined ? undefined : ({ output }) => prevalence.weights[stratumOf(task, output)] ?? 1
}

/**
 * A version that must not be trained on is not sent anywhere: neither to a backend nor as an export. One with a leak,
 * one that rows were erased from, or whose holdout they were erased from, and one that is not what its id says is a
 * GateError.
 */
export function requireTrainable(versions: Versions, manifest: DatasetManifest, task: TaskSpecification): void {
  if (manifest.leaks.found > 0)
    throw new GateError(
      `${manifest.id} has ${manifest.leaks.found} leaks and cannot be trained on`,
      `Build a clean version: tuneloop build ${manifest.task}`,
    )
  const erased = versions.erasedPart(manifest)
  const holdoutOf = erased === manifest.id ? "" : `, the holdout of ${manifest.id}`
  if (erased !== undefined)
    throw new GateError(
      `rows were erased from ${erased}${holdoutOf}: it is no longer what its id says and cannot be trained on`,
      `Build a version without them: tuneloop build ${manifest.task}`,
    )
  requireUnaltered(manifest)
  requireNoLeak(task, versions, manifest)
}

/**
 * Throws a GateError when a row is erased: a version may come back by git, or be frozen by a build that was running
 * meanwhile. Rows are looked at only where something was erased from the task.
 */
export function requireStanding(context: StageContext, task: TaskSpecification, train: Iterable<Example>): void {
  const erased = new TaskRows(context.workspace, task.task).erased()
  if (erased.isEmpty) return
  let found = 0
  for (const row of train) if (erased.of(row) !== undefined) found++
  if (found > 0)
    throw new GateError(
      `${found} rows of the version were erased and stand in it again`,
      `Finish the erasure: tuneloop dataset erase ${task.task} --yes; then: tuneloop build ${task.task}`,
    )
}

/**
 * The rows as they are trained on, wherever that is, one by one. After the last one it is a GateError that rows
 * rendered to an empty message, which are not among them; an answer that only calls tools is none.
 */
export function* renderRows(
  task: TaskSpecification,
  examples: Iterable<Example>,
): Generator<{ readonly example: Example; readonly messages: readonly Message[] }> {
  const isEmpty = (message: Message | undefined) =>
    message?.content.trim() === "" && message["tool_calls"] === undefined
  const named: string[] = []
  let empty = 0
  for (const example of examples) {
    const messages = renderExample(task, example)
    if (!messages.some((message) => message.role !== "assistant" && isEmpty(message)) && !isEmpty(messages.at(-1)))
      yield { example, messages }
    else if (++empty <= namedRows) named.push(example.id)
  }
  if (empty > 0)
    throw new GateError(
      `${empty} rows render to an empty message: ${named.join(", ")}`,
      "Mend prompt.system or prompt.user in the specification, or those rows.",
    )
}

const namedRows = 5

function fileEntry(lines: Iterable<string>): RenderedFile {
  const sum = createHash("sha256")
  let [rows, bytes] = [0, 0]
  for (const line of lines) {
    sum.update(line)
    rows++
    bytes += Buffer.byteLength(line)
  }
  return { rows, bytes, digest: `sha256:${sum.digest("hex")}` }
}

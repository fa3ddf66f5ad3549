import { digest, digestText } from "../core/canonical.ts"
import type { RenderedFile, TrainingPlan } from "../core/backend.ts"
import { GateError, ToolkitError } from "../core/errors.ts"
import type { Example } from "../core/example.ts"
import type { JobSpecification } from "../core/job.ts"
import { promptVersion, renderExample } from "../core/prompt.ts"
import type { TaskSpecification } from "../core/task.ts"
import { toJsonLines } from "../store/files.ts"
import { Versions } from "../store/versions.ts"
import type { StageContext } from "./context.ts"

export interface PlannedTraining {
  readonly plan: TrainingPlan
  readonly digest: string
  readonly rendered: { readonly train: string; readonly validation: string }
}

/** The plan of a job with every default resolved and the exact bytes that will be sent; nothing is written. Throws a GateError for a version with a leak or a row that renders empty. */
export function planTraining(context: StageContext, job: JobSpecification, task: TaskSpecification): PlannedTraining {
  const versions = new Versions(context.workspace, task.task)
  const dataset = job.dataset === "latest" ? versions.latest() : job.dataset
  if (dataset === undefined)
    throw new ToolkitError(`task ${task.task} has no dataset version yet`, { code: "no-dataset", hint: `Make one: tuneloop build ${task.task}` })
  const manifest = versions.manifest(dataset as `ds_${string}`)
  if (manifest.leaks.found > 0)
    throw new GateError(`${dataset} has ${manifest.leaks.found} leaks and cannot be trained on`, `Build a clean version: tuneloop build ${task.task}`)
  const rendered = {
    train: render(task, versions.rows(dataset, "train.jsonl")),
    validation: render(task, versions.rows(manifest.holdout, "validation.jsonl")),
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

function render(task: TaskSpecification, examples: readonly Example[]): string {
  const rows = examples.map((example) => ({ id: example.id, messages: renderExample(task, example) }))
  const empty = rows.filter(
    ({ messages }) =>
      messages.some((message) => message.role !== "assistant" && message.content.trim() === "") || messages.at(-1)?.content.trim() === "",
  )
  if (empty.length > 0)
    throw new GateError(
      `${empty.length} rows render to an empty message: ${empty
        .slice(0, 5)
        .map(({ id }) => id)
        .join(", ")}`,
      "Mend prompt.system or prompt.user in the specification, or those rows.",
    )
  return toJsonLines(rows)
}

function fileEntry(text: string): RenderedFile {
  return { rows: text.split("\n").length - 1, bytes: Buffer.byteLength(text), digest: digestText(text) }
}

import type { TrainingPlan } from "../../core/contracts/backend.ts"
import { ToolkitError } from "../../core/errors.ts"
import { isDatasetId } from "../../core/rows/frozen-ids.ts"
import { promptVersion } from "../../core/task/prompt.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { AdoptedRun } from "../../store/rows/adopted-runs.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { StageContext } from "../context.ts"

/**
 * What stands in the place of a plan for a run that was not made here: the model meets the task's prompt and the
 * contenders learn from the version of its training file, or from the newest one. How it was trained is kept as the
 * service said it; what nobody said is not made up.
 */
export function adoptedTraining(context: StageContext, task: TaskSpecification, adopted: AdoptedRun): TrainingPlan {
  const versions = new Versions(context.workspace, task.task)
  const { dataset: trained, baseModel, said } = adopted
  const dataset = trained !== undefined && isDatasetId(trained) ? trained : versions.latest()
  if (dataset === undefined)
    throw new ToolkitError(`task ${task.task} has no dataset version yet, and so no holdout to evaluate on`, {
      code: "no-dataset",
      hint: `Make one: tuneloop build ${task.task}`,
    })
  const unknown = { rows: 0, bytes: 0, digest: "" }
  return {
    schemaVersion: 1,
    job: adoptedJob,
    task: task.task,
    dataset,
    holdout: versions.manifest(dataset).holdout,
    prompt: promptVersion(task),
    baseModel: baseModel ?? "unknown",
    revision: null,
    backend: adopted.backend,
    objective: adopted.objective ?? "sft",
    // Settings are shown as they are, and followed by nobody any more.
    method: { name: "as the service chose" } as unknown as TrainingPlan["method"],
    hyperparameters: settingsIn(said) as unknown as TrainingPlan["hyperparameters"],
    seed: typeof said["seed"] === "number" ? said["seed"] : 1,
    files: { train: unknown, validation: unknown },
  }
}

/** What to know of a verdict on a model that was trained elsewhere. */
export function adoptedNote({ dataset }: AdoptedRun): string {
  return dataset === undefined
    ? "The model was trained elsewhere, on rows that are not known here: test rows may be among them."
    : `The model was trained elsewhere, on the rows of ${dataset} as its owner says.`
}

/** The name of the job of runs that were not made here. */
const adoptedJob = "adopted"

const settings = ["n_epochs", "batch_size", "learning_rate", "learning_rate_multiplier", "beta"]

/** What the job says of its settings, wherever its wire has them. */
function settingsIn(said: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(said).flatMap(([name, value]) => {
      if (["method", "hyperparameters", "supervised", "dpo"].includes(name) && typeof value === "object")
        return Object.entries(settingsIn((value ?? {}) as Readonly<Record<string, unknown>>))
      return settings.includes(name) && value !== null ? [[name, value]] : []
    }),
  )
}

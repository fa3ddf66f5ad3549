import type { TrainingPlan } from "../src/core/contracts/backend.ts"
import { jobSchema } from "../src/core/training/job.ts"

/** A plan with every key, as a run's folder has it. */
export function wholePlan(of: Partial<TrainingPlan> & Pick<TrainingPlan, "task" | "holdout">): TrainingPlan {
  const job = jobSchema.parse({ job: "j", task: of.task, baseModel: "base" })
  const file = { rows: 1, bytes: 1, digest: "sha256:0" }
  return {
    schemaVersion: 1,
    job: "j",
    dataset: "ds_0123456789abcdef",
    prompt: "prompt_0123456789abcdef",
    baseModel: "base",
    revision: null,
    backend: { name: "local", options: {} },
    objective: job.objective,
    method: job.method,
    hyperparameters: job.hyperparameters,
    seed: 1,
    files: { train: file, validation: file },
    ...of,
  }
}

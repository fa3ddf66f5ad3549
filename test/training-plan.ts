import type { TrainingPlan } from "../src/core/contracts/backend.ts"
import { jobSchema } from "../src/core/training/job.ts"

/** A plan as a run keeps it, for tests that look at some of it only. */
export function planWith(given: Partial<TrainingPlan>): TrainingPlan {
  const { job, task, baseModel, backend, objective, method, hyperparameters, seed } = jobSchema.parse({
    job: "mood",
    task: "mood",
    baseModel: "example/base",
  })
  const file = { rows: 1, bytes: 10, digest: "sha256:0" }
  return {
    schemaVersion: 1,
    ...{ job, task, baseModel, revision: null, backend, objective, method, hyperparameters, seed },
    ...{ dataset: "ds_0", holdout: "hold_0", prompt: "prompt_0", files: { train: file, validation: file } },
    ...given,
  }
}

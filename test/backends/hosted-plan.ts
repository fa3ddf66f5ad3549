import type { TrainingPlan } from "../../src/core/contracts/backend.ts"
import { jobSchema } from "../../src/core/training/job.ts"

/** A plan for a hosted service, of one row. */
export function hostedPlan(baseModel: string, hyperparameters: object = {}, objective = "sft"): TrainingPlan {
  const job = jobSchema.parse({ job: "mood", task: "mood", baseModel, hyperparameters, objective })
  const file = { rows: 1, bytes: 17, digest: "sha256:0" }
  return {
    ...{ schemaVersion: 1, job: job.job, task: job.task, baseModel, revision: null, backend: job.backend },
    ...{ dataset: "ds_0", holdout: "hold_0", prompt: "prompt_0" },
    ...{ objective: job.objective, method: job.method },
    ...{ hyperparameters: job.hyperparameters, seed: 1, files: { train: file, validation: file } },
  }
}

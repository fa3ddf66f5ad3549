import { expect, it } from "vitest"
import type { TrainingPlan } from "../../../src/core/contracts/backend.ts"
import { taskSchema } from "../../../src/core/task/task.ts"
import { jobSchema } from "../../../src/core/training/job.ts"
import { evaluationId } from "../../../src/stages/evaluating/evaluation-plan.ts"

const task = taskSchema.parse({
  task: "mood",
  kind: "label",
  description: "Sort",
  input: { body: {} },
  output: { labels: { glad: "good mood", sad: "bad mood" } },
})
const job = jobSchema.parse({ job: "mood", task: "mood", baseModel: "example/base" })
const file = { rows: 1, bytes: 10, digest: "sha256:0" }
const plan: TrainingPlan = {
  schemaVersion: 1,
  job: "mood",
  task: "mood",
  dataset: "ds_0123456789abcdef",
  holdout: "hold_0123456789abcdef",
  prompt: "prompt_0123456789abcdef",
  baseModel: "example/base",
  revision: null,
  backend: { name: "local", options: {} },
  objective: job.objective,
  method: job.method,
  hyperparameters: job.hyperparameters,
  seed: 1,
  files: { train: file, validation: file },
}

// Another id would open the test set again for evaluations that are finished.
it("gives a finished evaluation the id that it has always had", () => {
  const finished = { task, job, run: "mood-20261124T100000Z-9fc31a", training: plan, holdout: plan.holdout }
  expect(evaluationId(finished)).toBe("eval_f124d3d3329d3f03")
  expect(evaluationId({ ...finished, holdout: "hold_fedcba9876543210" })).toBe("eval_68ac7f5c0d8e2963")
  const strict = { ...task, verdict: { ...task.verdict, margin: 0.05 } }
  expect(evaluationId({ ...finished, task: strict })).toBe("eval_ebc5da3ca5add74d")
})

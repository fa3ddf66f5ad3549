import { expect, it } from "vitest"
import { trainingRequest } from "../../../src/backends/work/training-request.ts"
import { hostedPlan } from "../hosted-plan.ts"

const places = {
  ...{ run: "r", submissionKey: "k", train: "t.jsonl", validation: "v.jsonl", adapter: "a", checkpoints: "c" },
}

it("the trainer is told of a choice of checkpoint, and a job that makes none is asked for as it was before", () => {
  const plan = hostedPlan("base")
  expect(trainingRequest(plan, places)).not.toHaveProperty("checkpoint")
  const chosen = { ...plan, checkpoint: "lowest-validation-loss" } as const
  expect(trainingRequest(chosen, places)).toMatchObject({
    checkpoint: "lowest-validation-loss",
    checkpointsPerEpoch: 1,
  })
})

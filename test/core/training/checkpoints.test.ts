import fc from "fast-check"
import { expect, it } from "vitest"
import type { MetricPoint } from "../../../src/core/training/run.ts"
import { checkpointsOf, chosenCheckpoint } from "../../../src/core/training/checkpoints.ts"

const trained = fc
  .uniqueArray(
    fc.record({
      step: fc.integer({ min: 1, max: 50 }),
      evalLoss: fc.option(fc.double({ min: 0, max: 9, noNaN: true })),
    }),
    {
      selector: ({ step }) => step,
      minLength: 1,
    },
  )
  .map((given) => given.toSorted((a, b) => a.step - b.step))
  .map((given) => ({
    run: "r",
    metrics: [],
    checkpoints: given.map(({ step, evalLoss }) => ({ step, ...(evalLoss === null ? {} : { evalLoss }) })),
  }))

it("the lowest loss is chosen, the first of equal ones; the last checkpoint is the model itself", () => {
  fc.assert(
    fc.property(trained, (run) => {
      expect(chosenCheckpoint(run, "last")).toBeUndefined()
      const losses = run.checkpoints.flatMap(({ evalLoss }) => evalLoss ?? [])
      if (losses.length === 0) {
        expect(() => chosenCheckpoint(run, "lowest-validation-loss")).toThrow(/no checkpoint with a validation loss/)
        return
      }
      const lowest = run.checkpoints.find(({ evalLoss }) => evalLoss === Math.min(...losses))
      const chosen = chosenCheckpoint(run, "lowest-validation-loss")
      expect(chosen?.step).toBe(lowest === run.checkpoints.at(-1) ? undefined : lowest?.step)
      expect(checkpointsOf(run).filter(({ isLowest }) => isLowest)).toHaveLength(1)
    }),
  )
})

it("a checkpoint without a loss of its own has the one that was logged at its step", () => {
  const metrics: MetricPoint[] = [
    { step: 0, values: { evalLoss: 0.1 } },
    { step: 2, values: { loss: 1, evalLoss: 0.4 } },
    { step: 4, values: { evalLoss: 0.6 } },
  ]
  const run = { run: "r", metrics, checkpoints: [{ step: 2 }, { step: 4 }] }
  expect(checkpointsOf(run).map(({ evalLoss }) => evalLoss)).toEqual([0.4, 0.6])
  expect(chosenCheckpoint(run, "lowest-validation-loss")).toMatchObject({ step: 2, evalLoss: 0.4 })
})

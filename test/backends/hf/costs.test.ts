import fc from "fast-check"
import { expect, it } from "vitest"
import type { TrainingPlan } from "../../../src/core/contracts/backend.ts"
import { estimateOf } from "../../../src/backends/hosted/hub/costs.ts"

const plan = { files: { train: { rows: 1 }, validation: { rows: 0 } } } as TrainingPlan

it("the most that a job can cost is never put lower than it is, so that no ceiling is passed", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 30, noNaN: true }), fc.integer({ min: 60, max: 1e6 }), (usdPerHour, s) => {
      const reckoning = { tokens: 1, seconds: 1, timeoutSeconds: s, detail: "" }
      const { figures } = estimateOf(plan, reckoning, { usdPerHour, source: "provider", detail: "" })
      const most = figures.find(({ name }) => name === "cost at most")?.value as number
      const real = (s / 3600) * usdPerHour
      expect(most).toBeGreaterThanOrEqual(real - 1e-9)
      expect(most).toBeLessThan(real + 1e-4 + 1e-9)
    }),
  )
})

import { expect, it } from "vitest"
import { brokenPromises, crashes } from "../stages/asking-crash.ts"

it("growing that is killed 10 times at random moments ends as an undisturbed one, pays nothing twice and passes no ceiling", async () => {
  const summary = await crashes(10, 20_261_124)
  expect(summary.kills).toBe(10)
  expect(summary.ends).toBeGreaterThan(0)
  expect(brokenPromises(summary), JSON.stringify(summary)).toEqual([])
})

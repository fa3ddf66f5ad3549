import { describe, it } from "vitest"
import { crash, killPoints } from "./deploy-crash.ts"

/** Two at a time; `npm run test:crash` kills a hundred times at each point. */
const pairs = 1
const patience = { timeout: 300_000 }

describe("a command that is killed while it deploys or undeploys", () => {
  it.each(Object.keys(killPoints))(
    "%s: nothing is made twice for a lease, and nothing goes on billing",
    patience,
    async (point) => {
      for (let pair = 0; pair < pairs; pair++) await Promise.all([crash(point), crash(point)])
    },
  )

  it.each([-3_600_000, 600_000])("is gone on with by one whose clock is %i ms off", patience, async (clockJumpMs) => {
    for (const point of ["it was made, and the answer is under way", "the undeploy was carried out"])
      await crash(point, { clockJumpMs })
  })
})

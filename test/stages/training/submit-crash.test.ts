import { describe, it } from "vitest"
import { crash, killPoints, services } from "./submit-crash.ts"

/** Two at a time; `npm run test:crash` kills a hundred times at each point. */
const pairs = { "openai-compatible": 5, together: 1 } as const
const dayMs = 86_400_000

describe.each(Object.keys(services) as (keyof typeof pairs)[])(
  "a command that is killed while it submits to %s",
  (service) => {
    it.each(Object.keys(killPoints))(
      "when %s has made one job in the end, and the run goes on with it",
      {
        timeout: 300_000,
      },
      async (point) => {
        for (const pair of times.filter((time) => time % 2 === 0))
          await Promise.all([pair, pair + 1].map(() => crash({ service, point })))
      },
    )

    it.each([-dayMs, dayMs])("is gone on with by one whose clock is %i ms off", { timeout: 300_000 }, async (jump) => {
      for (const point of [
        "the create is sent, and is never carried out",
        "the job was made, and its answer is under way",
      ])
        await crash({ service, point, clockJumpMs: jump })
    })

    it("beside another that submits the same job", { timeout: 300_000 }, async () => {
      for (const point of Object.keys(killPoints)) await crash({ service, point, hasRival: true })
    })
  },
)

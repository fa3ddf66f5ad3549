import { describe, it } from "vitest"
import { crash, killPoints, services } from "./submit-crash.ts"

/**
 * Two at a time. What is shared of a submission is tried with the first; `npm run test:crash` kills a hundred times at
 * each point of each.
 */
const pairs = { "openai-compatible": 5, together: 1, wandb: 1, "hf-jobs": 1 } as const
const dayMs = 86_400_000
const patience = { timeout: 300_000 }

describe.each(Object.keys(services) as (keyof typeof pairs)[])(
  "a command that is killed while it submits to %s",
  (service) => {
    it.each(Object.keys(killPoints))(
      "when %s: there is one job in the end, and the run has it",
      patience,
      async (point) => {
        for (let pair = 0; pair < pairs[service]; pair++)
          await Promise.all([crash({ service, point }), crash({ service, point })])
      },
    )

    it.each([-dayMs, dayMs])("is gone on with by one whose clock is %i ms off", patience, async (clockJumpMs) => {
      for (const point of [
        "the create is sent, and is never carried out",
        "the job was made, and its answer is under way",
      ])
        await crash({ service, point, clockJumpMs })
    })

    it("beside another that submits the same job", patience, async () => {
      const points = Object.keys(killPoints)
      // What is shared of a submission was tried at each point with the others.
      for (const point of service === "wandb" ? points.slice(-2) : points)
        await crash({ service, point, hasRival: true })
    })
  },
)

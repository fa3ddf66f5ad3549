import { expect, it } from "vitest"
import type { FineTuneBackend } from "../../src/core/contracts/backend.ts"
import type { SentEvent } from "../../src/core/training/run.ts"
import { timeOf } from "../../src/backends/hosted/openai-jobs.ts"
import { summaryOf, syncRun } from "../../src/stages/training/sync.ts"
import { train } from "../../src/stages/training/train.ts"
import { scriptedBackend, stageContext, trainableWorkspace } from "../stages/training/workspace.ts"

/** The run by what a service says of its job. */
async function trainedBy(events: readonly SentEvent[]) {
  const context = stageContext(await trainableWorkspace())
  const poll: FineTuneBackend["poll"] = async (_job, _files, cursor) => ({
    ...{ state: "running", cursor: "1", since: "soon" },
    events: cursor === undefined ? events : [],
  })
  const backend = scriptedBackend({ poll })
  const { run } = await train(context, context.workspace.readJob("mood"), context.workspace.readTask("mood"), backend)
  await syncRun(context, run.run, backend)
  return summaryOf(context, run.run)
}

it.each([-20_000, 1e30, Number.POSITIVE_INFINITY])(
  "a job that cost $%d, it says, counts at its estimate",
  async (usd) => {
    const run = await trainedBy([{ type: "cost", usd, source: "provider" }])
    expect(run.costUsd ?? 0).toBe(0)
    expect(run.state).toBe("running")
  },
)

it("steps, losses and times that are none do not spoil what is written of a run", async () => {
  const run = await trainedBy([
    { type: "started", totalSteps: 10, details: {}, sentAt: "+275760-09-13T00:00:00.000Z" },
    { type: "metric-logged", step: 1, values: { loss: Number.POSITIVE_INFINITY } },
    { type: "metric-logged", step: 4_294_967_294.5, values: { loss: 1 } },
    { type: "metric-logged", step: 2, values: { loss: 0.5 } },
    { type: "cost", usd: 2, source: "provider" },
  ])
  expect(run).toMatchObject({ state: "running", costUsd: 2 })
})

it("a time beyond all is no bug of ours", () => {
  expect(timeOf(1e300)).toBe("1e+300")
  expect(timeOf(1_700_000_000)).toBe("2023-11-14T22:13:20.000Z")
})

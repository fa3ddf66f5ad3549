import { expect, it } from "vitest"
import type { FineTuneBackend } from "../../src/core/contracts/backend.ts"
import type { SentEvent } from "../../src/core/training/run.ts"
import together from "../../src/backends/together.ts"
import { rateOf } from "../../src/backends/hosted/hub/costs.ts"
import type { Hub } from "../../src/backends/hosted/hub/hub.ts"
import { timeOf } from "../../src/backends/hosted/openai-jobs.ts"
import { summaryOf, syncRun } from "../../src/stages/training/sync.ts"
import { train } from "../../src/stages/training/train.ts"
import { requireDeployer } from "../../src/stages/deploying/deployers.ts"
import { TogetherServer } from "../backends/together-server.ts"
import { backendContext, scriptedBackend, stageContext, trainableWorkspace } from "../stages/training/workspace.ts"

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

it.each([-360, 1e300, null])("a machine for %j cents an hour is not offered", async (price) => {
  const server = await TogetherServer.start()
  try {
    const context = {
      ...backendContext({ TOGETHER_API_KEY: server.key }),
      fetch: async (...asked: Parameters<typeof fetch>) => {
        const answer = await fetch(...asked)
        if (!answer.url.includes("instance-types")) return answer
        const text = (await answer.text()).replace(/("priceCentsPerHour":)360\b/, `$1${JSON.stringify(price)}`)
        return new Response(text, { status: answer.status, headers: { "content-type": "application/json" } })
      },
    }
    const options = together.options.parse({ baseUrl: server.url, settleSeconds: 0 })
    const offers = await requireDeployer(together.create(context, options)).offers(server.model)
    expect(offers.map(({ usdPerHour }) => usdPerHour)).toEqual([2.4, 4.8])
  } finally {
    server.close()
  }
})

it.each([-5, 1e300, Number.NaN, "1"])("a machine at %j dollars a minute costs what is known of it", async (price) => {
  const hub = { hardware: async () => [{ name: "t4-small", unitCostUSD: price, unitLabel: "minute" }] }
  const flavors = [{ name: "t4-small", usdPerHour: 0.4, teraflops: 65 }]
  const facts = { flavors, asOf: "2026-11-01", source: "this test" }
  expect(await rateOf(hub as unknown as Hub, facts as never, "t4-small")).toMatchObject({
    usdPerHour: 0.4,
    source: "rule of thumb",
  })
})

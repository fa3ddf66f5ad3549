import { afterEach, beforeEach, describe, expect, it } from "vitest"
import together from "../../../src/backends/together.ts"
import { JobMayExistError } from "../../../src/core/errors.ts"
import { requireDeployer } from "../../../src/stages/deploying/deployers.ts"
import { backendContext } from "../../stages/training/workspace.ts"
import { hostedPlan } from "../hosted-plan.ts"
import { TogetherServer } from "../together-server.ts"
import { newJob } from "./served.ts"

const tuned = "org/mood-abc-ft-1"
const model = { kind: "hosted", backend: "together", id: tuned } as const
const order = { key: "lease_0123456789abcdef", hardware: "1x_nvidia_h100_80gb_sxm", minutes: 90 }

let server: TogetherServer
beforeEach(async () => {
  server = await TogetherServer.start()
  const job = newJob("ft-1", "2026-06-01T00:00:00Z", { model: server.model, suffix: "mood" })
  server.jobs.push({ ...job, status: "completed", model_output_name: tuned })
})
afterEach(() => server.close())

const open = (settleSeconds = 0) => {
  const options = together.options.parse({ baseUrl: server.url, settleSeconds })
  return requireDeployer(together.create(backendContext({ TOGETHER_API_KEY: server.key }), options))
}
const long = "2026-01-01T00:00:00Z"

describe("deployments at together", () => {
  it("cost what the service says, the cheapest first; nothing is offered for a base it cannot serve", async () => {
    const offers = await open().offers(server.model)
    expect(offers.map(({ hardware, usdPerHour, isAvailable }) => [hardware, usdPerHour, isAvailable])).toEqual([
      ["1x_nvidia_a100_80gb_sxm", 2.4, false],
      ["1x_nvidia_h100_80gb_sxm", 3.6, true],
      ["1x_nvidia_h200_140gb_sxm", 4.8, true],
    ])
    expect(offers[0]).toMatchObject({ asOf: "2026-06-01", source: expect.stringContaining("/hardware") })
    expect(await open().offers("meta-llama/unknown")).toEqual([])
  })

  it("are made once for a call, carry their lease's key, and stop by themselves where nobody asks", async () => {
    server.endpoints.patience = 2
    const deployment = await open().deploy(model, order)
    expect(server.endpoints.made).toMatchObject([
      { model: tuned, hardware: order.hardware, inactive_timeout: 60, display_name: `tuneloop ${order.key}` },
    ])
    expect(await open().findDeployment(order.key, long)).toEqual(deployment)
    expect(open().chat?.({ kind: "deployment", ...deployment })).toMatchObject({ model: deployment.model })
    const states: string[] = []
    for (let look = 0; look < 3; look++) states.push(await open().deploymentState(deployment))
    expect(states).toEqual(["starting", "ready", "ready"])
    await open().undeploy(deployment)
    await open().undeploy(deployment)
    expect(await open().deploymentState(deployment)).toBe("gone")
    expect(server.endpoints.billing).toEqual([])
  })

  it.each([
    ["an error after the work was done", { status: 500 }],
    ["a connection that breaks after the work was done", "cut"],
  ] as const)("may exist after %s, and are found by their key", async (_what, answer) => {
    server.faults.push({ call: /^POST \S+\/endpoints$/, when: "after", answer })
    await expect(open().deploy(model, order)).rejects.toThrow(JobMayExistError)
    await expect(open().deploy(model, { ...order, hardware: "1x_nvidia_a100_80gb_sxm" })).rejects.toMatchObject({
      mayHaveCost: false,
    })
    expect(server.endpoints.made).toHaveLength(1)
    expect(await open().findDeployment(order.key, long)).toMatchObject({ id: "endpoint-1" })
    expect(await open().findDeployment("lease_0000000000000000", long)).toBeUndefined()
  })

  it("are not said to be missing while the list may lag behind", async () => {
    server.endpoints.isLagging = true
    await open().deploy(model, order)
    await expect(open(60).findDeployment(order.key, new Date().toISOString())).rejects.toThrow(/may lag behind/)
    expect(await open(60).findDeployment(order.key, long)).toBeUndefined()
  })

  it("with a state that nobody knows count as billing", async () => {
    const deployment = await open().deploy(model, order)
    const [endpoint] = server.endpoints.made
    if (endpoint !== undefined) endpoint.state = "RETICULATING"
    expect(await open().deploymentState(deployment)).toBe("starting")
    expect(await open().deployments()).toMatchObject([
      { ...deployment, key: order.key, state: "starting", providerStatus: "RETICULATING" },
    ])
  })

  it("stand in the estimate of a training, by the service's price or by the price file", async () => {
    const figureOf = async (environment: Record<string, string>) => {
      const context = { ...backendContext(environment), servingPrices: [filed] }
      const backend = together.create(context, together.options.parse({ baseUrl: server.url }))
      const { figures } = await backend.estimate(hostedPlan(server.model))
      return figures.find(({ name }) => name === "serving while idle")
    }
    const filed = { service: "together", usdPerHour: 7, asOf: "2026-06-01", source: "a test" }
    expect(await figureOf({})).toMatchObject({ value: 7, unit: "USD an hour", source: "rule of thumb" })
    expect(await figureOf({ TOGETHER_API_KEY: server.key })).toMatchObject({ value: 3.6, source: "provider" })
    server.isReachable = false
    expect(await figureOf({ TOGETHER_API_KEY: server.key })).toMatchObject({ value: 7 })
  })
})

import { afterEach, beforeEach, describe, expect, it } from "vitest"
import together from "../../../src/backends/together.ts"
import { JobMayExistError } from "../../../src/core/errors.ts"
import { requireDeployer } from "../../../src/stages/deploying/deployers.ts"
import { backendContext } from "../../stages/training/workspace.ts"
import { hostedPlan } from "../hosted-plan.ts"
import { TogetherServer } from "../together-server.ts"
import { newJob, type ServedTogetherJob } from "./served.ts"

const tuned = "org/mood-abc-ft-1"
const model = { kind: "hosted", backend: "together", id: tuned } as const
const config = "projects/proj_together/configs/cr_4"
const order = { key: "lease_0123456789abcdef", hardware: "1xnvidia-h100-80gb", config, minutes: 90 }

let server: TogetherServer
let job: ServedTogetherJob
beforeEach(async () => {
  server = await TogetherServer.start()
  job = newJob("ft-1", "2026-06-01T00:00:00Z", { model: server.model, suffix: "mood" })
  Object.assign(job, { status: "completed", model_output_name: tuned })
  Object.assign(job, { model_object_id: "ml_1", model_object_revision_id: "rv_1" })
  server.jobs.push(job)
})
afterEach(() => server.close())

const open = (settleSeconds = 0, more: object = {}) => {
  const options = together.options.parse({ baseUrl: server.url, settleSeconds, ...more })
  return requireDeployer(together.create(backendContext({ TOGETHER_API_KEY: server.key }), options))
}
const long = "2026-01-01T00:00:00Z"
const endpointCreate = /^POST \S+\/endpoints$/
const deploymentCreate = /^POST \S+\/deployments$/

describe("deployments at together", () => {
  it("cost what the service says, the cheapest first; nothing is offered for a base it cannot serve", async () => {
    const offers = await open().offers(server.model, model)
    expect(
      offers.map((offer) => [offer.hardware, offer.config?.slice(-4), offer.usdPerHour, offer.isAvailable]),
    ).toEqual([
      ["1xnvidia-a100-80gb", "cr_5", 2.4, false],
      // Not the one that is quick, nor the one for adapters.
      ["1xnvidia-h100-80gb", "cr_4", 3.6, true],
      ["1xnvidia-h200-140gb", "cr_3", 4.8, true],
    ])
    expect(offers[0]).toMatchObject({ source: expect.stringContaining("/v2/public/inference-instance-types") })
    expect(await open().offers(server.model)).toEqual(offers)
    expect(await open().offers("meta-llama/unknown")).toEqual([])
  })

  it("are made once for a call, carry their lease's key, are routed to, and stop where nobody asks", async () => {
    server.endpoints.patience = 2
    const deployment = await open().deploy(model, order)
    expect(deployment).toEqual({ backend: "together", id: "ep_1/dep_1", model: "org/tuneloop-0123456789abcdef" })
    expect(server.endpoints.made).toMatchObject([
      {
        model: "projects/proj_tests/models/ml_1/revisions/rv_1",
        config,
        hardware: order.hardware,
        inactiveTimeout: 60,
      },
    ])
    expect(server.endpoints.standing).toMatchObject([{ trafficSplit: [{ deploymentId: "dep_1" }] }])
    expect(await open().findDeployment(order.key, long)).toEqual(deployment)
    expect(open().chat?.({ kind: "deployment", ...deployment })).toMatchObject({ model: deployment.model })
    const states: string[] = []
    for (let look = 0; look < 4; look++) states.push(await open().deploymentState(deployment))
    expect(states).toEqual(["starting", "starting", "ready", "ready"])
  })

  it("drain before they have stopped, and nothing of them is left when they have", async () => {
    server.endpoints.drain = 2
    const deployment = await open().deploy(model, order)
    expect(await open().deploymentState(deployment)).toBe("ready")
    const steps: string[] = []
    do {
      steps.push(await open().undeploy(deployment))
      await open().deploymentState(deployment)
    } while (steps.at(-1) !== "gone")
    expect(new Set(steps.slice(0, -1))).toEqual(new Set(["stopping"]))
    expect(await open().undeploy(deployment)).toBe("gone")
    expect(await open().deploymentState(deployment)).toBe("gone")
    expect([server.endpoints.billing, server.endpoints.standing]).toEqual([[], []])
  })

  it("that failed are cleared away like any other", async () => {
    server.endpoints.fate = "FAILED"
    const deployment = await open().deploy(model, order)
    expect(await open().deploymentState(deployment)).toBe("failed")
    expect(await open().undeploy(deployment)).toBe("gone")
    expect(server.endpoints.standing).toEqual([])
  })

  it.each([
    ["the endpoint", "an error after the work was done", endpointCreate, { status: 500 }, "ep_1"],
    ["the endpoint", "a connection that breaks after the work was done", endpointCreate, "cut", "ep_1"],
    ["the deployment", "an error after the work was done", deploymentCreate, { status: 500 }, "ep_1/dep_1"],
    ["the deployment", "a connection that breaks after the work was done", deploymentCreate, "cut", "ep_1/dep_1"],
    ["the routing", "a refusal that was not meant", /^PATCH \S+trafficSplit$/, { status: 403 }, "ep_1/dep_1"],
  ] as const)("may exist when %s gets %s, and are found by their key", async (what, _how, call, answer, id) => {
    server.faults.push({ call, when: what === "the routing" ? "before" : "after", answer })
    await expect(open().deploy(model, order)).rejects.toThrow(JobMayExistError)
    expect(await open().findDeployment(order.key, long)).toMatchObject({ id })
    expect(await open().findDeployment("lease_0000000000000000", long)).toBeUndefined()
    expect(server.endpoints.made).toHaveLength(id === "ep_1" ? 0 : 1)
    // What crashed before it could be asked can be asked now.
    for (const { endpoint, id: made } of server.endpoints.made)
      expect(endpoint.trafficSplit).toMatchObject([{ deploymentId: made }])
  })

  it("whose create was lost cannot turn up any more once their endpoint is gone", async () => {
    server.faults.push({ call: deploymentCreate, when: "before", answer: "cut" })
    await expect(open().deploy(model, order)).rejects.toThrow(JobMayExistError)
    const found = await open().findDeployment(order.key, long)
    expect(await open().deploymentState(found ?? { backend: "together", id: "", model: "" })).toBe("stopped")
    expect(await open().undeploy(found ?? { backend: "together", id: "", model: "" })).toBe("gone")
    expect(server.endpoints.standing).toEqual([])
  })

  it("that the service refuses leave nothing behind", async () => {
    const unknown = { ...order, config: "projects/proj_together/configs/cr_none" }
    await expect(open().deploy(model, unknown)).rejects.toMatchObject({ mayHaveCost: false, status: 400 })
    expect([server.endpoints.made, server.endpoints.standing]).toEqual([[], []])
  })

  it("of a model that its job did not register are refused before anything is made", async () => {
    Object.assign(job, { model_object_id: null })
    await expect(open().offers(server.model, model)).rejects.toMatchObject({ code: "unsupported" })
    await expect(open().deploy(model, order)).rejects.toThrow(/not in the model registry/)
    expect(server.endpoints.names).toEqual([])
  })

  it("are not said to be missing while the list may lag behind", async () => {
    server.endpoints.isLagging = true
    await open().deploy(model, order)
    await expect(open(60).findDeployment(order.key, new Date().toISOString())).rejects.toThrow(/may lag behind/)
    expect(await open(60).findDeployment(order.key, long)).toBeUndefined()
    // What a list leaves out is ended all the same.
    expect(await open().undeploy({ backend: "together", id: "ep_1/dep_1", model: "" })).toBe("gone")
    expect(server.endpoints.billing).toEqual([])
  })

  it("with a state that nobody knows count as billing; lists come in pages", async () => {
    const deployment = await open().deploy(model, order)
    await open().deploy(model, { ...order, key: "lease_ffffffffffffffff" })
    const nothing = { status: 200, body: '{"id": "dep_1", "status": null}' }
    server.faults.push({ call: /^GET \S+\/dep_1$/, when: "after", answer: nothing })
    expect(await open().deploymentState(deployment)).toBe("starting")
    for (const each of server.endpoints.made) each.state = "RETICULATING"
    server.endpoints.pageLimit = 1
    expect(await open().deploymentState(deployment)).toBe("starting")
    expect(await open().deployments()).toMatchObject([
      { id: "ep_2/dep_2", key: "lease_ffffffffffffffff" },
      { ...deployment, key: order.key, state: "starting", providerStatus: "RETICULATING" },
    ])
  })

  it("of the first version are seen, asked and ended, and none are made, nor missed when it is gone", async () => {
    const name = "org/mood-a32b82a"
    server.earlierEndpoints.standing.push({
      id: "endpoint-1",
      name,
      display_name: `tuneloop ${order.key}`,
      state: "STARTED",
    })
    const leased = { backend: "together", id: "endpoint-1", model: name }
    expect(await open().deployments()).toMatchObject([{ ...leased, key: order.key, state: "ready" }])
    expect(await open().deploymentState(leased)).toBe("ready")
    const away = { inferenceUrl: "https://questions.example/v1" }
    expect(open(0, away).chat?.({ kind: "deployment", ...leased })).toMatchObject({ baseUrl: server.url })
    expect(open(0, away).chat?.({ kind: "deployment", ...leased, id: "ep_1/dep_1" })).toMatchObject({
      baseUrl: away.inferenceUrl,
    })
    expect(await open().undeploy(leased)).toBe("gone")
    expect(await open().deploymentState(leased)).toBe("gone")
    server.earlierEndpoints.isGone = true
    expect(await open().deployments()).toEqual([])
  })

  it("are asked at Together's own address for questions, and a key goes to no other service's", () => {
    const at = (baseUrl: string) => {
      const options = together.options.parse({ baseUrl })
      const backend = together.create(backendContext({ TOGETHER_API_KEY: "key" }), options)
      return backend.chat?.({ kind: "deployment", backend: "together", id: "ep_1/dep_1", model: "org/x" })?.baseUrl
    }
    for (const own of ["https://api.together.ai/v1", "https://api.together.xyz/v1/"])
      expect(at(own)).toBe("https://api-inference.together.ai/v1")
    expect(at("https://proxy.example/v1")).toBe("https://proxy.example/v1")
  })

  it("go to the project that is named, or say that the key has none", async () => {
    await expect(open(0, { projectId: "proj_other" }).deployments()).rejects.toMatchObject({ status: 403 })
    server.faults.push({ call: /whoami/, when: "before", answer: { status: 200, body: '{"type":"org_api_key"}' } })
    await expect(open().deployments()).rejects.toMatchObject({ hint: expect.stringContaining("projectId") })
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

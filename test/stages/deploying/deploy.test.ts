import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import type { StageContext } from "../../../src/stages/context.ts"
import { deployRun } from "../../../src/stages/deploying/deploy.ts"
import type { DeploymentPlan } from "../../../src/stages/deploying/plan-deployment.ts"
import { syncLeases } from "../../../src/stages/deploying/sync-leases.ts"
import { undeployRun } from "../../../src/stages/deploying/undeploy.ts"
import { whenReady } from "../../../src/stages/deploying/wait-ready.ts"
import { adoptJobs } from "../../../src/stages/training/adopt.ts"
import type { TogetherServer } from "../../backends/together-server.ts"
import { failureOf } from "../training/hosted-command.ts"
import { stageContext, trainableWorkspace } from "../training/workspace.ts"
import { deployableRun, deployed, openTogether } from "./deployable.ts"

let server: TogetherServer
let folder: string
let run: string
let context: StageContext
let clockMs = 0
const now = () => new Date(Date.now() + clockMs)
beforeEach(async () => {
  ;({ server, folder, run } = await deployableRun())
  clockMs = 0
  context = stageContext(folder, { now })
})
afterEach(() => server.close())

const open = async () => openTogether(server, { now })
const leases = () => context.ledger().runs.leases()
const synced = async () => (await syncLeases(context, open)).map(({ outcome }) => outcome)

it("whoever deploys agrees to the price first, and a second command deploys nothing more", async () => {
  const agreed: DeploymentPlan[] = []
  const consent = () => Promise.reject(new Error("no"))
  const refused = await failureOf(deployRun(context, run, await open(), { hours: 1, consent }))
  expect([refused?.message, server.endpoints.made.length, await leases()]).toEqual(["no", 0, []])
  const first = await deployed(context, run, await open(), agreed)
  expect(agreed).toMatchObject([{ usd: 3.6, hours: 1, offer: { hardware: "1xnvidia-h100-80gb" } }])
  expect(first).toMatchObject({ state: "deployed", lease: { usdPerHour: 3.6, source: expect.stringContaining("127") } })
  const both = await Promise.all([
    deployed(context, run, await open()),
    deployed(stageContext(folder), run, await open()),
  ])
  expect(both.map(({ state, lease }) => [state, lease.key])).toEqual([
    ["unchanged", first.lease.key],
    ["unchanged", first.lease.key],
  ])
  expect(server.endpoints.made).toHaveLength(1)
  await whenReady(context, await open(), first.lease)
})

it("two commands at once deploy a run once", async () => {
  const commands = [context, stageContext(folder, { now }), stageContext(folder, { now })]
  const results = await Promise.all(commands.map(async (each) => deployed(each, run, await open())))
  expect(results.map(({ state }) => state).sort()).toEqual(["deployed", "unchanged", "unchanged"])
  expect(server.endpoints.made).toHaveLength(1)
})

it("ends once, and knows what it cost", async () => {
  await deployed(context, run, await open())
  clockMs = 30 * 60_000
  expect(await undeployRun(context, run, await open())).toMatchObject({ state: "over", usd: expect.closeTo(1.8, 2) })
  expect(await undeployRun(context, run, await open())).toBeUndefined()
  expect(server.endpoints.billing).toEqual([])
  expect(server.calls.filter((call) => /^DELETE \S+dep_1$/.test(call))).toHaveLength(1)
})

it("a sync leaves a lease that goes on, and tears down one whose time is up", async () => {
  await deployed(context, run, await open())
  expect(await synced()).toEqual(["billing"])
  clockMs = 61 * 60_000
  expect(await synced()).toEqual(["ended"])
  expect(server.endpoints.billing).toEqual([])
  expect(await synced()).toEqual([])
  expect(await leases()).toMatchObject([{ state: "over", reason: "its time was up" }])
})

it("a sync does not wait for what drains, and ends it when it has stopped", async () => {
  await deployed(context, run, await open())
  server.endpoints.drain = 1
  clockMs = 61 * 60_000
  expect(await synced()).toEqual(["stopping"])
  expect([server.endpoints.billing.length, await leases()]).toMatchObject([1, [{ state: "undeploying" }]])
  expect([await synced(), await synced()]).toEqual([["stopping"], ["ended"]])
  expect(server.endpoints.standing).toEqual([])
})

it("a command waits for what drains, and says that it bills where that takes too long", async () => {
  const sleep = async (milliseconds: number) => {
    clockMs += milliseconds
  }
  const patient = { ...context, sleep }
  await deployed(context, run, await open())
  server.endpoints.drain = 3
  expect(await undeployRun(patient, run, await open())).toMatchObject({ state: "over", usd: expect.closeTo(0.02, 2) })
  expect(server.endpoints.billing).toEqual([])
  await deployed(context, run, await open())
  server.endpoints.drain = 100
  expect(await failureOf(undeployRun(patient, run, await open()))).toMatchObject({ code: "lease-stopping" })
  expect((await leases()).at(-1)).toMatchObject({ state: "undeploying" })
  // Nor is a second one deployed beside it.
  expect(await failureOf(deployed(patient, run, await open()))).toMatchObject({ code: "lease-stopping" })
  server.endpoints.stopIdle()
  expect(await synced()).toEqual(["ended"])
})

it("what the service stopped by itself is cleared away, and can be deployed anew", async () => {
  await deployed(context, run, await open())
  server.endpoints.stopIdle()
  expect((await deployed(context, run, await open())).state).toBe("deployed")
  expect(server.endpoints.billing).toHaveLength(1)
  expect((await leases()).map(({ state }) => state)).toEqual(["over", "deployed"])
})

it("a service that cannot be reached leaves the lease open, and the next sync ends it", async () => {
  await deployed(context, run, await open())
  clockMs = 61 * 60_000
  server.isReachable = false
  expect(await synced()).toEqual(["unreachable"])
  expect(await leases()).toMatchObject([{ state: "undeploying" }])
  server.isReachable = true
  expect(await synced()).toEqual(["ended"])
})

it("a refusal leaves no lease, and a lost answer is looked for before anything more is deployed", async () => {
  server.faults.push({ call: /^POST \S+\/deployments$/, when: "before", answer: { status: 402 } })
  expect(await failureOf(deployed(context, run, await open()))).toMatchObject({ code: "provider" })
  expect(await leases()).toMatchObject([{ state: "over", usd: 0 }])
  server.faults.push({ call: /^POST \S+\/deployments$/, when: "after", answer: { status: 500 } })
  const lost = await failureOf(deployed(context, run, await open()))
  expect(lost).toMatchObject({ code: "lease-uncertain", hint: expect.stringContaining(`runs undeploy ${run}`) })
  expect((await leases()).at(-1)).toMatchObject({ state: "uncertain" })
  expect(await deployed(context, run, await open())).toMatchObject({ state: "unchanged" })
  expect(server.endpoints.made).toHaveLength(1)
})

it("what is made late, after it was given up, is torn down by the next sync", async () => {
  server.faults.push({ call: /^POST \S+\/endpoints$/, when: "before", answer: "cut" })
  await failureOf(deployed(context, run, await open()))
  expect(await synced()).toEqual(["never made"])
  const { key } = (await leases())[0] ?? { key: "" }
  await (await open()).deploy(
    { kind: "hosted", backend: "together", id: server.newest.model_output_name ?? "" },
    { key, hardware: "1xnvidia-h100-80gb", config: "projects/proj_together/configs/cr_4", minutes: 60 },
  )
  expect(await synced()).toEqual(["ended"])
  expect(server.endpoints.billing).toEqual([])
})

it("a deployment that never answers is given up, and says what it came to", async () => {
  server.endpoints.fate = "FAILED"
  const { lease } = await deployed(context, run, await open())
  expect(await failureOf(whenReady(context, await open(), lease))).toMatchObject({ code: "deployment-failed" })
  expect(await synced()).toEqual(["ended"])
})

it("a ceiling on serving counts what goes on to its end, and nothing is sent above it", async () => {
  writeFileSync(join(folder, "tuneloop.yaml"), JSON.stringify({ budgets: { servingUsd: 5 } }))
  context = stageContext(folder, { now })
  const dear = await failureOf(deployed(context, run, await open(), [], 2))
  expect(dear).toMatchObject({ code: "budget", hint: expect.stringContaining("budgets.servingUsd") })
  await deployed(context, run, await open())
  clockMs = 6 * 60_000
  await undeployRun(context, run, await open())
  // 36 cents are spent: an hour fits, and two do not.
  expect(await failureOf(deployed(context, run, await open(), [], 1.4))).toMatchObject({ code: "budget" })
  await deployed(context, run, await open(), [], 1.2)
  expect(server.endpoints.made).toHaveLength(2)
})

it("where all machines are taken nothing is begun, and the plan names them", async () => {
  server.isFull = true
  const failure = await failureOf(deployed(context, run, await open()))
  expect(failure).toMatchObject({ code: "no-hardware", message: expect.stringContaining("h100-80gb (taken now)") })
  expect(await leases()).toEqual([])
})

it("a run that was adopted is deployed like one that was made here", async () => {
  const other = stageContext(await trainableWorkspace(), { now })
  const choice = { name: "together", options: { baseUrl: server.url } }
  const adopted = await Array.fromAsync(
    adoptJobs(other, await open(), choice, { task: "mood", withDefaults: async (of) => of }),
  )
  const name = adopted[0]?.summary.run ?? ""
  expect(await deployed(other, name, await open())).toMatchObject({ state: "deployed", lease: { run: name } })
  expect(server.endpoints.made).toMatchObject([{ model: expect.stringContaining("/ml_ft-1/revisions/rv_ft-1") }])
})

it("nothing of the key is in the ledger", async () => {
  await deployed(context, run, await open())
  expect(readFileSync(join(folder, ".tuneloop", "ledger.db")).includes(server.key)).toBe(false)
})

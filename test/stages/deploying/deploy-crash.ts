import { spawn } from "node:child_process"
import { join } from "node:path"
import { syncLeases } from "../../../src/stages/deploying/sync-leases.ts"
import { whenReady } from "../../../src/stages/deploying/wait-ready.ts"
import type { TogetherServer } from "../../backends/together-server.ts"
import type { Fault } from "../../backends/wire-server.ts"
import { stageContext } from "../training/workspace.ts"
import type { Settings } from "./deploy-hosted.ts"
import { deployableRun, deployed, openTogether } from "./deployable.ts"

/** Where a command is killed: at a barrier of its own network, or when a call has got as far as the server lets it. */
interface KillPoint {
  readonly what?: Settings["what"]
  readonly barrier?: Settings["barrier"]
  readonly held?: { readonly call: RegExp; readonly when: Fault["when"] }
  /** Whether what was held is done after all, once the next command has come. */
  readonly isReleased?: boolean
  /** How often a deployment that was told to stop is looked at before it has. */
  readonly drain?: number
  /** How many deployments have been made by then, or will have been. */
  readonly made: 0 | 1
}

// An endpoint is a name; what bills is the deployment under it.
const name = /^POST \S+\/endpoints$/
const create = /^POST \S+\/deployments$/
const route = "^PATCH .*trafficSplit$"
const stop = /^PATCH \S+autoscaling$/
const remove = /^DELETE \S+\/deployments\//
const removeName = /^DELETE \S+\/endpoints\/ep_\d+$/
const question = /chat\/completions$/

export const killPoints: Readonly<Record<string, KillPoint>> = {
  "before the intent": { held: { call: /inference-instance-types/, when: "before" }, made: 0 },
  "after the intent": { barrier: { call: name.source, when: "before" }, made: 0 },
  "the name is sent, and is never carried out": { held: { call: name, when: "before" }, made: 0 },
  "the name is sent, and is carried out later": { held: { call: name, when: "before" }, isReleased: true, made: 0 },
  "the name was made, and the answer is under way": { held: { call: name, when: "after" }, made: 0 },
  "before the create": { barrier: { call: create.source, when: "before" }, made: 0 },
  "the create is sent, and is never carried out": { held: { call: create, when: "before" }, made: 0 },
  "the create is sent, and is carried out later": {
    held: { call: create, when: "before" },
    isReleased: true,
    made: 1,
  },
  "it was made, and the answer is under way": { held: { call: create, when: "after" }, made: 1 },
  "the create was answered": { barrier: { call: create.source, when: "answered" }, made: 1 },
  "it is routed to": { barrier: { call: route, when: "answered" }, made: 1 },
  "it is ready for an evaluation": {
    what: "evaluate",
    barrier: { call: "^GET .*/deployments/dep_1$", when: "answered" },
    made: 1,
  },
  "while an evaluation asks it": { what: "evaluate", held: { call: question, when: "after" }, made: 1 },
  "the evaluation's tear-down is sent": { what: "evaluate", held: { call: stop, when: "before" }, made: 1 },
  "the stop is sent, and is never carried out": { what: "undeploy", held: { call: stop, when: "before" }, made: 1 },
  "the stop was carried out": { what: "undeploy", held: { call: stop, when: "after" }, made: 1 },
  "while it drains": {
    what: "undeploy",
    barrier: { call: stop.source, when: "answered" },
    drain: 2,
    made: 1,
  },
  "the undeploy is sent, and is never carried out": {
    what: "undeploy",
    held: { call: remove, when: "before" },
    made: 1,
  },
  "the undeploy was carried out": { what: "undeploy", held: { call: remove, when: "after" }, made: 1 },
  "the name is about to go": { what: "undeploy", held: { call: removeName, when: "before" }, made: 1 },
  "the name is gone": { what: "undeploy", held: { call: removeName, when: "after" }, made: 1 },
}

const leaseMs = 3_600_000

/**
 * Kills a command at a point and lets others go on: what it made is known, nothing is made twice for a lease, and
 * nothing bills once the time of its lease is up. Throws where that promise was broken.
 */
export async function crash(pointName: string, { clockJumpMs = 0 } = {}): Promise<void> {
  const point = killPoints[pointName]
  if (point === undefined) throw new Error(`there is no point ${pointName}`)
  const { folder, server, run } = await deployableRun()
  try {
    if (point.what === "undeploy") await deployed(stageContext(folder), run, openTogether(server))
    server.endpoints.drain = point.drain ?? 0
    await killed(folder, server, run, point)
    let jumpMs = clockJumpMs
    const now = () => new Date(Date.now() + jumpMs)
    const open = async (settleSeconds = 0.3) => openTogether(server, { settleSeconds, now })
    const context = stageContext(folder, { now })
    const openLeases = async () => (await context.ledger().runs.leases(run)).filter(({ state }) => state !== "over")
    const synced = async (settle = 0.3) => (await syncLeases(context, () => open(settle))).map(({ outcome }) => outcome)
    const settled = () =>
      until(async () => !(await synced()).some((outcome) => ["uncertain", "stopping"].includes(outcome)))
    if (server.endpoints.billing.length > (await openLeases()).length) throw new Error("it bills, and is not listed")
    if (point.isReleased) {
      // The next command comes before the service has made it, and must not take its absence for an answer.
      const early = (await synced(60)).join()
      if (early !== "uncertain") throw new Error(`it was taken for ${early}`)
      server.release()
    }
    await settled()
    requireMade(server, point.made)
    // Nobody is at the evaluation any more.
    if (point.what === "evaluate") requireBilling(server, 0)
    const standing = await openLeases()
    if (standing.length !== server.endpoints.billing.length)
      throw new Error(`${standing.length} leases, ${server.endpoints.billing.length} deployments`)
    const again = await deployed(context, run, await open())
    requireBilling(server, 1)
    requireMade(server, point.made + (again.state === "unchanged" ? 0 : 1))
    await whenReady(context, await open(), again.lease)
    requireAnswer(server, again.lease.deployment?.model)
    jumpMs = Math.abs(clockJumpMs) + leaseMs + 60_000
    await settled()
    requireBilling(server, 0)
    if (server.endpoints.standing.length > 0) throw new Error("a name was left")
    const names = server.endpoints.made.map(({ endpoint }) => endpoint.name)
    if (new Set(names).size !== names.length) throw new Error("two were made for one lease")
  } finally {
    server.close()
  }
}

function requireMade(server: TogetherServer, made: number): void {
  if (server.endpoints.made.length !== made) throw new Error(`${server.endpoints.made.length} were made, not ${made}`)
}

function requireAnswer(server: TogetherServer, model: string | undefined): void {
  const asked = Buffer.from(JSON.stringify({ model, messages: [{ role: "user", content: "How are you?" }] }))
  const status = server.endpoints.chat(asked)?.status
  if (status !== 200) throw new Error(`what stands answers with HTTP ${status}`)
}

function requireBilling(server: TogetherServer, expected: number): void {
  const { length } = server.endpoints.billing
  if (length !== expected) throw new Error(`${length} deployments bill, not ${expected}`)
}

async function killed(folder: string, server: TogetherServer, run: string, point: KillPoint): Promise<void> {
  const { what = "deploy", barrier, held } = point
  const { url, key } = server
  if (held !== undefined) server.faults.push({ ...held, answer: "held" })
  const arrived = held === undefined ? new Promise<void>(() => undefined) : server.arrival(held.call)
  const settings: Settings = { folder, run, url, key, what, ...(barrier === undefined ? {} : { barrier }) }
  const child = spawn(process.execPath, [join(import.meta.dirname, "deploy-hosted.ts"), JSON.stringify(settings)])
  let errors = ""
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()))
  const ended = new Promise((resolve) => child.on("exit", resolve))
  const isHere = new Promise((resolve) => child.stdout.on("data", resolve))
  const itself = ended.then(() => Promise.reject(new Error(`it ended by itself: ${errors}`)))
  await Promise.race([arrived, isHere, itself])
  itself.catch(() => undefined)
  child.kill("SIGKILL")
  await ended
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  for (const begin = performance.now(); !(await isDone()); ) {
    if (performance.now() - begin > 30_000) throw new Error("it stays uncertain")
    await new Promise((done) => setTimeout(done, 100))
  }
}

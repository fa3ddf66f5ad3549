import { spawn } from "node:child_process"
import { join } from "node:path"
import { syncLeases } from "../../../src/stages/deploying/sync-leases.ts"
import { undeployRun } from "../../../src/stages/deploying/undeploy.ts"
import type { TogetherServer } from "../../backends/together-server.ts"
import type { Fault } from "../../backends/wire-server.ts"
import { stageContext } from "../training/workspace.ts"
import type { Settings } from "./deploy-hosted.ts"
import { deployableRun, deployed, openTogether } from "./deployable.ts"

/** Where a command is killed: at a barrier of its own network, or when a call has got as far as the server lets it. */
interface KillPoint {
  readonly what?: "undeploy"
  readonly barrier?: Settings["barrier"]
  readonly held?: { readonly call: RegExp; readonly when: Fault["when"] }
  /** Whether what was held is done after all, once the next command has come. */
  readonly isReleased?: boolean
  /** How many deployments have been made by then, or will have been. */
  readonly made: 0 | 1
}

const create = /^POST \S+\/endpoints$/
const remove = /^DELETE /

export const killPoints: Readonly<Record<string, KillPoint>> = {
  "before the intent": { held: { call: /\/hardware/, when: "before" }, made: 0 },
  "after the intent": { barrier: { call: "^POST .*/endpoints$", when: "before" }, made: 0 },
  "the create is sent, and is never carried out": { held: { call: create, when: "before" }, made: 0 },
  "the create is sent, and is carried out later": {
    held: { call: create, when: "before" },
    isReleased: true,
    made: 1,
  },
  "it was made, and the answer is under way": { held: { call: create, when: "after" }, made: 1 },
  "the create was answered": { barrier: { call: "^POST .*/endpoints$", when: "answered" }, made: 1 },
  "the undeploy is sent, and is never carried out": {
    what: "undeploy",
    held: { call: remove, when: "before" },
    made: 1,
  },
  "the undeploy was carried out": { what: "undeploy", held: { call: remove, when: "after" }, made: 1 },
}

/**
 * Kills a command at a point and lets others go on: what it made is known, nothing is made twice for a lease, and in
 * the end nothing bills. Throws where that promise was broken.
 */
export async function crash(pointName: string, { clockJumpMs = 0 } = {}): Promise<void> {
  const point = killPoints[pointName]
  if (point === undefined) throw new Error(`there is no point ${pointName}`)
  const { folder, server, run } = await deployableRun()
  try {
    if (point.what === "undeploy") await deployed(stageContext(folder), run, openTogether(server))
    await killed(folder, server, run, point)
    const now = () => new Date(Date.now() + clockJumpMs)
    const open = async (settleSeconds = 0.3) => openTogether(server, { settleSeconds, now })
    const context = stageContext(folder, { now })
    const synced = async (settle = 0.3) => (await syncLeases(context, () => open(settle))).map(({ outcome }) => outcome)
    if (point.isReleased) {
      // The next command comes before the service has made it, and must not take its absence for an answer.
      const early = (await synced(60)).join()
      if (early !== "uncertain") throw new Error(`it was taken for ${early}`)
      server.release()
    }
    await until(async () => !(await synced()).includes("uncertain"))
    requireMade(server, point.made)
    const standing = (await context.ledger().runs.leases(run)).filter(({ state }) => state !== "over")
    if (standing.length !== server.endpoints.billing.length)
      throw new Error(`${standing.length} leases, ${server.endpoints.billing.length} deployments`)
    const again = await deployed(context, run, await open())
    requireBilling(server, 1)
    requireMade(server, point.made + (again.state === "unchanged" ? 0 : 1))
    await undeployRun(context, run, await open())
    requireBilling(server, 0)
    const keys = server.endpoints.made.map(({ display_name: name }) => name)
    if (new Set(keys).size !== keys.length) throw new Error("two were made for one lease")
  } finally {
    server.close()
  }
}

function requireMade(server: TogetherServer, made: number): void {
  if (server.endpoints.made.length !== made) throw new Error(`${server.endpoints.made.length} were made, not ${made}`)
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

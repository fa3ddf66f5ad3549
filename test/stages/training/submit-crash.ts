import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import hfJobs from "../../../src/backends/hf-jobs.ts"
import openAiCompatible from "../../../src/backends/openai-compatible.ts"
import together from "../../../src/backends/together.ts"
import wandb from "../../../src/backends/wandb.ts"
import type { BackendModule, FineTuneBackend } from "../../../src/core/contracts/backend.ts"
import { resolveSubmission } from "../../../src/stages/training/resolve.ts"
import { syncRun } from "../../../src/stages/training/sync.ts"
import { train } from "../../../src/stages/training/train.ts"
import { readPlan, runFiles } from "../../../src/store/rows/run-files.ts"
import { HubServer } from "../../backends/hf/server.ts"
import { OpenAiServer } from "../../backends/openai-server.ts"
import { TogetherServer } from "../../backends/together-server.ts"
import { WandbServer } from "../../backends/wandb/server.ts"
import type { Fault, WireServer } from "../../backends/wire-server.ts"
import { backendContext, stageContext, trainableWorkspace } from "./workspace.ts"

/** A service that is killed at: how it is called, and how its server goes on. */
interface Service {
  readonly module: BackendModule
  readonly keyName: string
  readonly options: (place: { readonly baseUrl: string; readonly settleSeconds: number }) => object
  readonly start: () => Promise<WireServer & { readonly jobs: readonly unknown[]; succeed(): void }>
  readonly baseModel: string
  readonly upload: RegExp
  readonly look: RegExp
  readonly create: RegExp
  /** A job whose answer was lost shows itself by what it made, or a person says that there is none. */
  readonly listsNoJobs?: boolean
}

export const services: Readonly<Record<string, Service>> = {
  "openai-compatible": {
    module: openAiCompatible as unknown as BackendModule,
    keyName: "OPENAI_API_KEY",
    options: (place) => ({ ...place, profile: "custom" }),
    start: () => OpenAiServer.start(),
    baseModel: "gpt-4.1-mini-2025-04-14",
    upload: /^POST .*\/files$/,
    look: /^GET .*\/files\/file-1$/,
    create: /^POST .*\/jobs$/,
  },
  together: {
    module: together as unknown as BackendModule,
    keyName: "TOGETHER_API_KEY",
    options: (place) => place,
    start: () => TogetherServer.start(),
    baseModel: "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference",
    upload: /^POST .*\/files\/upload$/,
    look: /^GET .*\/files\/file-1$/,
    create: /^POST \S+\/fine-tunes$/,
  },
  "hf-jobs": {
    module: hfJobs as unknown as BackendModule,
    keyName: "HF_TOKEN",
    options: (place) => ({ ...place, quietSeconds: 0.1 }),
    start: () => HubServer.start(),
    baseModel: "HuggingFaceTB/SmolLM2-135M-Instruct",
    upload: /^POST .*\/commit\/main$/,
    look: /^POST .*\/preupload\/main$/,
    create: /^POST \/api\/jobs\/tester$/,
  },
  wandb: {
    module: wandb as unknown as BackendModule,
    keyName: "WANDB_API_KEY",
    options: ({ baseUrl }) => ({ baseUrl, artifactsUrl: new URL(baseUrl).origin }),
    start: () => WandbServer.start(),
    baseModel: "OpenPipe/Qwen3-14B-Instruct",
    // The rows go up first, and then the manifest, before the artifact is committed.
    upload: /^PUT \/store\//,
    look: /^POST \/graphql$/,
    create: /^POST \S+\/sft-training-jobs$/,
    listsNoJobs: true,
  },
}

/** Where a command is killed: when this call has got as far as its fault lets it. */
interface KillPoint {
  readonly call: (service: Service) => RegExp
  readonly when?: Fault["when"]
  /** Whether what was held is done after all, once the next command has come. */
  readonly isReleased?: boolean
}

export const killPoints: Readonly<Record<string, KillPoint>> = {
  "the upload is under way": { call: ({ upload }) => upload, when: "before" },
  "the upload was answered": { call: ({ upload }) => upload },
  "the file is looked at": { call: ({ look }) => look, when: "after" },
  "the create is sent, and is never carried out": { call: ({ create }) => create, when: "before" },
  "the create is sent, and is carried out later": { call: ({ create }) => create, when: "before", isReleased: true },
  "the job was made, and its answer is under way": { call: ({ create }) => create, when: "after" },
  "the create was answered": { call: ({ create }) => create },
}

export interface CrashOptions {
  readonly service: string
  readonly point: string
  /** How far the clock of the next commands is from that of the one that was killed. */
  readonly clockJumpMs?: number
  /** Whether a second command starts the same job at the same time. */
  readonly hasRival?: boolean
}

const settleSeconds = 0.3

/**
 * Kills a command at a point of its submit and lets others go on: there is exactly one job, and a run that has it.
 * Throws where that promise was broken.
 */
export async function crash({ service: name, point: pointName, clockJumpMs = 0, hasRival = false }: CrashOptions) {
  const [service, point] = [services[name], killPoints[pointName]]
  if (service === undefined || point === undefined) throw new Error(`unknown: ${name}, ${pointName}`)
  const folder = await trainableWorkspace({ baseModel: service.baseModel })
  const server = await service.start()
  try {
    const call = point.call(service)
    if (point.when !== undefined) server.faults.push({ call, when: point.when, answer: "held" })
    await killed(server, call, start(name, folder, server), hasRival ? start(name, folder, server) : undefined)
    const next = () => trained(service, folder, server, clockJumpMs)
    if (point.isReleased) {
      // The next command comes before the service has made the job, and must not take its absence for an answer.
      const early = await trained(service, folder, server, 0, 60).catch((error: unknown) => error)
      if (!hasRival && (early as { code?: string }).code !== "run-uncertain") throw early
      server.release()
    }
    if (service.listsNoJobs === true) await shown(service, folder, server, next)
    const result = await untilTrained(next)
    if (server.jobs.length !== 1) throw new Error(`${server.jobs.length} jobs were created`)
    if (result.run.state !== "succeeded") server.succeed()
    const context = stageContext(folder, { now: () => new Date(Date.now() + clockJumpMs) })
    const summary = await syncRun(context, result.run.run, backendOf(service, server))
    if (summary.state !== "succeeded" || summary.model === undefined) throw new Error(`the run is ${summary.state}`)
    if ((await next()).state !== "unchanged") throw new Error("the run was trained again")
    const runs = readdirSync(join(folder, "jobs", "runs"))
    if (runs.length !== 1 || server.jobs.length !== 1)
      throw new Error(`${runs.length} runs, ${server.jobs.length} jobs`)
  } finally {
    server.close()
  }
}

/** Where nobody can know whether there is a job, it ends and shows itself, or a person says that there is none. */
async function shown(
  service: Service,
  folder: string,
  server: Awaited<ReturnType<Service["start"]>>,
  next: () => ReturnType<typeof trained>,
): Promise<void> {
  const early = await next().catch((error: unknown) => error)
  if (!(early instanceof Error)) return
  if ((early as { code?: string }).code !== "run-uncertain") throw early
  if (server.jobs.length > 0) return server.succeed()
  const context = stageContext(folder)
  const [{ run } = { run: "" }] = await context.ledger().runs.list()
  const plan = readPlan(runFiles(context.workspace, run))
  if (plan === undefined) throw new Error("the run has no plan")
  const backend = backendOf(service, server)
  await resolveSubmission(context, run, { plan, backend }, { by: "a test", created: undefined })
}

/** The command is killed when the call has arrived; a rival goes on, and is waited for. */
async function killed(server: WireServer, call: RegExp, child: ChildProcess, rival?: ChildProcess): Promise<void> {
  let errors = ""
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()))
  const ends = [child, rival].map((each) => each && new Promise((resolve) => each.on("exit", resolve)))
  const itself = ends[0]?.then(() => {
    if (rival === undefined) throw new Error(`it ended by itself: ${errors}`)
  })
  await Promise.race([server.arrival(call), itself])
  child.kill("SIGKILL")
  await ends[0]
  // What the rival waits for, it may have been told never to get.
  if (rival !== undefined) {
    await new Promise((done) => setTimeout(done, 300))
    rival.kill("SIGKILL")
    await ends[1]
  }
}

function start(service: string, folder: string, server: WireServer): ChildProcess {
  const settings = { service, folder, key: server.key, baseUrl: server.url, settleSeconds }
  return spawn(process.execPath, [join(import.meta.dirname, "train-hosted.ts"), JSON.stringify(settings)])
}

async function untilTrained(next: () => ReturnType<typeof trained>): ReturnType<typeof trained> {
  for (const begin = performance.now(); ; ) {
    try {
      return await next()
    } catch (error) {
      if (performance.now() - begin > 30_000) throw error
      await new Promise((done) => setTimeout(done, 100))
    }
  }
}

/** The command once more, as a process with nothing in memory would run it. */
function trained(service: Service, folder: string, server: WireServer, clockJumpMs: number, settle = settleSeconds) {
  const now = () => new Date(Date.now() + clockJumpMs)
  const context = stageContext(folder, { now })
  const { workspace } = context
  const backend = backendOf(service, server, { settle, now })
  return train(context, workspace.readJob("mood"), workspace.readTask("mood"), backend)
}

function backendOf(
  { module, keyName, options }: Service,
  server: WireServer,
  { settle = settleSeconds, now = () => new Date() }: { settle?: number; now?: () => Date } = {},
): FineTuneBackend {
  const given = module.options.parse(options({ baseUrl: server.url, settleSeconds: settle }))
  return module.create(backendContext({ [keyName]: server.key }, now), given)
}

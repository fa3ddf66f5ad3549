import { spawn } from "node:child_process"
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import type {
  BackendContext,
  BackendModule,
  FineTuneBackend,
  GenerationRequest,
  JobSnapshot,
  RunFiles,
  TrainingPlan,
} from "../core/contracts/backend.ts"
import { ProviderError } from "../core/errors.ts"
import { trainerMethods, trainerObjectives } from "../core/training/job.ts"
import type { ModelRef } from "../core/training/model-ref.ts"
import type { RemoteJob, RunEventBody } from "../core/training/run.ts"
import { isAlive, signalGroup } from "./_processes.ts"
import { countTokens } from "./_token-counts.ts"
import { environmentChecks, madeTrainerPython, trainerPython } from "./_trainer-environment.ts"

const optionsSchema = z.strictObject({
  threads: z.int().positive().optional().describe("CPU threads of the trainer; default: all"),
})

/**
 * Trains and generates on this machine, in a process group of its own that outlives the command line. The trainer's own
 * lock makes a second start of the same run harmless.
 */
const module: BackendModule<Options> = {
  summary: "This machine: the trainer in a process of its own, on its GPU or CPU",
  kind: "runner",
  options: optionsSchema,
  environment: [
    {
      name: "TUNELOOP_PYTHON",
      purpose: "a Python that already has the trainer's requirements, used instead of making one",
    },
    { name: "TUNELOOP_CACHE", purpose: "where the trainer environment is made" },
  ],
  create: localBackend,
}
export default module

type Options = z.output<typeof optionsSchema>

function localBackend(context: BackendContext, options: Options): FineTuneBackend {
  const trainerFile = (name: string) => join(context.packageRoot, "trainer", name)
  return {
    name: "local",
    kind: "runner",
    capabilities: () => ({
      objectives: trainerObjectives,
      methods: trainerMethods,
      asOf: "2026-11-24",
      source: "trainer/train.py",
    }),
    check: async () => environmentChecks(context),
    estimate: async (plan) => estimate(plan),
    async prepare() {
      await trainerPython(context)
    },

    async submit(plan, files, { submissionKey }) {
      const python = await trainerPython(context)
      const state = stateFolder(files)
      mkdirSync(state, { recursive: true })
      const exit = readJson<Exit>(join(state, "exit.json"))
      if (exit !== undefined && exit.status !== "succeeded") rmSync(join(state, "exit.json"))
      // A cancel of an earlier attempt says nothing about this one.
      rmSync(join(state, "cancelled"), { force: true })
      const request = join(files.folder, "trainer-request.json")
      writeFileSync(request, `${JSON.stringify(trainRequest(plan, files, submissionKey, options), null, 2)}\n`)
      const log = openSync(logFile(files), "a")
      const child = spawn(python, [trainerFile("train.py"), request], {
        detached: true,
        stdio: ["ignore", log, log],
        env: trainerEnvironment(context),
      })
      closeSync(log)
      let exited: number | null | undefined
      let failure: Error | undefined
      child.on("exit", (code) => (exited = code)).on("error", (error) => (failure = error))
      child.unref()
      // The trainer's first act is to write down who it is: from then on the run survives this process.
      while (
        readJson<Process>(join(state, "process.json"))?.submissionKey !== submissionKey &&
        exited === undefined &&
        failure === undefined
      )
        await context.sleep(50)
      const isDone = readJson<Process>(join(state, "process.json"))?.submissionKey === submissionKey
      if (!isDone)
        throw new ProviderError(`the trainer did not start: ${failure?.message ?? lastLines(logFile(files))}`, {
          provider: "local",
          hint: `See ${logFile(files)}.`,
        })
      return { backend: "local", id: files.run, submissionKey }
    },

    async find(submissionKey, files) {
      const known = readJson<Process>(join(stateFolder(files), "process.json"))?.submissionKey
      return known === submissionKey ? { backend: "local", id: files.run, submissionKey } : undefined
    },

    async poll(job, files, cursor) {
      const { events, offset } = readEvents(join(stateFolder(files), "events.jsonl"), Number(cursor ?? 0))
      return { ...stateOf(job, files), events, cursor: String(offset) }
    },

    async cancel(job, files) {
      const known = readJson<Process>(join(stateFolder(files), "process.json"))
      if (known === undefined || known.submissionKey !== job.submissionKey) return
      writeFileSync(join(stateFolder(files), "cancelled"), "")
      for (let waitedMs = 0; isAlive(known.pid, known.startedTicks); waitedMs += 200) {
        if (waitedMs === 0) signalGroup(known.pid, "SIGTERM")
        // A step on a slow machine may take a while: the trainer saves a checkpoint at its end.
        if (waitedMs === 60_000) signalGroup(known.pid, "SIGKILL")
        await context.sleep(200)
      }
    },

    async logs(_job, files, cursor) {
      const { text, next } = readFrom(logFile(files), Number(cursor ?? 0))
      return { text, cursor: String(next) }
    },

    async countTokens({ model, revision }, rows) {
      const python = madeTrainerPython(context)
      if (python === undefined)
        return {
          missing:
            "the trainer environment, which is not there yet: the first training makes it, or TUNELOOP_PYTHON names one",
        }
      return countTokens(
        python,
        [trainerFile("count_tokens.py"), model, ...(revision === null ? [] : [revision])],
        rows,
        trainerEnvironment(context),
      )
    },

    async generate(request, onProgress) {
      const python = await trainerPython(context)
      await generate(context, python, trainerFile("generate.py"), request, options, onProgress)
    },
  }
}

interface Process {
  readonly pid: number
  readonly startedTicks: number | null
  readonly submissionKey: string
}
interface Exit {
  readonly status: "succeeded" | "failed" | "cancelled"
  readonly message?: string | null
  readonly hint?: string | null
}

function stateFolder(files: RunFiles): string {
  return join(files.folder, "trainer")
}
function logFile(files: RunFiles): string {
  return join(files.folder, "trainer.log")
}

function trainRequest(plan: TrainingPlan, files: RunFiles, submissionKey: string, options: Options): object {
  return {
    schemaVersion: 1,
    run: files.run,
    submissionKey,
    baseModel: plan.baseModel,
    revision: plan.revision,
    train: files.train,
    validation: plan.files.validation.rows > 0 ? files.validation : null,
    adapter: files.adapter,
    checkpoints: files.checkpoints,
    state: stateFolder(files),
    objective: plan.objective,
    method: plan.method,
    hyperparameters: plan.hyperparameters,
    seed: plan.seed,
    checkpointsPerEpoch: 1,
    evaluationsPerEpoch: 1,
    threads: options.threads ?? null,
  }
}

/** The trainer needs no secrets: none are handed to it. */
function trainerEnvironment({ environment }: BackendContext): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !/(_KEY|_TOKEN|_SECRET|PASSWORD)$/.test(name) || name === "HF_TOKEN",
    ),
  )
}

function stateOf(job: RemoteJob, files: RunFiles): Pick<JobSnapshot, "state" | "message" | "hint"> {
  const known = readJson<Process>(join(stateFolder(files), "process.json"))
  if (known?.submissionKey !== job.submissionKey) return { state: "queued" }
  const alive = isAlive(known.pid, known.startedTicks)
  // Read after the process: a trainer that ended in between has written its exit by then.
  const exit = readJson<Exit>(join(stateFolder(files), "exit.json"))
  if (exit !== undefined)
    return { state: exit.status, message: exit.message ?? undefined, hint: exit.hint ?? undefined }
  if (alive) return { state: "running" }
  if (existsSync(join(stateFolder(files), "cancelled"))) return { state: "cancelled" }
  return {
    state: "failed",
    message: "the trainer ended without a word; it was killed, or the machine ran out of memory or was restarted",
    hint: "A smaller hyperparameters.batchSize needs less memory.",
  }
}

/** The trainer's events from the byte offset on, and the offset of what was not yet written in whole lines. */
function readEvents(file: string, from: number): { events: RunEventBody[]; offset: number } {
  if (!existsSync(file)) return { events: [], offset: 0 }
  const start = from <= statSync(file).size ? from : 0
  const descriptor = openSync(file, "r")
  try {
    const bytes = Buffer.alloc(statSync(file).size - start)
    readSync(descriptor, bytes, 0, bytes.length, start)
    const end = bytes.lastIndexOf(10) + 1
    const lines = bytes
      .subarray(0, end)
      .toString("utf8")
      .split("\n")
      .filter((line) => line !== "")
    return { events: lines.flatMap((line) => translate(JSON.parse(line) as TrainerEvent)), offset: start + end }
  } finally {
    closeSync(descriptor)
  }
}

interface TrainerEvent {
  readonly type: string
  readonly at: string
  readonly step?: number
  readonly totalSteps?: number
  readonly epoch?: number
  readonly values?: Readonly<Record<string, number>>
}

function translate(event: TrainerEvent): RunEventBody[] {
  const { type, step = 0, values = {}, totalSteps } = event
  switch (type) {
    case "started": {
      const { type: _type, at: _at, totalSteps: _total, ...details } = event as TrainerEvent & Record<string, unknown>
      return [{ type: "started", totalSteps: totalSteps ?? 0, details }]
    }
    case "metrics":
    case "evaluated":
      return [{ type: "metric-logged", step, ...(totalSteps === undefined ? {} : { totalSteps }), values }]
    case "checkpoint":
      return [{ type: "checkpoint-saved", step }]
    case "resumed":
      return [{ type: "resumed", step }]
    default:
      return []
  }
}

async function generate(
  context: BackendContext,
  python: string,
  script: string,
  request: GenerationRequest,
  options: Options,
  onProgress: (name: string, done: number, total: number) => void,
): Promise<void> {
  rmSync(request.folder, { recursive: true, force: true })
  mkdirSync(request.folder, { recursive: true })
  const { folder, base, jobs, ...rest } = request
  const file = join(folder, "request.json")
  writeFileSync(
    file,
    `${JSON.stringify({ schemaVersion: 1, baseModel: base.model, revision: base.revision, jobs: jobs.map(trainerJob), ...rest, state: folder, threads: options.threads ?? null }, null, 2)}\n`,
  )
  const log = openSync(join(folder, "generate.log"), "a")
  // Its standard input ends when this process does, however it dies: then the generation ends as well.
  const child = spawn(python, [script, file], {
    stdio: ["pipe", log, log],
    env: { ...trainerEnvironment(context), TUNELOOP_EXIT_WITH_PARENT: "1" },
  })
  closeSync(log)
  const stop = () => child.kill("SIGTERM")
  context.signal.addEventListener("abort", stop)
  let offset = 0
  const tail = () => {
    const { lines, next } = readLinesFrom(join(folder, "events.jsonl"), offset)
    offset = next
    for (const line of lines) {
      const event = JSON.parse(line) as { type: string; name?: string; done?: number; total?: number }
      if (event.type === "progress") onProgress(event.name ?? "", event.done ?? 0, event.total ?? 0)
    }
  }
  const timer = setInterval(tail, 300)
  try {
    await new Promise<void>((resolve, reject) => child.on("error", reject).on("exit", () => resolve()))
    tail()
  } finally {
    clearInterval(timer)
    context.signal.removeEventListener("abort", stop)
  }
  context.signal.throwIfAborted()
  const exit = readJson<Exit>(join(folder, "exit.json"))
  if (exit?.status !== "succeeded")
    throw new ProviderError(`generation failed: ${exit?.message ?? lastLines(join(folder, "generate.log"))}`, {
      provider: "local",
      hint: exit?.hint ?? `See ${join(folder, "generate.log")}; run the command again to go on.`,
    })
}

/** The job as the trainer reads it: the base model with an adapter or without one. */
function trainerJob({ model, ...job }: GenerationRequest["jobs"][number]): object {
  return { ...job, adapter: adapterOf(model) }
}

function adapterOf(model: ModelRef): string | null {
  if (model.kind === "base") return null
  if (model.kind === "adapter") return model.location
  throw new ProviderError(`a ${model.kind} model cannot answer on this machine`, { provider: "local" })
}

/** What stands in the file from the byte offset on, whole characters only, and where it ends. */
function readFrom(file: string, from: number): { text: string; next: number } {
  if (!existsSync(file)) return { text: "", next: from }
  const bytes = readFileSync(file).subarray(from)
  return { text: bytes.toString("utf8"), next: from + bytes.length }
}

function readLinesFrom(file: string, from: number): { lines: string[]; next: number } {
  if (!existsSync(file)) return { lines: [], next: from }
  const bytes = readFileSync(file).subarray(from)
  const end = bytes.lastIndexOf(10) + 1
  return {
    lines: bytes
      .subarray(0, end)
      .toString("utf8")
      .split("\n")
      .filter((line) => line !== ""),
    next: from + end,
  }
}

/**
 * Tokens by the rule of four characters a token; seconds by what two CPU cores did with a 135M model (200 tokens a
 * second).
 */
function estimate(plan: TrainingPlan): {
  figures: { name: string; value: number; unit: string; source: "measured" | "rule of thumb" }[]
} {
  const tokens = Math.round((plan.files.train.bytes / 4) * plan.hyperparameters.epochs)
  return {
    figures: [
      { name: "rows", value: plan.files.train.rows, unit: "rows", source: "measured" },
      { name: "training tokens", value: tokens, unit: "tokens", source: "rule of thumb" },
      {
        name: "time on two CPU cores with a 135M model",
        value: Math.round(tokens / 200),
        unit: "seconds",
        source: "rule of thumb",
      },
    ],
  }
}

function readJson<Value>(file: string): Value | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Value
  } catch {
    return undefined
  }
}

function lastLines(file: string): string {
  const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []
  return lines.slice(-3).join(" / ").slice(-400) || "it wrote nothing to its log"
}

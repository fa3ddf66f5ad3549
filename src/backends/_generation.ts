import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { z } from "zod"
import type { BackendContext, GenerationRequest } from "../core/contracts/backend.ts"
import { ProviderError } from "../core/errors.ts"
import { parseJson } from "../core/json-text.ts"
import type { ModelRef } from "../core/training/model-ref.ts"
import { readEvents, toProgress } from "./_work-events.ts"
import type { WorkExit } from "./work/exit.ts"
import { readExit, readProcess } from "./_work-state.ts"
import { begin, lastLines, stopProcess, type Work, type Workshop } from "./_work.ts"
import type { ProcessRef, Transport } from "./_transport.ts"

type OnProgress = (name: string, done: number, total: number) => void

const pollMs = 300

/**
 * Every job's predictions are here, whole. The answering process outlives this one: an interrupt only ends the waiting,
 * and the next call waits for the process that still runs, or begins one for what is missing. The lock of the state
 * folder keeps two from answering at once.
 */
export async function generateAll(
  context: BackendContext,
  workshop: Workshop,
  request: GenerationRequest,
  onProgress: OnProgress,
): Promise<void> {
  const { transport } = workshop
  const work = generationWork(workshop, request)
  for (;;) {
    context.signal.throwIfAborted()
    const running = await runningProcess(transport, work.state)
    const isAnswered = running === undefined || covers(work.requestFile, work.request)
    const offset = running === undefined ? await sizeOf(transport, eventsFile(work)) : 0
    const process = running ?? (await begin(workshop, work))
    const exit = await follow(context, transport, { work, process, offset, onProgress })
    if (exit?.status === "succeeded" && isAnswered) break
    // Another call's work says nothing about what this one asks for.
    if (running === undefined) throw await failure(transport, work, exit)
  }
  for (const { predictions } of request.jobs) await transport.get(transport.place(predictions), predictions)
}

/** See `FineTuneBackend.generating`. */
export async function generating(transport: Transport, folder: string): Promise<string | undefined> {
  const isRunning = (await runningProcess(transport, folder)) !== undefined
  return isRunning ? transport.place(logFile(folder)) : undefined
}

/** See `FineTuneBackend.stopGeneration`. */
export async function stopGeneration(
  transport: Transport,
  folder: string,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<boolean> {
  const running = await runningProcess(transport, folder)
  if (running === undefined) return false
  await stopProcess(transport, running, sleep)
  return true
}

function generationWork({ transport, trainer, options }: Workshop, request: GenerationRequest): Work {
  const { folder, jobs, batchSize, latencyRows, seed } = request
  const adapters = jobs.flatMap(({ model }) => adapterOf(model, transport.name) ?? [])
  return {
    script: "generate.py",
    requestFile: join(folder, "request.json"),
    state: folder,
    log: logFile(folder),
    inputs: [...new Set([...jobs.map(({ rows }) => rows), ...adapters])],
    request: {
      schemaVersion: 1,
      baseModel: request.base.model,
      baseLocation: trainer.base.model,
      revision: request.base.revision,
      jobs: jobs.map(({ model, ...job }) => {
        const adapter = adapterOf(model, transport.name)
        return {
          ...job,
          rows: transport.place(job.rows),
          predictions: transport.place(job.predictions),
          adapter: adapter === null ? null : transport.place(adapter),
        }
      }),
      batchSize,
      latencyRows,
      seed,
      threads: options.threads ?? null,
    },
  }
}

function adapterOf(model: ModelRef, provider: string): string | null {
  if (model.kind === "base") return null
  if (model.kind === "adapter") return model.location
  throw new ProviderError(`a ${model.kind} model cannot answer here`, { provider })
}

/** Reports progress until the process is over; how it ended, where it could say. */
async function follow(
  context: BackendContext,
  transport: Transport,
  from: {
    readonly work: Work
    readonly process: ProcessRef
    readonly offset: number
    readonly onProgress: OnProgress
  },
): Promise<WorkExit | undefined> {
  const { work, process, onProgress } = from
  for (let { offset } = from; ; ) {
    // Asked before its files are read: what it wrote before it ended is not missed.
    const isAlive = await transport.isAlive(process)
    const read = await readEvents(transport, transport.place(eventsFile(work)), offset)
    offset = read.offset
    for (const line of read.lines) {
      const progress = toProgress(line)
      if (progress !== undefined) onProgress(progress.name, progress.done, progress.total)
    }
    const exit = await readExit(transport, work.state)
    if (!isAlive) return exit
    context.signal.throwIfAborted()
    await context.sleep(pollMs)
  }
}

function logFile(folder: string): string {
  return join(folder, "generate.log")
}

async function runningProcess(transport: Transport, state: string): Promise<ProcessRef | undefined> {
  const known = await readProcess(transport, state)
  return known !== undefined && (await transport.isAlive(known)) ? known : undefined
}

const requestSchema = z.looseObject({ jobs: z.array(z.unknown()) })

/** Whether a request that was written down before asks for all that this one asks for. */
function covers(file: string, wanted: object): boolean {
  const older = requestSchema.safeParse(parseJson(existsSync(file) ? readFileSync(file, "utf8") : "")).data
  if (older === undefined) return false
  const { jobs, ...rest } = requestSchema.parse(wanted)
  const { jobs: olderJobs, state: _state, ...olderRest } = older
  return isDeepStrictEqual(rest, olderRest) && jobs.every((job) => olderJobs.some((one) => isDeepStrictEqual(job, one)))
}

function eventsFile(work: Work): string {
  return join(work.state, "events.jsonl")
}

async function sizeOf(transport: Transport, file: string): Promise<number> {
  return (await transport.read(transport.place(file), Number.MAX_SAFE_INTEGER))?.size ?? 0
}

async function failure(transport: Transport, work: Work, exit: WorkExit | undefined): Promise<ProviderError> {
  const reason = exit?.message ?? (await lastLines(transport, work.log))
  return new ProviderError(`generation failed: ${reason}`, {
    provider: transport.name,
    hint: exit?.hint ?? `See ${transport.place(work.log)}; run the command again to go on.`,
  })
}

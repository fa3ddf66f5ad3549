import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import type { JobSnapshot, LogPage, RunFiles, TrainingPlan } from "../core/contracts/backend.ts"
import { DataError } from "../core/errors.ts"
import { parseJson } from "../core/json-text.ts"
import type { RemoteJob, SentEvent } from "../core/training/run.ts"
import type { BaseModel } from "../core/training/model-ref.ts"
import { toRunEvents } from "./work/run-events.ts"
import { trainingRequest } from "./work/training-request.ts"
import { readEvents, toLogPage } from "./_work-events.ts"
import { cancelledFile, readProcess, stateOf } from "./_work-state.ts"
import { begin, type Work, type Workshop, writeWhole, stopProcess } from "./_work.ts"
import type { Transport } from "./_transport.ts"

/** Where a training keeps its state, in the folder of its run. */
export function trainingState(files: RunFiles): string {
  return join(files.folder, "trainer")
}

/** The training goes on by itself, from its last checkpoint where it has one. */
export async function beginTraining(
  workshop: Workshop,
  plan: TrainingPlan,
  files: RunFiles,
  submissionKey: string,
): Promise<void> {
  const { transport, trainer, options } = workshop
  const hasValidation = plan.files.validation.rows > 0
  const work: Work = {
    script: "train.py",
    requestFile: requestFile(files),
    state: trainingState(files),
    log: logFile(files),
    submissionKey,
    inputs: hasValidation ? [files.train, files.validation] : [files.train],
    request: trainingRequest(plan, {
      run: files.run,
      submissionKey,
      location: trainer.base.model,
      train: transport.place(files.train),
      validation: transport.place(files.validation),
      adapter: transport.place(files.adapter),
      checkpoints: transport.place(files.checkpoints),
      threads: options.threads,
    }),
  }
  await begin(workshop, work)
}

/**
 * The state first and the events after it: what a training wrote before its end is never missed, for nobody asks again
 * once a run is over. The cursor is the offset in the event log, and whether the model was reported.
 */
export async function pollTraining(
  transport: Transport,
  job: RemoteJob,
  files: RunFiles,
  cursor: string | undefined,
): Promise<JobSnapshot> {
  const { exit, ...state } = await stateOf(transport, trainingState(files), job.submissionKey)
  const { offset, isReported } = parseCursor(cursor)
  const log = transport.place(join(trainingState(files), "events.jsonl"))
  const read = await readEvents(transport, log, offset)
  const events: SentEvent[] = read.lines.flatMap(toRunEvents)
  const isReady = exit?.status === "succeeded"
  if (isReady && !isReported) events.push(modelReady(files, exit.at))
  return { ...state, events, cursor: `${read.offset}${isReady ? readySuffix : ""}` }
}

/** The log from the byte offset on. */
export async function trainingLog(transport: Transport, files: RunFiles, cursor = "0"): Promise<LogPage> {
  const offset = Number(cursor)
  return toLogPage(await transport.read(transport.place(logFile(files)), offset), offset)
}

/** Whether a process of this submission has written down that it holds the run's folder. */
export async function hasBegun(transport: Transport, files: RunFiles, submissionKey: string): Promise<boolean> {
  return (await readProcess(transport, trainingState(files)))?.submissionKey === submissionKey
}

/** The training has ended, its last step saved: it is asked to, and killed where a step takes over a minute. */
export async function cancelTraining(
  transport: Transport,
  job: RemoteJob,
  files: RunFiles,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<void> {
  const state = trainingState(files)
  const known = await readProcess(transport, state)
  if (known?.submissionKey !== job.submissionKey) return
  writeWhole(cancelledFile(state), `${job.submissionKey}\n`)
  await transport.put(cancelledFile(state), transport.place(cancelledFile(state)))
  await stopProcess(transport, known, sleep)
}

const readySuffix = ":ready"

function parseCursor(cursor = "0"): { readonly offset: number; readonly isReported: boolean } {
  const isReported = cursor.endsWith(readySuffix)
  return { offset: Number(isReported ? cursor.slice(0, -readySuffix.length) : cursor), isReported }
}

function modelReady(files: RunFiles, sentAt: string | undefined): SentEvent {
  return {
    type: "model-ready",
    model: { kind: "adapter", base: requestedBase(requestFile(files)), location: files.adapter },
    ...(sentAt === undefined ? {} : { sentAt }),
  }
}

const requestedBaseSchema = z.object({ baseModel: z.string(), revision: z.string().nullable() })

/** The base model as the trainer was asked for it. */
function requestedBase(file: string): BaseModel {
  const text = existsSync(file) ? readFileSync(file, "utf8") : ""
  const parsed = requestedBaseSchema.safeParse(parseJson(text))
  if (!parsed.success) throw new DataError(`${file} is missing or damaged: it names the base model of the run`)
  return { model: parsed.data.baseModel, revision: parsed.data.revision }
}

function requestFile(files: RunFiles): string {
  return join(files.folder, "trainer-request.json")
}

function logFile(files: RunFiles): string {
  return join(files.folder, "trainer.log")
}

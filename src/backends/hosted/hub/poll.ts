import { z } from "zod"
import type { JobSnapshot, RunFiles } from "../../../core/contracts/backend.ts"
import { ProviderError } from "../../../core/errors.ts"
import { parseJson } from "../../../core/json-text.ts"
import { baseOf, type BaseModel } from "../../../core/training/model-ref.ts"
import { isTerminal, type RemoteJob, type RunState, type SentEvent } from "../../../core/training/run.ts"
import { endOf, exitSchema, type WorkEnd, type WorkExit } from "../../work/exit.ts"
import { toRunEvents } from "../../work/run-events.ts"
import type { Rate } from "./costs.ts"
import type { Hub, HubJob, LogLine } from "./hub.ts"
import { eventIn, linesUpToNow } from "./log.ts"
import { repositoryOf } from "./submit.ts"

/** How a job is looked at. */
export interface Look {
  readonly hub: Hub
  /** How long a log says nothing before it is taken for read. */
  readonly quietMs: number
  readonly pollAfterMs: number
  readonly rateOf: (flavor: string) => Promise<Rate>
}

const states: Readonly<Record<string, RunState>> = {
  SCHEDULING: "queued",
  RUNNING: "running",
  COMPLETED: "succeeded",
  ERROR: "failed",
  CANCELED: "cancelled",
  DELETED: "cancelled",
}

/** Where a look at a job ended: the number of its last event, and what was reported once. */
const cursorSchema = z
  .object({
    job: z.string().optional(),
    event: z.int().default(0),
    isReady: z.boolean().optional(),
    isBilled: z.boolean().optional(),
  })
  .catch({ event: 0 })

/**
 * What the hub says of the job now, and each event of the trainer once, in order: from the log while the job runs, and
 * from the event log that it left once it is over. How it ended is the trainer's word, where it left one.
 */
export async function pollJob(
  look: Look,
  remote: RemoteJob,
  files: RunFiles,
  cursor: string | undefined,
): Promise<JobSnapshot> {
  const before = cursorSchema.parse(parseJson(cursor ?? ""))
  // Of another attempt's job nothing was seen yet.
  const seen = (before.job ?? remote.id) === remote.id ? before : { event: 0 }
  const job = await look.hub.job(remote.id)
  const stage = job.status?.stage ?? "unknown"
  const state = stateOf(stage)
  const left = isOver(stage) ? await leftBehind(look.hub, remote) : undefined
  const lines = state === "running" ? await logLines(look, remote.id) : []
  const fresh = left === undefined ? newest(lines, seen.event) : left.events.slice(seen.event)
  // What was reported as made was made, also where it was purged since.
  const exit = left?.exit ?? (seen.isReady ? ({ status: "succeeded" } as const) : undefined)
  const end = isOver(stage) ? endOfJob(job, state, exit) : { state }
  const base = end.state === "succeeded" && seen.isReady !== true ? left?.base : undefined
  const cost = isOver(stage) && seen.isBilled !== true ? await costOf(job, look) : undefined
  const since = "since" in end ? end.since : undefined
  const sent = since === undefined ? {} : { sentAt: since }
  return {
    ...end,
    providerStatus: stage,
    events: [
      ...fresh.flatMap(toRunEvents),
      ...(cost === undefined ? [] : [cost]),
      ...(base === undefined ? [] : [modelReady(base, files, sent)]),
    ],
    cursor: JSON.stringify({
      ...{ job: remote.id, event: seen.event + fresh.length },
      ...(end.state === "succeeded" ? { isReady: true } : {}),
      ...(seen.isBilled === true || cost !== undefined ? { isBilled: true } : {}),
    }),
    pollAfterMs: look.pollAfterMs,
  }
}

/** Whether nothing more will come of a job in this stage. */
export function isOver(stage: string): boolean {
  return isTerminal(stateOf(stage))
}

function stateOf(stage: string): RunState {
  return Object.hasOwn(states, stage) ? (states[stage] as RunState) : "running"
}

/** The log of a job that runs is told while it lasts; where it cannot be read just now, the next look reads it. */
async function logLines({ hub, quietMs }: Look, id: string): Promise<readonly LogLine[]> {
  try {
    return (await linesUpToNow(hub, id, quietMs)).lines
  } catch (error) {
    if (error instanceof ProviderError) return []
    throw error
  }
}

/** The events after the last one that was seen, as far as none is missing. */
function newest(lines: readonly LogLine[], seen: number): unknown[] {
  const events: unknown[] = []
  for (const line of lines) {
    const told = eventIn(line)
    if (told?.number === seen + events.length + 1) events.push(told.event)
  }
  return events
}

interface LeftBehind {
  readonly exit: WorkExit | undefined
  readonly events: readonly unknown[]
  readonly base: BaseModel
}

const requestSchema = z
  .object({ baseModel: z.string(), revision: z.string().nullable() })
  .transform(({ baseModel, revision }) => baseOf({ baseModel, revision }))

/** What the job pushed before its machine went; undefined where it pushed nothing. */
async function leftBehind(hub: Hub, remote: RemoteJob): Promise<LeftBehind | undefined> {
  const repository = repositoryOf(remote)
  const end = await hub.text(repository, "out/exit.json")
  if (end === undefined) return undefined
  const exit = exitSchema.safeParse(parseJson(end)).data
  const events = (await hub.text(repository, "out/events.jsonl")) ?? ""
  const request = parseJson((await hub.text(repository, "request.json")) ?? "")
  return {
    exit: exit?.submissionKey === remote.submissionKey ? exit : undefined,
    events: events.split("\n").slice(0, -1).map(parseJson),
    base: hub.wire.parse(requestSchema, request),
  }
}

type End = Pick<JobSnapshot, "state" | "message" | "hint" | "since">

function endOfJob(job: HubJob, state: RunState, exit: WorkEnd | undefined): End {
  const since = job.finishedAt ?? undefined
  const said = job.status?.message ?? undefined
  // A machine that went after it had pushed a whole adapter has done its work.
  if (exit !== undefined && (exit.status === "succeeded" || state !== "cancelled")) return { since, ...endOf(exit) }
  if (state === "cancelled") return { state, since, ...(said === undefined ? {} : { message: said }) }
  const message =
    state === "succeeded"
      ? "the job completed and left no end of its training"
      : `the machine ended without a word of the trainer${said === undefined ? "" : `: ${said}`}`
  return {
    ...{ state: "failed", message, since },
    hint:
      "The job's log says more: tuneloop runs logs. A job that reached its time (backend.options.timeoutSeconds), or " +
      "ran out of memory (backend.options.flavor), leaves nothing else.",
  }
}

function modelReady(base: BaseModel, { adapter }: RunFiles, sent: { readonly sentAt?: string }): SentEvent {
  return { type: "model-ready", model: { kind: "adapter", base, location: adapter }, ...sent }
}

/** What the job's time cost; undefined for one that never ran or whose hardware has no price. */
async function costOf(
  { startedAt, finishedAt, durations, flavor }: HubJob,
  look: Look,
): Promise<SentEvent | undefined> {
  const clocked = startedAt && finishedAt ? (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000 : undefined
  const seconds = durations?.runningSecs ?? clocked
  if (seconds === undefined || !(seconds >= 0) || !flavor) return undefined
  const { usdPerHour, detail } = await look.rateOf(flavor)
  const usd = Number(((seconds / 3600) * usdPerHour).toFixed(6))
  return { type: "cost", usd, source: "computed", detail: `${Math.round(seconds)} s on ${flavor} at ${detail}` }
}

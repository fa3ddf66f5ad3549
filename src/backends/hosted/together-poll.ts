import { z } from "zod"
import type { JobSnapshot, LogPage } from "../../core/contracts/backend.ts"
import { parseJson } from "../../core/json-text.ts"
import type { RemoteJob, RunState, SentEvent } from "../../core/training/run.ts"
import { isOver, type TogetherEvent, type TogetherJob, type TogetherJobs } from "./together-jobs.ts"

const states: Readonly<Record<string, RunState>> = {
  pending: "queued",
  queued: "queued",
  running: "running",
  compressing: "running",
  uploading: "running",
  // Steps go on until it is cancelled, and are paid for.
  cancel_requested: "running",
  cancelled: "cancelled",
  error: "failed",
  user_error: "failed",
  completed: "succeeded",
}

/** Where a poll of a job ended: how many events were seen, the last step with metrics, what was reported at the end. */
const cursorSchema = z
  .object({
    job: z.string().optional(),
    events: z.int().optional(),
    step: z.int().optional(),
    model: z.string().optional(),
    isBilled: z.boolean().optional(),
  })
  .catch({})

/** What the service says of the job now, and each of its events and metrics once, in order. */
export async function pollJob(
  jobs: TogetherJobs,
  remote: RemoteJob,
  cursor: string | undefined,
  pollAfterMs: number,
): Promise<JobSnapshot> {
  const before = cursorSchema.parse(parseJson(cursor ?? ""))
  // Of another attempt's job nothing was seen yet.
  const seen = (before.job ?? remote.id) === remote.id ? before : {}
  const job = await jobs.job(remote.id)
  const events = await jobs.events(remote.id)
  const fresh = events.slice(seen.events ?? 0)
  const metrics = (await jobs.metrics(remote.id, (seen.step ?? 0) + 1)).flatMap(metricEvent)
  const newMetrics = metrics.filter(({ step }) => step > (seen.step ?? 0))
  const model = job.model_output_name ?? undefined
  const known = Object.hasOwn(states, job.status) ? (states[job.status] as RunState) : "running"
  // Whoever has no name of the model yet has not got it.
  const state = known === "succeeded" && model === undefined ? "running" : known
  const isReady = state === "succeeded" && model !== undefined
  const cost = isOver(job) && !seen.isBilled ? costOf(job) : undefined
  const message = state === "failed" ? lastMessage(events) : undefined
  return {
    state,
    providerStatus: job.status,
    ...(message === undefined ? {} : { message: jobs.wire.safe(message) }),
    ...(isOver(job) && job.updated_at ? { since: timeOf(job.updated_at) } : {}),
    events: [
      ...fresh.flatMap(translate),
      ...newMetrics,
      ...(cost === undefined ? [] : [cost]),
      ...(isReady && model !== seen.model
        ? [{ type: "model-ready", model: { kind: "hosted", backend: "together", id: model } } as const]
        : []),
    ],
    cursor: JSON.stringify({
      job: remote.id,
      events: events.length,
      step: newMetrics.reduce((last, { step }) => Math.max(last, step), seen.step ?? 0),
      model: isReady ? model : seen.model,
      isBilled: seen.isBilled === true || cost !== undefined ? true : undefined,
    }),
    pollAfterMs,
  }
}

/** The job's messages as lines. */
export async function jobLog(jobs: TogetherJobs, job: RemoteJob | undefined, cursor?: string): Promise<LogPage> {
  if (job === undefined) return { text: "", cursor: cursor ?? "" }
  const events = await jobs.events(job.id)
  const lines = events
    .slice(Number(cursor || 0))
    .map(({ created_at, message }) => `${timeOf(created_at)} ${jobs.wire.safe(message ?? "")}\n`)
  return { text: lines.join(""), cursor: String(events.length) }
}

function translate({ created_at, type, step, total_steps }: TogetherEvent): SentEvent[] {
  const sentAt = timeOf(created_at)
  if (type === "training_start" && typeof total_steps === "number")
    return [{ type: "started", totalSteps: total_steps, details: {}, sentAt }]
  if (type === "job_start" || type === "training_start") return [{ type: "state-changed", state: "running", sentAt }]
  if (type === "checkpoint_save" && typeof step === "number") return [{ type: "checkpoint-saved", step, sentAt }]
  return []
}

/** The names of metrics are not documented: losses are known by their names, other numbers stay as they are. */
function metricEvent(point: Readonly<Record<string, unknown>>): Extract<SentEvent, { type: "metric-logged" }>[] {
  const step = point["global_step"] ?? point["step"]
  if (typeof step !== "number") return []
  const values = Object.fromEntries(
    Object.entries(point).flatMap(([name, value]) =>
      typeof value === "number" && !/(^|_)step$/.test(name) ? [[ourName(name), value] as const] : [],
    ),
  )
  return [{ type: "metric-logged", step, values }]
}

function ourName(name: string): string {
  if (/^(train[_/])?loss$/.test(name)) return "loss"
  if (/^(eval|valid(ation)?)[_/]loss$/.test(name)) return "evalLoss"
  return /^(train[_/])?(learning_rate|lr)$/.test(name) ? "learningRate" : name
}

const nanodollars = 1e9

/** The service states what an ended job cost, finished steps of a cancelled one included. */
function costOf({ total_price: price, token_count: tokens }: TogetherJob): SentEvent | undefined {
  if (typeof price !== "number") return undefined
  const detail = typeof tokens === "number" ? { detail: `${tokens} tokens` } : {}
  return { type: "cost", usd: price / nanodollars, source: "provider", ...detail }
}

function lastMessage(events: readonly TogetherEvent[]): string | undefined {
  return events.findLast(({ type, level }) => type === "job_error" || level === "error")?.message ?? undefined
}

function timeOf(time: string): string {
  const at = new Date(time)
  return Number.isNaN(at.getTime()) ? time : at.toISOString()
}

import { z } from "zod"
import type { JobSnapshot, LogPage } from "../../core/contracts/backend.ts"
import { parseJson } from "../../core/json-text.ts"
import type { RemoteJob, RunState, SentEvent } from "../../core/training/run.ts"
import { type Checkpoint, isOver, type Job, type JobEvent, type OpenAiJobs, timeOf } from "./openai-jobs.ts"

const states: Readonly<Record<string, RunState>> = {
  validating_files: "queued",
  queued: "queued",
  running: "running",
  paused: "paused",
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
}

/** Where a poll of a job ended: the last event that was seen, the model that was named, whether a cost was reported. */
const cursorSchema = z
  .object({
    job: z.string().optional(),
    event: z.string().optional(),
    model: z.string().optional(),
    isBilled: z.boolean().optional(),
  })
  .catch({})

/** What the service says of the job now, and each of its events once, in order. */
export async function pollJob(
  jobs: OpenAiJobs,
  remote: RemoteJob,
  cursor: string | undefined,
  costOf: (job: Job) => SentEvent | undefined,
): Promise<JobSnapshot> {
  const before = cursorSchema.parse(parseJson(cursor ?? ""))
  // Of another attempt's job nothing was seen yet.
  const seen = (before.job ?? remote.id) === remote.id ? before : {}
  const job = await jobs.job(remote.id)
  const fresh = await freshEvents(jobs, remote.id, seen.event)
  const model = job.fine_tuned_model ?? undefined
  const known = Object.hasOwn(states, job.status) ? (states[job.status] as RunState) : "running"
  // Whoever has no name of the model yet has not got it.
  const state = known === "succeeded" && model === undefined ? "running" : known
  const isReady = state === "succeeded" && model !== undefined
  const cost = isOver(job) && !seen.isBilled ? costOf(job) : undefined
  return {
    state,
    providerStatus: job.status,
    ...(job.error?.message ? { message: jobs.wire.safe(job.error.message) } : {}),
    ...(isOver(job) && job.finished_at ? { since: timeOf(job.finished_at) } : {}),
    events: [
      ...fresh.flatMap(translate),
      ...(cost === undefined ? [] : [cost]),
      ...(isReady && model !== seen.model ? await readyEvents(jobs, remote.id, model) : []),
    ],
    cursor: JSON.stringify({
      job: remote.id,
      event: fresh.at(-1)?.id ?? seen.event,
      model: isReady ? model : seen.model,
      isBilled: seen.isBilled === true || cost !== undefined ? true : undefined,
    }),
    pollAfterMs: jobs.options.pollAfterMs,
  }
}

/** The job's messages as lines. */
export async function jobLog(jobs: OpenAiJobs, job: RemoteJob | undefined, cursor?: string): Promise<LogPage> {
  if (job === undefined) return { text: "", cursor: cursor ?? "" }
  const fresh = await freshEvents(jobs, job.id, cursor)
  const lines = fresh.map(({ created_at, message }) => `${timeOf(created_at)} ${jobs.wire.safe(message ?? "")}\n`)
  return { text: lines.join(""), cursor: fresh.at(-1)?.id ?? cursor ?? "" }
}

/** Oldest first. They come newest first: what was seen already ends the reading. */
async function freshEvents(jobs: OpenAiJobs, job: string, seen: string | undefined): Promise<JobEvent[]> {
  const fresh: JobEvent[] = []
  for await (const event of jobs.events(job)) {
    if (event.id === seen) break
    fresh.push(event)
  }
  return fresh.reverse()
}

const number = z.number().nullish()
const metricsSchema = z.looseObject({
  step: z.number(),
  total_steps: number,
  train_loss: number,
  valid_loss: number,
  full_valid_loss: number,
  train_mean_token_accuracy: number,
  learning_rate: number,
})

function translate({ created_at, type, message, data }: JobEvent): SentEvent[] {
  const sentAt = timeOf(created_at)
  const metrics = type === "metrics" ? metricsSchema.safeParse(data).data : undefined
  if (metrics !== undefined) return [metricEvent(metrics, sentAt)]
  if (/job started/i.test(message ?? "")) return [{ type: "state-changed", state: "running", sentAt }]
  return []
}

function metricEvent(metrics: z.output<typeof metricsSchema>, sentAt: string): SentEvent {
  const named = {
    loss: metrics.train_loss,
    evalLoss: metrics.full_valid_loss ?? metrics.valid_loss,
    tokenAccuracy: metrics.train_mean_token_accuracy,
    learningRate: metrics.learning_rate,
  }
  const values = Object.fromEntries(
    Object.entries(named).flatMap(([name, value]) => (typeof value === "number" ? [[name, value] as const] : [])),
  )
  const { step, total_steps: totalSteps } = metrics
  return { type: "metric-logged", step, ...(totalSteps ? { totalSteps } : {}), values, sentAt }
}

async function readyEvents(jobs: OpenAiJobs, job: string, model: string): Promise<SentEvent[]> {
  const checkpoints = await jobs.checkpoints(job)
  return [
    ...checkpoints.flatMap((checkpoint): SentEvent[] =>
      typeof checkpoint.step_number === "number"
        ? [{ type: "checkpoint-saved", step: checkpoint.step_number, ...namedCheckpoint(checkpoint) }]
        : [],
    ),
    { type: "model-ready", model: { kind: "hosted", backend: jobs.options.backend, id: model } },
  ]
}

function namedCheckpoint({ fine_tuned_model_checkpoint: model, metrics }: Checkpoint) {
  const loss = [metrics?.["full_valid_loss"], metrics?.["valid_loss"]].find((value) => typeof value === "number")
  return { ...(model ? { model } : {}), ...(loss === undefined ? {} : { evalLoss: loss }) }
}

import { z } from "zod"
import type { JobSnapshot, LogPage } from "../../../core/contracts/backend.ts"
import { parseJson } from "../../../core/json-text.ts"
import type { RemoteJob, RunState, SentEvent } from "../../../core/training/run.ts"
import { referenceOf } from "./artifacts.ts"
import type { WandbEvent, WandbJob, WandbJobs } from "./jobs.ts"
import { checkpointName, modelOf, type TrainedModel, unnamedJob } from "./submit.ts"

/** Words of a job's undocumented status that end it although no event says so. */
const ends: Readonly<Record<string, RunState>> = { failed: "failed", cancelled: "cancelled", canceled: "cancelled" }

/** Where a poll ended: the last event that was seen, and what the events up to it say together. */
const cursorSchema = z
  .object({
    job: z.string().optional(),
    event: z.string().optional(),
    state: z.enum(["queued", "running", "succeeded", "failed"]).default("queued"),
    steps: z.int().default(0),
    tokens: z.number().default(0),
    message: z.string().optional(),
    isReady: z.boolean().default(false),
    isBilled: z.boolean().default(false),
  })
  .catch({ state: "queued", steps: 0, tokens: 0, isReady: false, isBilled: false })
type Seen = z.output<typeof cursorSchema>

/** What the service says of the job now, and each of its events once, in order. Its events carry no times. */
export async function pollJob(
  jobs: WandbJobs,
  remote: RemoteJob,
  cursor: string | undefined,
  { pollAfterMs, costOf }: { pollAfterMs: number; costOf: (model: string, tokens: number) => SentEvent | undefined },
): Promise<JobSnapshot> {
  const before = cursorSchema.parse(parseJson(cursor ?? ""))
  // Of another attempt's job nothing was seen yet.
  let seen: Seen = before.job === remote.id ? before : cursorSchema.parse({})
  const model = modelOf(remote.details ?? {})
  const job = remote.id === unnamedJob ? undefined : await jobs.job(remote.id)
  const events: SentEvent[] = []
  for (const event of job === undefined ? [] : await jobs.events(remote.id, seen.event)) {
    events.push(...translate(event, seen))
    seen = after(seen, event)
  }
  const made = job === undefined || seen.state === "succeeded" ? await madeBy(jobs, model) : []
  // Whoever has no checkpoint yet has not got it.
  const isReady = made.length > 0
  const state = stateOf(job, seen, isReady)
  const isOver = state === "succeeded" || state === "failed" || state === "cancelled"
  const cost = isOver && !seen.isBilled ? costOf(model.baseModel, seen.tokens) : undefined
  if (isReady && !seen.isReady) events.push(...made)
  const message = state === "failed" ? (seen.message ?? job?.error_message ?? "the service gives no reason") : undefined
  return {
    state,
    providerStatus: job?.status ?? seen.state,
    ...(message === undefined ? {} : { message: jobs.wire.safe(message) }),
    ...(isOver && job?.training_end ? { since: timeOf(job.training_end) } : {}),
    events: [...events, ...(cost === undefined ? [] : [cost])],
    cursor: JSON.stringify({
      ...{ ...seen, job: remote.id, isReady: seen.isReady || isReady },
      isBilled: seen.isBilled || cost !== undefined,
    }),
    pollAfterMs,
  }
}

/** The job's events as lines; they carry no times. */
export async function jobLog(jobs: WandbJobs, job: RemoteJob | undefined, cursor?: string): Promise<LogPage> {
  if (job === undefined || job.id === unnamedJob) return { text: "", cursor: cursor ?? "" }
  const fresh = await jobs.events(job.id, cursor || undefined)
  const lines = fresh.map(({ type, data }) => `${type} ${jobs.wire.safe(JSON.stringify(data))}\n`)
  return { text: lines.join(""), cursor: fresh.at(-1)?.id ?? cursor ?? "" }
}

/** Whether the job has ended, by its events or by the words that it carries itself. */
export async function isOver(jobs: WandbJobs, id: string): Promise<boolean> {
  const [job, events] = [await jobs.job(id), await jobs.events(id, undefined)]
  const last = events.reduce(after, cursorSchema.parse({}))
  return ["succeeded", "failed", "cancelled"].includes(stateOf(job, last, true))
}

function stateOf(job: WandbJob | undefined, seen: Seen, isReady: boolean): RunState {
  if (job === undefined) return isReady ? "succeeded" : "running"
  if (seen.state === "succeeded") return isReady ? "succeeded" : "running"
  if (seen.state === "failed") return "failed"
  const word = job.status?.toLowerCase() ?? ""
  return Object.hasOwn(ends, word) ? (ends[word] as RunState) : seen.state
}

function after(seen: Seen, { id: event, type, data }: WandbEvent): Seen {
  const { num_tokens: tokens, error_message: message } = data
  switch (type) {
    case "training_started":
      return { ...seen, event, state: "running" }
    case "gradient_step": {
      const counted = seen.tokens + (typeof tokens === "number" ? tokens : 0)
      return { ...seen, event, state: "running", steps: seen.steps + 1, tokens: counted }
    }
    case "training_ended":
      return { ...seen, event, state: "succeeded" }
    case "training_failed":
      return { ...seen, event, state: "failed", ...(typeof message === "string" ? { message } : {}) }
    default:
      return { ...seen, event }
  }
}

/** Steps are counted: an event may name its own or none. */
function translate({ type, data }: WandbEvent, { steps }: Seen): SentEvent[] {
  const total = data["num_sequences"]
  if (type === "training_started")
    return typeof total === "number"
      ? [{ type: "started", totalSteps: total, details: {} }]
      : [{ type: "state-changed", state: "running" }]
  if (type !== "gradient_step") return []
  const values = Object.entries(data).flatMap(([name, value]) =>
    typeof value === "number" && name !== "gradient_step" ? [[ourName(name), value] as const] : [],
  )
  return [{ type: "metric-logged", step: steps + 1, values: Object.fromEntries(values) }]
}

function ourName(name: string): string {
  if (/^(train[_/])?loss$/.test(name)) return "loss"
  if (isValidationLoss(name)) return "evalLoss"
  return name === "learning_rate" ? "learningRate" : name
}

/** The names of metrics are not documented. */
function isValidationLoss(name: string): boolean {
  return /^(eval|val|valid(ation)?)[_/]loss$/.test(name)
}

/** The checkpoints that were trained, each under the name by which it answers, and the last as the model. */
async function madeBy(jobs: WandbJobs, model: TrainedModel): Promise<SentEvent[]> {
  const trained = (await jobs.checkpoints(model.modelId)).filter(({ step }) => step > 0)
  const last = trained.at(-1)
  if (last === undefined) return []
  const idOf = (step: number) => referenceOf(checkpointName(model, step))
  return [
    ...trained.map(({ step, metrics }): SentEvent => {
      const loss = Object.entries(metrics).find(([name]) => isValidationLoss(name))?.[1]
      const evalLoss = typeof loss === "number" ? { evalLoss: loss } : {}
      return { type: "checkpoint-saved", step, model: idOf(step), ...evalLoss }
    }),
    { type: "model-ready", model: { kind: "hosted", backend: "wandb", id: idOf(last.step) } },
  ]
}

function timeOf(time: string): string {
  const at = new Date(/(Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`)
  return Number.isNaN(at.getTime()) ? time : at.toISOString()
}

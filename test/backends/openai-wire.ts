import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import type {
  BackendContext,
  BackendModule,
  FineTuneBackend,
  JobSnapshot,
  RunFiles,
  TrainingPlan,
} from "../../src/core/contracts/backend.ts"
import { CredentialError, JobMayExistError, ProviderError, type ToolkitError } from "../../src/core/errors.ts"
import type { RemoteJob, RunState, SentEvent } from "../../src/core/training/run.ts"
import { retryAfterMs } from "../../src/core/retry.ts"

const optionsSchema = z.strictObject({
  baseUrl: z.url().describe("The address of the server, up to /v1"),
  apiKeyEnv: z.string().default("OPENAI_API_KEY").describe("The environment variable that holds the key"),
  settleMs: z.number().default(60_000).describe("How long a new job may be missing from the provider's list"),
  pollAfterMs: z.number().default(20_000).describe("How long to wait between two polls"),
  pageSize: z.int().positive().default(20).describe("Jobs or events a page"),
})
type Options = z.output<typeof optionsSchema>

/**
 * A thin hosted backend over OpenAI's fine-tuning wire: the second case that the contract is shaped against. It stays a
 * test; the real one grows out of it.
 */
const module: BackendModule<Options> = {
  summary: "OpenAI's fine-tuning wire, as a test has it",
  kind: "hosted",
  options: optionsSchema,
  environment: [{ name: "OPENAI_API_KEY", purpose: "the key of the server", secret: true }],
  create: openAiWire,
}
export default module

function openAiWire(context: BackendContext, options: Options): FineTuneBackend {
  const wire = new Wire(context, options)
  return {
    name: "openai-wire",
    kind: "hosted",
    sunset: "2027-01-06",
    capabilities: () => ({ objectives: ["sft"], methods: ["lora"], asOf: "2026-11-29", source: "this test" }),
    check: async () => [{ name: "key", status: wire.hasKey ? "ok" : "missing", detail: options.apiKeyEnv }],
    estimate: async (plan) => ({
      figures: [{ name: "cost", value: costOf(plan), unit: "USD", source: "rule of thumb" }],
    }),
    // A dated snapshot is what it is; what an alias points to only the provider knows.
    pin: async ({ model }) => (/-\d{4}-\d{2}-\d{2}$/.test(model) ? model : undefined),
    submit: async (plan, files, { submissionKey }) =>
      (await find(wire, options, submissionKey, files)) ?? (await submit(wire, plan, files, submissionKey)),
    find: (submissionKey, files) => find(wire, options, submissionKey, files),
    poll: (job, _files, cursor) => poll(wire, options, job, cursor),
    logs: async (job, _files, cursor) => {
      if (job === undefined) return { text: "", cursor: cursor ?? "" }
      const fresh = await freshEvents(wire, job, cursor)
      const text = fresh
        .map(({ created_at, message }) => `${timeOf(created_at)} ${wire.safe(message ?? "")}\n`)
        .join("")
      return { text, cursor: fresh.at(-1)?.id ?? cursor ?? "" }
    },
    async cancel(job) {
      const answer = await wire.ask("POST", `/fine_tuning/jobs/${job.id}/cancel`)
      // A job that is over refuses to be cancelled: that is as good.
      if (answer.status >= 400 && !isOver(await wire.job(job.id))) throw wire.refused(answer)
    },
  }
}

const jobSchema = z.looseObject({
  id: z.string(),
  status: z.string(),
  training_file: z.string(),
  metadata: z.record(z.string(), z.string()).nullish(),
  created_at: z.number(),
  finished_at: z.number().nullish(),
  fine_tuned_model: z.string().nullish(),
  error: z.looseObject({ message: z.string().nullish() }).nullish(),
})
type Job = z.output<typeof jobSchema>
const eventSchema = z.looseObject({
  id: z.string(),
  created_at: z.number(),
  type: z.string().nullish(),
  message: z.string().nullish(),
  data: z.unknown(),
})
type WireEvent = z.output<typeof eventSchema>
const metricsSchema = z.looseObject({ step: z.number(), total_steps: z.number().nullish(), train_loss: z.number() })
const fileSchema = z.looseObject({ id: z.string() })
/** What is known of a submission in the run's folder: before the job is asked for, that it will be. */
const notesSchema = z.object({ submissionKey: z.string(), creatingAt: z.string() })

const keyLabel = "tuneloop_submission"

async function submit(wire: Wire, plan: TrainingPlan, files: RunFiles, submissionKey: string): Promise<RemoteJob> {
  const trainingFile = await wire.upload(files.train)
  const validationFile = plan.files.validation.rows > 0 ? await wire.upload(files.validation) : undefined
  const aboutToCreate = () => writeNotes(files, { submissionKey, creatingAt: wire.now().toISOString() })
  const job = await wire.create(aboutToCreate, {
    model: plan.baseModel,
    training_file: trainingFile,
    ...(validationFile === undefined ? {} : { validation_file: validationFile }),
    suffix: plan.job.slice(0, 64),
    seed: plan.seed,
    method: { type: "supervised", supervised: { hyperparameters: { n_epochs: plan.hyperparameters.epochs } } },
    metadata: { [keyLabel]: submissionKey },
  })
  return remoteJob(job, submissionKey)
}

async function find(
  wire: Wire,
  { settleMs }: Options,
  submissionKey: string,
  files: RunFiles,
): Promise<RemoteJob | undefined> {
  const notes = readNotes(files)
  // Nothing was asked for under this key.
  if (notes?.submissionKey !== submissionKey) return undefined
  for await (const job of wire.list("/fine_tuning/jobs", jobSchema))
    if (job.metadata?.[keyLabel] === submissionKey) return remoteJob(job, submissionKey)
  const youngMs = Math.abs(wire.now().getTime() - Date.parse(notes.creatingAt))
  if (youngMs >= settleMs) return undefined
  throw new ProviderError("the job is not in the provider's list, which may lag behind", {
    provider: "openai-wire",
    retryAfterMs: settleMs - youngMs,
    isRetryable: true,
    hint: `Ask again in ${Math.ceil((settleMs - youngMs) / 1000)} s.`,
  })
}

const states: Readonly<Record<string, RunState>> = {
  validating_files: "queued",
  queued: "queued",
  running: "running",
  paused: "paused",
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
}

/** Where a poll ended: the last event that was seen, and the model that was named. */
const cursorSchema = z.object({ event: z.string().optional(), model: z.string().optional() }).catch({})

async function poll(wire: Wire, options: Options, remote: RemoteJob, cursor: string | undefined): Promise<JobSnapshot> {
  const seen = cursorSchema.parse(jsonOf(cursor ?? ""))
  const job = await wire.job(remote.id)
  const fresh = await freshEvents(wire, remote, seen.event)
  const model = job.fine_tuned_model ?? undefined
  const known = states[job.status] ?? "running"
  // Whoever has no name of the model yet has not got it.
  const state = known === "succeeded" && model === undefined ? "running" : known
  const events: SentEvent[] = fresh.flatMap(translate)
  if (state === "succeeded" && model !== undefined && model !== seen.model)
    events.push({ type: "model-ready", model: { kind: "hosted", backend: "openai-wire", id: model } })
  return {
    state,
    providerStatus: job.status,
    ...(job.error?.message ? { message: wire.safe(job.error.message) } : {}),
    ...(isOver(job) && job.finished_at ? { since: timeOf(job.finished_at) } : {}),
    events,
    cursor: JSON.stringify({
      event: fresh.at(-1)?.id ?? seen.event,
      model: state === "succeeded" ? model : seen.model,
    }),
    pollAfterMs: options.pollAfterMs,
  }
}

/** Oldest first. They come newest first: what was seen already ends the reading. */
async function freshEvents(wire: Wire, job: RemoteJob, seen: string | undefined): Promise<WireEvent[]> {
  const fresh: WireEvent[] = []
  for await (const event of wire.list(`/fine_tuning/jobs/${job.id}/events`, eventSchema)) {
    if (event.id === seen) break
    fresh.push(event)
  }
  return fresh.reverse()
}

function translate({ created_at, type, message, data }: WireEvent): SentEvent[] {
  const sentAt = timeOf(created_at)
  const metrics = type === "metrics" ? metricsSchema.safeParse(data).data : undefined
  if (metrics !== undefined) {
    const { step, total_steps, train_loss: loss } = metrics
    const totalSteps = total_steps ?? undefined
    return [
      { type: "metric-logged", step, ...(totalSteps === undefined ? {} : { totalSteps }), values: { loss }, sentAt },
    ]
  }
  if (/job started/.test(message ?? "")) return [{ type: "state-changed", state: "running", sentAt }]
  return []
}

interface Answer {
  readonly status: number
  readonly value: unknown
  readonly headers: Headers
}

const longestPolite = 3

/** The calls, each made once; what goes wrong is an error without the key. */
class Wire {
  private readonly context: BackendContext
  private readonly options: Options

  constructor(context: BackendContext, options: Options) {
    this.context = context
    this.options = options
  }

  get hasKey(): boolean {
    return Boolean(this.context.environment[this.options.apiKeyEnv])
  }
  now(): Date {
    return this.context.now()
  }

  async job(id: string): Promise<Job> {
    const answer = await this.ask("GET", `/fine_tuning/jobs/${id}`)
    if (answer.status >= 400) throw this.refused(answer)
    return this.parse(jobSchema, answer.value)
  }

  /** A failed upload made no job. */
  async upload(path: string): Promise<string> {
    const body = new FormData()
    body.append("purpose", "fine-tune")
    body.append("file", new File([readFileSync(path)], path.split("/").at(-1) ?? "rows.jsonl"))
    const answer = await this.ask("POST", "/files", body, false)
    if (answer.status >= 400) throw this.refused(answer)
    return this.parse(fileSchema, answer.value, false).id
  }

  /** Only an answer says what came of it: without one, a job may exist. */
  async create(aboutToCreate: () => void, body: object): Promise<Job> {
    for (let attempt = 1; ; attempt++) {
      aboutToCreate()
      let answer: Answer
      try {
        answer = await this.ask("POST", "/fine_tuning/jobs", JSON.stringify(body))
      } catch (error) {
        if (error instanceof ProviderError && !error.mayHaveCost) throw error
        throw this.mayExist(error)
      }
      if (answer.status === 429 && attempt < longestPolite) {
        await this.context.sleep(retryAfterMs(answer.headers) ?? 1000)
        continue
      }
      if (answer.status >= 500) throw this.mayExist(this.refused(answer))
      if (answer.status >= 400) throw this.refused(answer)
      const job = jobSchema.safeParse(answer.value)
      if (!job.success) throw this.mayExist(new Error("the answer is no job"))
      return job.data
    }
  }

  async *list<Item extends { readonly id: string }>(path: string, schema: z.ZodType<Item>): AsyncGenerator<Item> {
    const pageSchema = z.looseObject({ data: z.array(schema), has_more: z.boolean() })
    for (let after = ""; ; ) {
      const answer = await this.ask("GET", `${path}?limit=${this.options.pageSize}${after && `&after=${after}`}`)
      if (answer.status >= 400) throw this.refused(answer)
      const { data, has_more } = this.parse(pageSchema, answer.value)
      yield* data
      const last = data.at(-1)?.id
      if (!has_more || last === undefined) return
      after = last
    }
  }

  async ask(method: string, path: string, body?: string | FormData, mayHaveCost = true): Promise<Answer> {
    const { baseUrl, apiKeyEnv } = this.options
    const key = this.context.environment[apiKeyEnv]
    if (!key) throw new CredentialError(`${apiKeyEnv} is not set`, `Set ${apiKeyEnv} in the environment.`)
    if (!this.context.allowedHosts.includes(new URL(baseUrl).hostname))
      throw new ProviderError(`${new URL(baseUrl).host} is not allowed`, {
        provider: "openai-wire",
        mayHaveCost: false,
      })
    try {
      const response = await this.context.fetch(`${baseUrl}${path}`, {
        method,
        redirect: "manual",
        signal: this.context.signal,
        headers: {
          authorization: `Bearer ${key}`,
          ...(typeof body === "string" ? { "content-type": "application/json" } : {}),
        },
        ...(body === undefined ? {} : { body }),
      })
      const text = await response.text()
      return { status: response.status, value: jsonOf(text), headers: response.headers }
    } catch (error) {
      this.context.signal.throwIfAborted()
      const cause = (error as Error).cause as { code?: string } | undefined
      throw new ProviderError(`${new URL(baseUrl).host} did not answer: ${this.safe((error as Error).message)}`, {
        provider: "openai-wire",
        isRetryable: true,
        mayHaveCost: mayHaveCost && cause?.code !== "ECONNREFUSED",
      })
    }
  }

  refused({ status, value, headers }: Answer): ToolkitError {
    if (status === 401) return new CredentialError("the key was refused", `Check ${this.options.apiKeyEnv}.`)
    const said = z.looseObject({ error: z.looseObject({ message: z.string() }) }).safeParse(value).data?.error.message
    return new ProviderError(`the provider answered HTTP ${status}: ${this.safe(said ?? "no message")}`, {
      provider: "openai-wire",
      status,
      isRetryable: status === 429 || status >= 500,
      retryAfterMs: retryAfterMs(headers),
      mayHaveCost: false,
    })
  }

  private mayExist(error: unknown): JobMayExistError {
    this.context.signal.throwIfAborted()
    return new JobMayExistError(`it is not known whether a job was created: ${this.safe((error as Error).message)}`, {
      provider: "openai-wire",
    })
  }

  private parse<Value>(schema: z.ZodType<Value>, value: unknown, mayHaveCost = true): Value {
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    const message = "the provider answered with something else than was asked for"
    throw new ProviderError(message, { provider: "openai-wire", isRetryable: true, mayHaveCost })
  }

  safe(text: string): string {
    const key = this.context.environment[this.options.apiKeyEnv]
    return key ? text.replaceAll(key, "[secret]") : text
  }
}

function remoteJob({ id, training_file: trainingFile }: Job, submissionKey: string): RemoteJob {
  return { backend: "openai-wire", id, submissionKey, details: { trainingFile } }
}

function isOver({ status }: Job): boolean {
  return ["succeeded", "failed", "cancelled"].includes(status)
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Three US dollars a million tokens, by the rule of four characters a token. */
function costOf({ files, hyperparameters }: TrainingPlan): number {
  return (files.train.bytes / 4 / 1e6) * hyperparameters.epochs * 3
}

function notesFile(files: RunFiles): string {
  return join(files.folder, "openai-wire.json")
}

function readNotes(files: RunFiles): z.output<typeof notesSchema> | undefined {
  return existsSync(notesFile(files)) ? notesSchema.parse(jsonOf(readFileSync(notesFile(files), "utf8"))) : undefined
}

function writeNotes(files: RunFiles, notes: z.output<typeof notesSchema>): void {
  writeFileSync(`${notesFile(files)}.tmp`, JSON.stringify(notes))
  renameSync(`${notesFile(files)}.tmp`, notesFile(files))
}

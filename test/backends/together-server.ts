import type { IncomingMessage } from "node:http"
import { EarlierTogetherEndpoints } from "./together/earlier-endpoints.ts"
import { project, TogetherEndpoints } from "./together/endpoints.ts"
import { refused, storagePath, TogetherFiles } from "./together/files.ts"
import { registryAnswer } from "./together/registry.ts"
import { limitsOf, listedJob, newJob, type ServedTogetherJob, shownJob } from "./together/served.ts"
import { type Answer, arePreferences, WireServer } from "./wire-server.ts"

const stepPriceUsd = 0.05
const nanodollars = 1e9

/**
 * Together's files, fine-tunes and endpoints on this machine: files are looked at before a job may name them, jobs go
 * on a step at a time, cancelled ones pay for their steps, and what was made comes as an archive.
 */
export class TogetherServer extends WireServer {
  readonly jobs: ServedTogetherJob[] = []
  readonly store = new TogetherFiles()
  readonly endpoints = new TogetherEndpoints()
  readonly earlierEndpoints = new EarlierTogetherEndpoints()
  readonly model = "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference"
  /** Whether the types and levels of events come in capitals: the service's client has both. */
  hasCapitals = false
  /** What the account may spend on a job. */
  limitUsd = 100
  /** Whether no machine for deployments has room. */
  isFull = false
  /** What a job makes, packed. */
  archive = Buffer.alloc(0)
  /** What it had made at earlier steps, packed. */
  readonly checkpoints = new Map<number, Buffer>()
  clock = Date.parse("2026-06-01T00:00:00Z")

  static async start(): Promise<TogetherServer> {
    const server = new TogetherServer()
    await server.listen()
    return server
  }

  get newest(): ServedTogetherJob {
    const job = this.jobs.at(-1)
    if (job === undefined) throw new Error("there is no job")
    return job
  }

  /** The job runs, whatever it was, and logs one step more. */
  step(job = this.newest): void {
    this.#start(job)
    const step = job.metrics.length + 1
    job.metrics.push({ global_step: step, "train/loss": 2 / step, learning_rate: 1e-4 })
  }

  /** Saves a checkpoint at the last step, whose loss on the validation rows was logged. */
  save(evalLoss: number, archive: Buffer, job = this.newest): void {
    const step = job.metrics.length
    Object.assign(job.metrics.at(-1) ?? {}, { "eval/loss": evalLoss })
    this.checkpoints.set(step, archive)
    this.#tell(job, "checkpoint_save", `Checkpoint saved at step ${step}`, { step })
  }

  succeed(job = this.newest): void {
    this.#start(job)
    job.model_output_name = `org/${job.suffix}-${job.id}`
    job.model_object_id = `ml_${job.id}`
    job.model_object_revision_id = `rv_${job.id}`
    this.end(job, "completed", "Job completed")
  }

  end(job: ServedTogetherJob, status: string, message: string): void {
    job.status = status
    job.total_price = Math.round(stepPriceUsd * job.metrics.length * nanodollars)
    job.token_count = 100 * job.metrics.length
    this.#tell(job, status === "error" ? "job_error" : "job_complete", message)
  }

  #start(job: ServedTogetherJob): void {
    if (job.status !== "pending" && job.status !== "queued") return
    job.status = "running"
    this.#tell(job, "job_start", "Job started")
    this.#tell(job, "training_start", "Training started", { total_steps: 100 })
  }

  #tell(job: ServedTogetherJob, type: string, message: string, more: object = {}): void {
    this.clock += 1000
    job.updated_at = new Date(this.clock).toISOString()
    job.events.push({
      object: "fine-tune-event",
      created_at: job.updated_at,
      type,
      level: type === "job_error" ? "error" : "info",
      message,
      ...more,
    })
  }

  protected async answerTo(call: string, request: IncomingMessage, body: Buffer): Promise<Answer> {
    const url = new URL(request.url ?? "", "http://127.0.0.1")
    const [, version, room, ...rest] = url.pathname.split("/")
    if (room === storagePath && request.method === "PUT") return this.store.put(rest[0] ?? "", body)
    if (request.headers.authorization !== `Bearer ${this.key}`) return refused(401, "invalid API key")
    if (version !== "v1") return this.#laterAnswer(url, request, body)
    if (room === "files") return this.store.answerTo({ request, path: rest, body, url: this.url })
    if (room === "finetune") return this.#archive(url)
    if (room === "endpoints") return this.earlierEndpoints.answerTo(request, rest[0])
    if (call === "POST /v1/chat/completions")
      return this.endpoints.chat(body) ?? this.earlierEndpoints.chat(JSON.parse(body.toString("utf8")).model)
    if (room !== "fine-tunes") return refused(404, "no such path")
    if (call === "POST /v1/fine-tunes")
      return this.#create(JSON.parse(body.toString("utf8")) as Record<string, unknown>)
    if (rest[0] === "estimate-price")
      return this.#estimate(JSON.parse(body.toString("utf8")) as Record<string, unknown>)
    if (rest[0] === "models") return this.#limits(url.searchParams.get("model_name"))
    if (rest.length === 0) return { status: 200, body: { data: this.jobs.map(listedJob) } }
    return this.#job(rest[0] ?? "", rest[1], url)
  }

  /** The versions after the first: who the key is of, what can be deployed, and what is. */
  #laterAnswer(url: URL, request: IncomingMessage, body: Buffer): Answer {
    const [, version, room, id, part, ...path] = url.pathname.split("/")
    if (version === "v3") {
      const organization = { id: "org_tests", name: "Tests" }
      const who = { type: "project_api_key", api_key: { id: "key_1" }, organization }
      return { status: 200, body: { ...who, project: { id: project, name: "Tests", slug: "org" } } }
    }
    if (room === "projects" && id !== project) return refused(403, `no access to the project ${id}`)
    if (part === "endpoints") return this.endpoints.answerTo({ request, path, url, body }, this.jobs)
    return registryAnswer(url, this) ?? refused(404, "no such path")
  }

  #job(id: string, part: string | undefined, url: URL): Answer {
    const job = this.jobs.find((candidate) => candidate.id === id)
    if (job === undefined) return refused(404, `fine-tune ${id} not found`)
    if (part === "events") {
      const said = (word: string) => (this.hasCapitals ? word.toUpperCase() : word)
      const data = job.events.map((event) => ({ ...event, type: said(event.type), level: said(event.level) }))
      return { status: 200, body: { data } }
    }
    if (part === "metrics") {
      const from = Number(url.searchParams.get("global_step_from") ?? 0)
      return { status: 200, body: { metrics: job.metrics.filter(({ global_step: step = 0 }) => step >= from) } }
    }
    if (part === "cancel") {
      if (["completed", "error", "cancelled"].includes(job.status)) return refused(400, `the job is ${job.status}`)
      this.end(job, "cancelled", "Job cancelled")
      return { status: 200, body: listedJob(job) }
    }
    return { status: 200, body: shownJob(job) }
  }

  /** What the job made, or had made at a step at which it saved. */
  #archive({ searchParams }: URL): Answer {
    const step = searchParams.get("checkpoint_step")
    const body = step === null ? this.archive : this.checkpoints.get(Number(step))
    return body === undefined ? refused(404, `there is no checkpoint of step ${step}`) : { status: 200, body }
  }

  #limits(model: string | null): Answer {
    if (model !== this.model) return refused(404, `model ${model} is not available for fine-tuning`)
    return { status: 200, body: limitsOf(model) }
  }

  #estimate({ training_file: file }: Record<string, unknown>): Answer {
    const kept = this.store.ready(String(file))
    if (kept === undefined)
      return { status: 200, body: { estimation_available: false, unavailable_reason: "train_file_not_validated" } }
    const price = kept.length / 1e5
    return {
      status: 200,
      body: {
        ...{ estimation_available: true, estimated_total_price: price, user_limit: this.limitUsd },
        allowed_to_proceed: price <= this.limitUsd,
      },
    }
  }

  #create(request: Record<string, unknown>): Answer {
    const train = String(request["training_file"])
    const rows = this.store.ready(train)
    if (rows === undefined) return refused(400, `file ${train} is not validated yet`)
    const { method } = request["training_method"] as { readonly method: string }
    if (method === "dpo" && !arePreferences(rows)) return refused(400, `file ${train} has no preferences`)
    const job = newJob(`ft-${this.jobs.length + 1}`, new Date(this.clock).toISOString(), request)
    this.jobs.push(job)
    this.#tell(job, "job_pending", "Fine tune request created")
    return { status: 200, body: listedJob(job) }
  }
}

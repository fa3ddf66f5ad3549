import type { IncomingMessage } from "node:http"
import { type Answer, arePreferences, WireServer } from "./wire-server.ts"

/** A fine-tuning job as the server keeps it. */
export interface ServedTogetherJob {
  readonly id: string
  readonly model: string
  readonly suffix: string
  readonly training_file: string
  readonly validation_file: string | null
  readonly request: Readonly<Record<string, unknown>>
  readonly created_at: string
  updated_at: string
  status: string
  model_output_name: string | null
  total_price: number | null
  token_count: number | null
  readonly events: {
    created_at: string
    type: string
    level: string
    message: string
    step?: number
    total_steps?: number
  }[]
  readonly metrics: Record<string, number>[]
}

interface KeptFile {
  readonly name: string
  readonly content: Buffer
  looksLeft: number
  readonly refusal: string | undefined
}

const stepPrice = 0.05

/**
 * Together's files and fine-tunes on this machine: files are looked at before a job may name them, jobs go on a step
 * at a time, cancelled ones pay for their steps, and what was made comes as an archive.
 */
export class TogetherServer extends WireServer {
  readonly jobs: ServedTogetherJob[] = []
  readonly files = new Map<string, KeptFile>()
  readonly model = "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference"
  /** How often a new file is looked at before it is ready. */
  patience = 0
  /** Why new files are refused once they were looked at. */
  refusal: string | undefined
  /** What the account may spend on a job. */
  limitUsd = 100
  /** What a job makes, packed. */
  archive = Buffer.alloc(0)
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

  succeed(job = this.newest): void {
    this.#start(job)
    job.model_output_name = `org/${job.suffix}-${job.id}`
    this.end(job, "completed", "Job completed")
  }

  end(job: ServedTogetherJob, status: string, message: string): void {
    job.status = status
    job.total_price = stepPrice * job.metrics.length
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
      created_at: job.updated_at,
      type,
      level: type === "job_error" ? "error" : "info",
      message,
      ...more,
    })
  }

  protected async answerTo(call: string, request: IncomingMessage, body: Buffer): Promise<Answer> {
    if (request.headers.authorization !== `Bearer ${this.key}`) return refused(401, "invalid API key")
    const url = new URL(request.url ?? "", "http://127.0.0.1")
    const [, , room, ...rest] = url.pathname.split("/")
    if (room === "files") return this.#file(request, rest[0] ?? "", body)
    if (room === "finetune") return { status: 200, body: this.archive }
    if (room !== "fine-tunes") return refused(404, "no such path")
    if (call === "POST /v1/fine-tunes")
      return this.#create(JSON.parse(body.toString("utf8")) as Record<string, unknown>)
    if (rest[0] === "estimate-price")
      return this.#estimate(JSON.parse(body.toString("utf8")) as Record<string, unknown>)
    if (rest[0] === "models") return this.#limits(url.searchParams.get("model_name"))
    if (rest.length === 0) return { status: 200, body: { data: this.jobs.map(shown) } }
    return this.#job(rest[0] ?? "", rest[1], url)
  }

  #job(id: string, part: string | undefined, url: URL): Answer {
    const job = this.jobs.find((candidate) => candidate.id === id)
    if (job === undefined) return refused(404, `fine-tune ${id} not found`)
    if (part === "events") return { status: 200, body: { data: job.events } }
    if (part === "metrics") {
      const from = Number(url.searchParams.get("global_step_from") ?? 0)
      return { status: 200, body: { metrics: job.metrics.filter(({ global_step: step = 0 }) => step >= from) } }
    }
    if (part === "cancel") {
      if (["completed", "error", "cancelled"].includes(job.status)) return refused(400, `the job is ${job.status}`)
      this.end(job, "cancelled", "Job cancelled")
    }
    return { status: 200, body: shown(job) }
  }

  async #file(request: IncomingMessage, id: string, body: Buffer): Promise<Answer> {
    if (id === "upload") {
      const headers = { "content-type": request.headers["content-type"] ?? "" }
      const form = await new Response(new Uint8Array(body), { headers }).formData()
      const file = form.get("file")
      if (!(file instanceof File) || form.get("purpose") !== "fine-tune")
        return refused(400, "file or purpose is missing")
      const made = `file-${this.files.size + 1}`
      const content = Buffer.from(await file.arrayBuffer())
      this.files.set(made, {
        name: String(form.get("file_name")),
        content,
        looksLeft: this.patience,
        refusal: this.refusal,
      })
      return this.#shownFile(made)
    }
    if (id === "")
      return { status: 200, body: { data: [...this.files.keys()].map((name) => this.#shownFile(name).body) } }
    const file = this.files.get(id)
    if (file === undefined) return refused(404, `file ${id} not found`)
    if (request.method === "DELETE") {
      this.files.delete(id)
      return { status: 200, body: { id, deleted: true } }
    }
    if (file.looksLeft > 0) file.looksLeft -= 1
    return this.#shownFile(id)
  }

  #shownFile(id: string): Answer {
    const file = this.files.get(id)
    const isReady = file?.looksLeft === 0
    const ready = file?.refusal === undefined ? "COMPLETED" : "INVALID_FORMAT"
    return {
      status: 200,
      body: {
        ...{ id, object: "file", bytes: file?.content.length, filename: file?.name, Processed: isReady },
        processing_status: isReady ? ready : "RUNNING",
        ...(file?.refusal === undefined ? {} : { validation_report: { error: file.refusal } }),
      },
    }
  }

  #limits(model: string | null): Answer {
    if (model !== this.model) return refused(404, `model ${model} is not available for fine-tuning`)
    const lora = { max_rank: 64, min_batch_size: 8, max_batch_size: 32, target_modules: ["q_proj", "v_proj"] }
    return {
      status: 200,
      body: {
        model_name: model,
        max_num_epochs: 20,
        max_seq_length_sft: 8192,
        max_seq_length_dpo: 4096,
        lora_training: lora,
      },
    }
  }

  #estimate({ training_file: file }: Record<string, unknown>): Answer {
    const kept = this.files.get(String(file))
    if (kept === undefined || kept.looksLeft > 0)
      return { status: 200, body: { estimation_available: false, unavailable_reason: "train_file_not_validated" } }
    const price = kept.content.length / 1e5
    return {
      status: 200,
      body: {
        ...{ estimation_available: true, estimated_total_price: price, user_limit: this.limitUsd },
        allowed_to_proceed: price <= this.limitUsd,
      },
    }
  }

  #create(request: Record<string, unknown>): Answer {
    const [train, validation] = [String(request["training_file"]), request["validation_file"] ?? null]
    const file = this.files.get(train)
    if (file?.looksLeft !== 0) return refused(400, `file ${train} is not validated yet`)
    const { method } = request["training_method"] as { readonly method: string }
    if (method === "dpo" && !arePreferences(file.content)) return refused(400, `file ${train} has no preferences`)
    const now = new Date(this.clock).toISOString()
    const job: ServedTogetherJob = {
      ...{ id: `ft-${this.jobs.length + 1}`, model: String(request["model"]), suffix: String(request["suffix"]) },
      ...{ training_file: train, validation_file: validation as string | null, request },
      ...{ created_at: now, updated_at: now, status: "pending", model_output_name: null },
      ...{ total_price: null, token_count: null, events: [], metrics: [] },
    }
    this.jobs.push(job)
    this.#tell(job, "job_pending", "Fine tune request created")
    return { status: 200, body: shown(job) }
  }
}

function shown({ request: _request, metrics: _metrics, ...job }: ServedTogetherJob): object {
  return { ...job, user_id: "u", a_field_nobody_knows: null }
}

function refused(status: number, message: string): Answer {
  return { status, body: { error: { message, type: "invalid_request_error", param: null, code: null } } }
}

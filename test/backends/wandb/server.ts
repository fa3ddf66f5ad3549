import { randomUUID } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { type Answer, WireServer } from "../wire-server.ts"
import { ArtifactServer, storePath } from "./artifacts.ts"

/** A training job as the server keeps it. */
export interface ServedWandbJob {
  readonly id: string
  readonly model: ServedModel
  readonly request: { readonly training_data_url: string; readonly config: Readonly<Record<string, unknown>> }
  readonly rows: readonly object[]
  /** What the service says of it beside its events; not documented. */
  status: string
  training_end: string | null
  error_message: string | null
  readonly events: { readonly id: string; readonly type: string; readonly data: Readonly<Record<string, unknown>> }[]
}

interface ServedModel {
  readonly id: string
  readonly entity: string
  readonly project: string
  readonly name: string
  readonly base_model: string
  readonly run_id: string
  readonly checkpoints: {
    readonly id: string
    readonly step: number
    readonly metrics: Readonly<Record<string, number>>
  }[]
}

/**
 * W&B's training API with its artifacts on this machine: a job names a model that was made before and an artifact that
 * is committed, says how it goes by events alone, and leaves a checkpoint that is an artifact.
 */
export class WandbServer extends WireServer {
  readonly baseModel = "OpenPipe/Qwen3-14B-Instruct"
  readonly jobs: ServedWandbJob[] = []
  readonly models: ServedModel[] = []
  /** The models that were asked, in order. */
  readonly asked: string[] = []
  readonly store = new ArtifactServer(() => this.origin)
  /** What a job makes, by the names of its files. */
  adapter: Record<string, string> = { "adapter_config.json": '{"r": 8}', "adapter_model.safetensors": "weights" }

  static async start(): Promise<WandbServer> {
    const server = new WandbServer()
    await server.listen()
    return server
  }

  get origin(): string {
    return this.url.replace(/\/v1$/, "")
  }

  get newest(): ServedWandbJob {
    const job = this.jobs.at(-1)
    if (job === undefined) throw new Error("there is no job")
    return job
  }

  /** The job runs, whatever it was, and makes one step more. */
  step(job = this.newest): void {
    this.#start(job)
    const step = job.events.filter(({ type }) => type === "gradient_step").length + 1
    tell(job, "gradient_step", { gradient_step: step, loss: 2 / step, num_tokens: 100, learning_rate: 1e-4 })
  }

  /** Saves a checkpoint, which is an artifact of the model. */
  save(step: number, metrics: Readonly<Record<string, number>> = {}, { model } = this.newest): void {
    model.checkpoints.push({ id: randomUUID(), step, metrics })
    this.store.keep({ ...model, type: "lora" }, `step${step}`, this.adapter)
  }

  succeed(job = this.newest): void {
    this.#start(job)
    if (job.model.checkpoints.length === 1) this.save(1, {}, job)
    tell(job, "training_ended", {})
    this.#end(job, "completed")
  }

  fail(job: ServedWandbJob, message: string): void {
    tell(job, "training_failed", { error_message: message })
    this.#end(job, "failed", message)
  }

  #end(job: ServedWandbJob, status: string, message: string | null = null): void {
    job.status = status
    job.training_end = "2026-06-01T00:10:00"
    job.error_message = message
  }

  #start(job: ServedWandbJob): void {
    if (job.events.length > 0) return
    job.status = "running"
    const { batch_size: rows } = job.request.config
    tell(job, "training_started", { num_sequences: Math.ceil(job.rows.length / Number(rows)) })
  }

  protected async answerTo(call: string, request: IncomingMessage, body: Buffer): Promise<Answer> {
    const url = new URL(request.url ?? "", "http://127.0.0.1")
    const [, room, ...path] = url.pathname.split("/")
    if (room === storePath) return this.store.store(request, path[0] ?? "", body)
    if (room === "graphql") {
      if (request.headers.authorization !== `Basic ${Buffer.from(`api:${this.key}`).toString("base64")}`)
        return { status: 401, body: { errors: [{ message: "user is not logged in" }] } }
      const { query, variables } = JSON.parse(body.toString("utf8")) as { query: string; variables: object }
      return this.store.answerTo(query, variables as Readonly<Record<string, unknown>>)
    }
    const [, preview, id, part] = path
    const given = body.length === 0 ? {} : (JSON.parse(body.toString("utf8")) as Record<string, unknown>)
    if (call.endsWith("/base-models"))
      return { status: 200, body: [this.baseModel, "Qwen/Qwen3-30B-A3B-Instruct-2507"] }
    if (request.headers.authorization !== `Bearer ${this.key}`) return refused(401, "invalid API key")
    if (call === "POST /v1/chat/completions") return this.#chat(String(given["model"]))
    if (preview === "models" && id === undefined) return this.#model(given)
    if (preview === "sft-training-jobs") return this.#create(given)
    if (id === undefined || !/^[0-9a-f-]{36}$/.test(id)) return invalid("path.id", "Input should be a valid UUID")
    const job = this.jobs.find((kept) => kept.id === id)
    const model = this.models.find((kept) => kept.id === id)
    if (preview === "models" && part === "checkpoints")
      return model === undefined ? refused(404, "Model not found") : page(model.checkpoints, url)
    if (job === undefined) return refused(404, "Training job not found")
    return part === "events" ? page(job.events, url) : { status: 200, body: shown(job) }
  }

  /** Base models answer, and every checkpoint by the name of its artifact, without a deployment. */
  #chat(model: string): Answer {
    const isServed = model === this.baseModel || this.store.named(model.replace(/^wandb-artifact:\/\/\//, ""))
    if (!isServed) return refused(404, `no model ${model}`)
    this.asked.push(model)
    const message = { role: "assistant", content: "good" }
    const usage = { prompt_tokens: 20, completion_tokens: 1, total_tokens: 21 }
    const choices = [{ index: 0, finish_reason: "stop", message }]
    return { status: 200, body: { id: "chat-1", object: "chat.completion", created: 1, model, choices, usage } }
  }

  #model({ entity = "team", project, name, base_model, return_existing }: Record<string, unknown>): Answer {
    if (base_model !== this.baseModel) return invalid("body.base_model", `cannot train ${String(base_model)}`)
    const there = this.models.find((model) => model.name === name && model.project === project)
    if (there !== undefined && return_existing !== true) return refused(409, "a model of that name exists")
    const model = there ?? {
      ...{ id: randomUUID(), entity: String(entity), project: String(project), name: String(name) },
      ...{ base_model: String(base_model), run_id: `run-of-${String(name)}`, checkpoints: [] },
    }
    if (there === undefined) {
      this.models.push(model)
      model.checkpoints.push({ id: randomUUID(), step: 0, metrics: {} })
    }
    const { checkpoints: _checkpoints, ...body } = model
    return { status: 200, body }
  }

  #create({ model_id: id, training_data_url: reference, config }: Record<string, unknown>): Answer {
    const model = this.models.find((kept) => kept.id === id)
    if (model === undefined) return refused(404, "Model not found")
    const artifact = this.store.named(String(reference).replace(/^wandb-artifact:\/\/\//, ""))
    const content = artifact && this.store.contentOf(artifact, "train.jsonl")
    if (content === undefined) return refused(400, `there is no artifact ${String(reference)}`)
    const rows = content
      .toString("utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object)
    const request = { training_data_url: String(reference), config: config as Record<string, unknown> }
    const rest = { status: "queued", training_end: null, error_message: null, events: [] }
    const job: ServedWandbJob = { id: randomUUID(), model, request, rows, ...rest }
    this.jobs.push(job)
    return { status: 200, body: shown(job) }
  }
}

function tell(job: ServedWandbJob, type: string, data: Readonly<Record<string, unknown>>): void {
  job.events.push({ id: randomUUID(), type, data })
}

function shown({ id, model, status, training_end, error_message }: ServedWandbJob): object {
  return { id, model_id: model.id, status, training_end, error_message, a_field_nobody_knows: null }
}

/** Oldest first, from behind the item that `after` names. */
function page(items: readonly { readonly id: string }[], url: URL): Answer {
  const after = url.searchParams.get("after")
  const limit = Number(url.searchParams.get("limit") ?? 20)
  if (limit < 1 || limit > 100) return invalid("query.limit", "Input should be at most 100")
  const from = after === null ? 0 : items.findIndex(({ id }) => id === after) + 1
  const data = items.slice(from, from + limit)
  const ids = { first_id: data[0]?.id ?? "", last_id: data.at(-1)?.id ?? "" }
  return { status: 200, body: { object: "list", data, ...ids, has_more: from + limit < items.length } }
}

function refused(status: number, detail: string): Answer {
  return { status, body: { detail } }
}

function invalid(place: string, msg: string): Answer {
  return { status: 422, body: { detail: [{ loc: place.split("."), msg, type: "value_error" }] } }
}

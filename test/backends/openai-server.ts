import type { IncomingMessage } from "node:http"
import { FileStore, page, refusal } from "./openai-files.ts"
import { type Creation, newJob, type ServedJob, shownCheckpoint, shownEvent, shownJob } from "./openai/served.ts"
import { type AskedChat, type CalledFunction, chatFault, saidOrCalled } from "./openai/chat.ts"
import { type Answer, arePreferences, WireServer } from "./wire-server.ts"

/**
 * OpenAI's files and fine-tuning jobs on this machine. It keeps state: uploads, jobs that go on a stage at a time,
 * their events newest first in pages, models. It counts jobs, and misbehaves when it is told to.
 */
export class OpenAiServer extends WireServer {
  readonly jobs: ServedJob[] = []
  readonly store = new FileStore()
  readonly models = ["gpt-4.1-mini-2025-04-14"]
  /** A page has at most so many, whatever was asked for. */
  pageSize = 3
  /** Jobs younger than this are not in the list yet. */
  listLagMs = 0
  /** The day on which every model stops. */
  shutdown: string | null = null
  /** What a model answers to the last message of a question. */
  answerOf: (model: string, question: string) => string = () => "good"
  /** What a model calls instead of answering, of the tools that the question brings; nothing where undefined. */
  callsOf: (question: AskedChat) => readonly CalledFunction[] | undefined = () => undefined
  /** The questions as they arrived. */
  readonly questions: AskedChat[] = []
  /** Seconds since 1970 by the server's clock. */
  clock = 1_780_000_000
  private readonly madeAtMs = new Map<string, number>()

  static async start(): Promise<OpenAiServer> {
    const server = new OpenAiServer()
    await server.listen()
    return server
  }

  /** The uploaded files as text, by id. */
  get files(): ReadonlyMap<string, string> {
    return new Map([...this.store.files].map(([id, { content }]) => [id, content.toString("utf8")]))
  }

  get newest(): ServedJob {
    const job = this.jobs.at(-1)
    if (job === undefined) throw new Error("there is no job")
    return job
  }

  /** The job is validated and queued, then running; a running one reports a step. */
  advance(job = this.newest): void {
    this.clock += 60
    if (job.status === "validating_files") {
      job.status = "queued"
      this.tell(job, "Files validated, moving job to queued state")
    } else if (job.status === "queued") {
      job.status = "running"
      this.tell(job, "Fine-tuning job started")
    } else this.step(job)
  }

  /** The job runs, whatever it was, and reports one step more. */
  step(job = this.newest): void {
    while (job.status === "validating_files" || job.status === "queued") this.advance(job)
    const step = job.events.filter(({ type }) => type === "metrics").length + 1
    this.clock += 10
    this.tell(job, `Step ${step}: training loss=${2 / step}`, "metrics", { step, train_loss: 2 / step })
  }

  succeed(job = this.newest): void {
    while (job.status === "validating_files" || job.status === "queued") this.advance(job)
    job.fine_tuned_model = `ft:${job.model}:org:${job.suffix ?? ""}:${job.id}`
    job.trained_tokens = 1200
    this.end(job, "succeeded", "The job has successfully completed")
  }

  /** The job ends in a status. */
  end(job: ServedJob, status: string, message: string): void {
    job.status = status
    job.finished_at = this.clock
    if (status === "failed") job.error = { code: "server_error", message, param: null }
    this.tell(job, message)
  }

  private tell(job: ServedJob, message: string, type = "message", data: unknown = null): void {
    const id = `ftevent-${job.id}-${job.events.length}`
    const level = job.status === "failed" ? "error" : "info"
    job.events.push({ id, created_at: this.clock, type, level, message, data })
  }

  protected async answerTo(call: string, request: IncomingMessage, body: Buffer): Promise<Answer> {
    if (request.headers.authorization !== `Bearer ${this.key}`)
      return refusal(401, `Incorrect API key provided: ${request.headers.authorization}`)
    const url = new URL(request.url ?? "", "http://127.0.0.1")
    if (url.pathname.startsWith("/v1/files") || url.pathname.startsWith("/v1/uploads"))
      return this.store.answerTo(request.method ?? "", url, { request, body })
    if (call === "POST /v1/fine_tuning/jobs") return this.create(JSON.parse(body.toString("utf8")) as Creation)
    if (request.method === "GET" && url.pathname === "/v1/fine_tuning/jobs") {
      const isListed = (job: ServedJob) => Date.now() - (this.madeAtMs.get(job.id) ?? 0) >= this.listLagMs
      return page(this.jobs.filter(isListed).filter(hasMetadata(url)).toReversed().map(shownJob), url, this.pageSize)
    }
    if (url.pathname.startsWith("/v1/models/")) {
      const id = decodeURIComponent(url.pathname.slice("/v1/models/".length))
      if (!this.models.includes(id)) return refusal(404, `the model ${id} does not exist`, "model_not_found")
      return {
        status: 200,
        body: { id, object: "model", created: 1, owned_by: "system", shutdown_date: this.shutdown },
      }
    }
    if (call === "POST /v1/chat/completions") return this.chat(JSON.parse(body.toString("utf8")) as AskedChat)
    const [, id, part] = /^\/v1\/fine_tuning\/jobs\/([^/]+)(?:\/(\w+))?$/.exec(url.pathname) ?? []
    const job = this.jobs.find((candidate) => candidate.id === id)
    if (job === undefined) return refusal(404, `no such object: ${url.pathname}`)
    if (part === "events") return page(job.events.toReversed().map(shownEvent), url, this.pageSize)
    if (part === "checkpoints") {
      const newestFirst = job.checkpoints.toReversed().map((checkpoint) => shownCheckpoint(checkpoint, job))
      return page(newestFirst, url, this.pageSize)
    }
    if (part === "pause" || part === "resume") {
      const isPaused = job.status === "paused"
      if (isPaused === (part === "pause") || ["succeeded", "failed", "cancelled"].includes(job.status))
        return refusal(400, `the job is ${job.status}`)
      job.status = part === "pause" ? "paused" : "running"
      this.tell(job, `The job was ${part}d`)
    }
    if (part === "cancel") {
      if (["succeeded", "failed", "cancelled"].includes(job.status)) return refusal(400, `the job is ${job.status}`)
      this.end(job, "cancelled", "The job was cancelled")
    }
    return { status: 200, body: shownJob(job) }
  }

  /** Base models and those that were trained here answer. */
  private chat(question: AskedChat): Answer {
    const { model } = question
    const made = this.jobs.flatMap((job) => [
      job.fine_tuned_model,
      ...job.checkpoints.map((checkpoint) => checkpoint.fine_tuned_model_checkpoint),
    ])
    if (![...this.models, ...made].includes(model)) return refusal(404, `the model ${model} does not exist`)
    const fault = chatFault(question)
    if (fault !== undefined) return refusal(400, fault)
    this.questions.push(question)
    const content = this.answerOf(model, question.messages.at(-1)?.content ?? "")
    return {
      status: 200,
      body: {
        ...{ id: "chatcmpl-1", object: "chat.completion", created: this.clock, model },
        choices: [{ index: 0, logprobs: null, ...saidOrCalled(content, this.callsOf(question)) }],
        usage: { prompt_tokens: 20, completion_tokens: 1, total_tokens: 21 },
      },
    }
  }

  private create(asked: Creation): Answer {
    const { model, training_file: file, method } = asked
    if (!this.models.includes(model)) return refusal(400, `model ${model} cannot be fine-tuned`)
    const rows = this.store.files.get(file)?.content
    if (rows === undefined) return refusal(400, `no such file: ${file}`)
    if (method?.type === "dpo" && !arePreferences(rows)) return refusal(400, `${file} has no preferences`)
    const job = newJob(`ftjob-${this.jobs.length + 1}`, this.clock, asked)
    this.jobs.push(job)
    this.madeAtMs.set(job.id, Date.now())
    this.tell(job, `Created fine-tuning job: ${job.id}`)
    return { status: 200, body: shownJob(job) }
  }
}

/** Whether a job has the metadata of a query like `metadata[name]=value`. */
function hasMetadata({ searchParams }: URL): (job: ServedJob) => boolean {
  const wanted = [...searchParams].flatMap(([field, value]) => {
    const name = /^metadata\[(.+)\]$/.exec(field)?.[1]
    return name === undefined ? [] : [[name, value] as const]
  })
  return ({ metadata }) => wanted.every(([name, value]) => metadata[name] === value)
}

import type { IncomingMessage, ServerResponse } from "node:http"
import { hash } from "node:crypto"
import { type Answer, WireServer } from "../wire-server.ts"
import { refusal, RepositoryStore } from "./repositories.ts"
import { type AskedJob, hardware, sentLine, type ServedJob, shownJob } from "./served.ts"

const overStages = ["COMPLETED", "ERROR", "CANCELED", "DELETED"]

/**
 * Hugging Face's jobs and repositories on this machine. It keeps state: repositories with commits, jobs that go on a
 * stage at a time, their logs as streams, lists in pages, newest first. It counts jobs, and misbehaves when it is told
 * to. Protocol: huggingface_hub/hf_api.py (jobs) and docs/source/en/guides/jobs.md, 2026-08.
 */
export class HubServer extends WireServer {
  override readonly key: string = "hf_testsecret0123456789abcdef"
  readonly jobs: ServedJob[] = []
  readonly store = new RepositoryStore()
  pageSize = 2
  /** Jobs younger than this are not in the list yet. */
  listLagMs = 0
  /** After how many lines the connections to logs are cut, one number for each. */
  readonly logCuts: number[] = []
  /** Whether the list of jobs follows a question for a label. */
  knowsLabels = true
  /** Whether the list of hardware is there. */
  hasHardware = true
  /** Called when a job was created: a machine may take it. */
  onJob: (job: ServedJob) => void = () => undefined
  onCancel: (job: ServedJob) => void = () => undefined
  /** Milliseconds since 1970 by the server's clock. */
  clock = Date.parse("2026-11-30T10:00:00Z")
  private readonly madeAtMs = new Map<string, number>()

  static async start(): Promise<HubServer> {
    const server = new HubServer()
    server.store.clock = () => new Date(server.clock)
    await server.store.listen()
    await server.listen()
    server.store.hubUrl = server.url
    server.store.put("model", "HuggingFaceTB/SmolLM2-135M-Instruct", { "config.json": "{}" })
    return server
  }

  override get url(): string {
    return super.url.replace(/\/v1$/, "")
  }

  override close(): void {
    for (const job of this.jobs) for (const listener of job.listeners) listener.destroy()
    this.store.close()
    super.close()
  }

  get newest(): ServedJob {
    const job = this.jobs.at(-1)
    if (job === undefined) throw new Error("there is no job")
    return job
  }

  /** The repository of a job's inputs and results. */
  repositoryOf({ asked }: ServedJob): string {
    return asked.volumes?.[0]?.source ?? ""
  }

  begin(job = this.newest): void {
    if (job.stage !== "SCHEDULING") return
    job.stage = "RUNNING"
    job.startedAt = this.now(1000)
    this.say(job, `===== Job started at ${job.startedAt} =====`)
    this.tell(job, { type: "started", totalSteps: 3, machine: "a machine of this test" })
  }

  /** The job runs and its trainer reports one step more. */
  step(job = this.newest): void {
    this.begin(job)
    this.say(job, "loss is falling")
    // Both lines at one moment: a clock does not tell them apart.
    this.say(job, `step ${job.told}`, 0)
    this.tell(job, { type: "metrics", step: job.told, totalSteps: 3, values: { loss: 2 / job.told } })
  }

  /** The machine pushes what its trainer made, and goes. */
  succeed(job = this.newest): void {
    this.begin(job)
    const adapter = { "adapter_config.json": "{}\n", "adapter_model.safetensors": "w".repeat(100) }
    const sums = Object.entries(adapter).map(([name, text]) => `${hash("sha256", text, "hex")} ${name}\n`)
    this.leave(job, { status: "succeeded", adapterDigest: `sha256:${hash("sha256", sums.join(""), "hex")}` }, adapter)
    this.end(job, "COMPLETED")
  }

  /** What the machine leaves before it goes. */
  leave(job: ServedJob, exit: object, adapter: Readonly<Record<string, string>> = {}): void {
    const submissionKey = job.asked.environment["TUNELOOP_SUBMISSION"]
    const events = job.log.flatMap(({ data }) => /^tuneloop-event \d+ (.*)$/.exec(data)?.[1] ?? [])
    this.store.put("dataset", this.repositoryOf(job), {
      "out/exit.json": JSON.stringify({ submissionKey, at: this.now(0), ...exit }),
      ...(events.length === 0 ? {} : { "out/events.jsonl": events.map((line) => `${line}\n`).join("") }),
      "out/trainer.log": "the trainer's words\n",
      ...Object.fromEntries(Object.entries(adapter).map(([name, text]) => [`out/adapter/${name}`, text])),
    })
  }

  end(job: ServedJob, stage: string, message: string | null = null): void {
    job.stage = stage
    job.message = message
    job.finishedAt = this.now(60_000)
    for (const listener of job.listeners) listener.end()
    job.listeners.clear()
  }

  say(job: ServedJob, data: string, afterMs = 10): void {
    const line = { data, timestamp: this.now(afterMs) }
    job.log.push(line)
    for (const listener of job.listeners) listener.write(sentLine(line))
  }

  private tell(job: ServedJob, event: object): void {
    job.told += 1
    this.say(job, `tuneloop-event ${job.told} ${JSON.stringify({ at: this.now(0), ...event })}`)
  }

  private now(afterMs: number): string {
    this.clock += afterMs
    return new Date(this.clock).toISOString()
  }

  protected async answerTo(call: string, request: IncomingMessage, body: Buffer): Promise<Answer> {
    const url = new URL(request.url ?? "", "http://127.0.0.1")
    if (url.pathname === "/api/jobs/hardware")
      return this.hasHardware ? { status: 200, body: hardware } : refusal(503, "come back later")
    if (request.headers.authorization !== `Bearer ${this.key}`)
      return refusal(401, `Invalid credentials: ${request.headers.authorization}`)
    if (url.pathname === "/api/whoami-v2")
      return { status: 200, body: { type: "user", id: "u1", name: "tester", auth: { type: "access_token" }, orgs: [] } }
    const range = request.headers.range
    const stored = this.store.answerTo({ method: request.method ?? "", url, body, range }, "tester")
    if (stored !== undefined) return stored
    const [, owner, id, part] = /^\/api\/jobs\/([^/]+)(?:\/([^/]+)(?:\/(\w+))?)?$/.exec(url.pathname) ?? []
    if (owner === undefined) return refusal(404, `no such path: ${call}`)
    if (owner !== "tester") return refusal(403, `no rights in ${owner}`)
    if (id === undefined)
      return request.method === "POST" ? this.create(JSON.parse(String(body)) as AskedJob) : this.list(url)
    const job = this.jobs.find((candidate) => candidate.id === id)
    if (job === undefined) return refusal(404, `Job not found: ${id}`)
    if (part === "logs")
      return { status: 200, headers: { "content-type": "text/event-stream" }, body: this.stream(job) }
    if (part === "cancel") {
      if (overStages.includes(job.stage)) return refusal(409, `the job is ${job.stage}`)
      this.onCancel(job)
      if (!overStages.includes(job.stage)) this.end(job, "CANCELED")
    }
    return { status: 200, body: shownJob(job) }
  }

  private create(asked: AskedJob): Answer {
    if (!hardware.some(({ name }) => name === asked.flavor)) return refusal(400, `no hardware ${asked.flavor}`)
    for (const [name, value] of Object.entries(asked.labels ?? {}))
      if (![name, value].every((text) => /^[\w.-]{1,100}$/.test(text)))
        return refusal(400, `not a label: ${name}=${value}`)
    for (const { source } of asked.volumes ?? [])
      if (!this.store.repositories.has(source)) return refusal(400, `no such volume: ${source}`)
    const id = hash("sha256", `job ${this.jobs.length + 1}`, "hex").slice(0, 24)
    const times = { createdAt: this.now(1000), startedAt: null, finishedAt: null }
    const job = {
      id,
      asked,
      ...times,
      stage: "SCHEDULING",
      message: null,
      told: 0,
      log: [],
      listeners: new Set<ServerResponse>(),
    }
    this.jobs.push(job)
    this.madeAtMs.set(id, Date.now())
    this.onJob(job)
    return { status: 200, body: shownJob(job) }
  }

  private list({ searchParams }: URL): Answer {
    const labels = searchParams.getAll("label").map((label) => label.split("="))
    const found = this.jobs
      .filter(({ id }) => Date.now() - (this.madeAtMs.get(id) ?? 0) >= this.listLagMs)
      .filter(({ asked }) => !this.knowsLabels || labels.every(([name = "", value]) => asked.labels?.[name] === value))
      .toReversed()
    const from = Number(searchParams.get("cursor") ?? 0)
    const next = new URLSearchParams(searchParams)
    next.set("cursor", String(from + this.pageSize))
    const link = `<${this.url}/api/jobs/tester?${next}>; rel="next"`
    const isLast = from + this.pageSize >= found.length
    return {
      status: 200,
      body: found.slice(from, from + this.pageSize).map(shownJob),
      headers: isLast ? {} : { link },
    }
  }

  /** All of the log from its beginning, and then what comes; some connections are cut. */
  private stream(job: ServedJob): (response: ServerResponse) => void {
    const most = this.logCuts.shift() ?? Number.POSITIVE_INFINITY
    return (response) => {
      response.write(": keep-alive\n\n")
      for (const line of job.log.slice(0, most)) response.write(sentLine(line))
      if (job.log.length > most) return void setTimeout(() => response.destroy(), 20)
      if (overStages.includes(job.stage)) return void response.end()
      job.listeners.add(response)
      response.on("close", () => job.listeners.delete(response))
    }
  }
}

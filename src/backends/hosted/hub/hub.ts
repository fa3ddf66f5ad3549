import { createWriteStream, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import type { ReadableStream } from "node:stream/web"
import { pathToFileURL } from "node:url"
import { z } from "zod"
import type { BackendContext } from "../../../core/contracts/backend.ts"
import { CredentialError, ProviderError, ToolkitError } from "../../../core/errors.ts"
import type { HostedWire } from "../wire.ts"
import { hubFetch } from "./hub-fetch.ts"

const stageSchema = z.looseObject({ stage: z.string().nullish(), message: z.string().nullish() })
const jobSchema = z.looseObject({
  id: z.string(),
  createdAt: z.string().nullish(),
  startedAt: z.string().nullish(),
  finishedAt: z.string().nullish(),
  status: stageSchema.nullish(),
  flavor: z.string().nullish(),
  timeoutSeconds: z.number().nullish(),
  durations: z.looseObject({ runningSecs: z.number().nullish() }).nullish(),
  labels: z.record(z.string(), z.unknown()).nullish(),
  environment: z.record(z.string(), z.unknown()).nullish(),
})
/** A job as the hub has it; unknown fields and words stay. */
export type HubJob = z.output<typeof jobSchema>

const hardwareSchema = z.looseObject({
  name: z.string(),
  unitCostUSD: z.number().nullish(),
  unitLabel: z.string().nullish(),
})
export type HubHardware = z.output<typeof hardwareSchema>

/** What a job is asked for with. */
export interface JobRequest {
  readonly image: string
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly flavor: string
  readonly timeoutSeconds: number
  /** Repositories, and where they are seen in the machine. */
  readonly mounts: readonly { readonly repository: string; readonly at: string }[]
}

/** A file to be uploaded: its text, or where it lies. */
export type HubFile = { readonly path: string } & ({ readonly text: string } | { readonly file: string })

/** A line of a job's log. */
export interface LogLine {
  readonly text: string
  /** UTC by the hub's clock. */
  readonly at: string
}

type Client = typeof import("@huggingface/hub")
type Flavor = Parameters<Client["runJob"]>[0]["flavor"]

/**
 * The hub's jobs and repositories, by its own client, which is loaded with the first call. A question is asked again
 * where that may help; what goes wrong is an error of ours without the token.
 */
export class Hub {
  readonly wire: HostedWire
  readonly #context: BackendContext
  readonly #send: typeof globalThis.fetch
  #name: string | undefined

  constructor(context: BackendContext, wire: HostedWire, storageHosts: readonly string[], namespace?: string) {
    this.#context = context
    this.wire = wire
    this.#send = hubFetch(context, wire, storageHosts)
    this.#name = namespace
  }

  /** The account's token. */
  get token(): string {
    const { apiKeyEnv } = this.wire.service
    const token = this.#context.environment[apiKeyEnv]
    if (!token) throw new CredentialError(`${apiKeyEnv} is not set`, `Set ${apiKeyEnv} in the environment.`)
    if (token.startsWith("hf_")) return token
    throw new CredentialError(
      `${apiKeyEnv} holds no token of the hub: those begin with hf_`,
      `Set ${apiKeyEnv} to a token with write access, from the settings of your account.`,
    )
  }

  /** Whose jobs and repositories these are: the one that was named, else the owner of the token. */
  async namespace(): Promise<string> {
    this.#name ??= (await this.#asked((client) => client.whoAmI(this.#access))).name
    return this.#name
  }

  /** Once for each call; an error says whether a job may exist. */
  async createJob(request: JobRequest, aboutToCreate: () => void): Promise<HubJob> {
    const { image, command, mounts, flavor, environment, secrets, labels, timeoutSeconds } = request
    const namespace = await this.namespace()
    const call = () =>
      this.#call((client) =>
        client.runJob({
          ...this.#access,
          ...{ namespace, dockerImage: image, command: [...command], timeoutSeconds, attempts: 1 },
          ...{ environment: { ...environment }, secrets: { ...secrets }, labels: { ...labels } },
          // The client's list of hardware is older than the service's.
          flavor: flavor as Flavor,
          volumes: mounts.map(({ repository, at }) => ({
            ...{ source: { type: "dataset" as const, name: repository }, mountPath: at, readOnly: true },
          })),
        }),
      )
    return this.wire.createBy(call, jobSchema, aboutToCreate)
  }

  async job(id: string): Promise<HubJob> {
    const namespace = await this.namespace()
    const job = await this.#asked((client) => client.getJob({ ...this.#access, namespace, jobId: id }))
    return this.wire.parse(jobSchema, job)
  }

  /** Newest first, of all pages; the client's own list knows neither pages nor labels. */
  async *jobs(label?: readonly [name: string, value: string]): AsyncGenerator<HubJob> {
    const filter = label === undefined ? "" : `?${new URLSearchParams({ label: label.join("=") })}`
    let next: string | undefined = `${this.#url}/api/jobs/${await this.namespace()}${filter}`
    for (let number = 1; next !== undefined; number++) {
      this.wire.requirePage(number)
      const page: string = next
      const answer = await this.wire.politely(async () =>
        this.wire.read(await this.#send(page, { headers: { authorization: `Bearer ${this.token}` } })),
      )
      yield* this.wire.parse(z.array(jobSchema), answer.value)
      next = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get("link") ?? "")?.[1]
    }
  }

  /** A job that is over refuses to be cancelled. */
  async cancel(id: string): Promise<void> {
    const namespace = await this.namespace()
    await this.#asked((client) => client.cancelJob({ ...this.#access, namespace, jobId: id }))
  }

  /** The job's log from its beginning; it goes on as long as the job does or until it is cut, and may break off. */
  async *log(id: string, cut: AbortSignal, onOpen: () => void): AsyncGenerator<LogLine> {
    const { streamJobLogs } = await import("@huggingface/hub")
    const send: typeof globalThis.fetch = async (input, init) => {
      const response = await this.#send(input, { ...init, signal: cut })
      onOpen()
      return response
    }
    const stream = streamJobLogs({ ...this.#access, fetch: send, namespace: await this.namespace(), jobId: id })
    try {
      for await (const { message, timestamp } of stream) yield { text: message, at: timestamp.toISOString() }
    } catch (error) {
      throw this.#known(error)
    }
  }

  /** What can be rented, and for how much; asked without a token. */
  async hardware(): Promise<readonly HubHardware[]> {
    const open = { hubUrl: this.#url, fetch: this.#send }
    return this.wire.parse(z.array(hardwareSchema), await this.#asked((client) => client.listJobHardware(open)))
  }

  /** A model of the hub, and how many weights it has where somebody counted them; undefined where there is none. */
  async model(name: string): Promise<{ readonly weights: number | undefined } | undefined> {
    try {
      const additionalFields = ["safetensors" as const]
      const info = await this.#asked((client) => client.modelInfo({ ...this.#access, name, additionalFields }))
      const counted = z.looseObject({ safetensors: z.looseObject({ total: z.number() }) }).safeParse(info).data
      return { weights: counted?.safetensors.total }
    } catch (error) {
      if (error instanceof ProviderError && error.status === 404) return undefined
      throw error
    }
  }

  /** The private repository is there, made now or before. */
  async createRepository(name: string): Promise<void> {
    const repo = { type: "dataset" as const, name }
    try {
      await this.#asked((client) => client.createRepo({ ...this.#access, repo, visibility: "private" }))
    } catch (error) {
      if (!(error instanceof ProviderError) || error.status !== 409) throw error
    }
  }

  /** The repositories of the namespace whose names begin so. */
  async repositories(start: string): Promise<readonly { readonly name: string; readonly createdAt: string }[]> {
    const owner = await this.namespace()
    const found = await this.#asked((client) =>
      listOf(
        client.listDatasets({ ...this.#access, search: { owner, query: start }, additionalFields: ["createdAt"] }),
      ),
    )
    return found
      .filter(({ name }) => name.startsWith(`${owner}/${start}`))
      .map(({ name, createdAt, updatedAt }) => ({ name, createdAt: String(createdAt ?? updatedAt.toISOString()) }))
  }

  /** One that is gone already is as good. */
  async deleteRepository(name: string): Promise<void> {
    try {
      await this.#asked((client) => client.deleteRepo({ ...this.#access, repo: { type: "dataset", name } }))
    } catch (error) {
      if (!(error instanceof ProviderError) || error.status !== 404) throw error
    }
  }

  /** All of them in one commit, or none. */
  async upload(repository: string, files: readonly HubFile[], title: string): Promise<void> {
    const operations = files.map((file) => ({
      ...{ operation: "addOrUpdate" as const, path: file.path },
      content: "text" in file ? new Blob([file.text]) : pathToFileURL(file.file),
    }))
    const repo = { type: "dataset" as const, name: repository }
    await this.#asked((client) =>
      client.commit({ ...this.#access, repo, title, operations, abortSignal: this.#context.signal }),
    )
  }

  /** The files of the repository with their sizes, below a folder; none where there is no such folder. */
  async files(
    repository: string,
    folder?: string,
  ): Promise<readonly { readonly path: string; readonly size: number }[]> {
    const repo = { type: "dataset" as const, name: repository }
    const below = folder === undefined ? {} : { path: folder }
    try {
      const entries = await this.#asked((client) =>
        listOf(client.listFiles({ ...this.#access, repo, recursive: true, ...below })),
      )
      return entries.filter(({ type }) => type === "file").map(({ path, size }) => ({ path, size }))
    } catch (error) {
      if (error instanceof ProviderError && error.status === 404) return []
      throw error
    }
  }

  /** The text of a file; undefined where there is none. */
  async text(repository: string, path: string): Promise<string | undefined> {
    return this.#asked(async (client) => (await this.#blob(client, repository, path))?.text())
  }

  /** The file is here, whole, of the size that the hub states. */
  async download(repository: string, path: string, to: string): Promise<void> {
    mkdirSync(dirname(to), { recursive: true })
    await this.#asked(async (client) => {
      const blob = await this.#blob(client, repository, path)
      if (blob === undefined) throw this.#missing(`${repository} has no ${path}`)
      if (blob.size === 0) return writeFileSync(to, "")
      await pipeline(Readable.fromWeb(blob.stream() as ReadableStream), createWriteStream(`${to}.tmp`, { flush: true }))
      const { size } = statSync(`${to}.tmp`)
      if (size !== blob.size) throw this.#missing(`${path} came with ${size} bytes; the hub states ${blob.size}`)
      renameSync(`${to}.tmp`, to)
    })
  }

  async #blob(client: Client, repository: string, path: string): Promise<Blob | undefined> {
    try {
      const repo = { type: "dataset" as const, name: repository }
      return (await client.downloadFile({ ...this.#access, repo, path })) ?? undefined
    } catch (error) {
      if (error instanceof ProviderError && error.status === 404) return undefined
      throw error
    }
  }

  get #url(): string {
    return this.wire.service.baseUrl.replace(/\/$/, "")
  }

  get #access() {
    return { hubUrl: this.#url, accessToken: this.token, fetch: this.#send }
  }

  #asked<Value>(work: (client: Client) => Promise<Value>): Promise<Value> {
    return this.wire.politely(() => this.#call(work))
  }

  async #call<Value>(work: (client: Client) => Promise<Value>): Promise<Value> {
    const client = await import("@huggingface/hub")
    try {
      return await work(client)
    } catch (error) {
      throw this.#known(error)
    }
  }

  /** A body that breaks off, or that is not JSON, comes to light in the client. */
  #known(error: unknown): unknown {
    this.#context.signal.throwIfAborted()
    return error instanceof ToolkitError ? error : this.wire.unreachable(error)
  }

  #missing(message: string): ProviderError {
    return new ProviderError(message, { provider: this.wire.service.name, isRetryable: true, mayHaveCost: false })
  }
}

async function listOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = []
  for await (const item of items) list.push(item)
  return list
}

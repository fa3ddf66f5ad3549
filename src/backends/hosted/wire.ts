import { createWriteStream, renameSync, statSync } from "node:fs"
import { basename } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import type { ReadableStream } from "node:stream/web"
import type { z } from "zod"
import { addressRefusal } from "../../core/addresses.ts"
import { bounded } from "../../core/bounded-answer.ts"
import type { BackendContext } from "../../core/contracts/backend.ts"
import { CredentialError, GateError, JobMayExistError, ProviderError, type ToolkitError } from "../../core/errors.ts"
import { parseJson } from "../../core/json-text.ts"
import { isRetryableStatus, retryAfterMs, withRetries } from "../../core/retry.ts"

/** A service's address and the key for it. */
export interface Service {
  /** The backend's name, for errors. */
  readonly name: string
  readonly baseUrl: string
  readonly apiKeyEnv: string
  /** The header that carries the key; default `authorization: Bearer`. */
  readonly keyHeader?: string
  /** `basic`: the key is the password of the user `api`. `none`: the address itself is the secret; no key is sent. */
  readonly keyForm?: "basic" | "none"
  /** What an error body says, in the service's own form; undefined where it says nothing that is known. */
  readonly messageOf: (body: unknown) => string | undefined
}

export interface Answer {
  readonly status: number
  readonly value: unknown
  readonly text: string
  readonly headers: Headers
}

const politeTries = 3
const shortestWaitMs = 1000
const patienceMs = 120_000
// A gigabyte at a megabyte a second takes a quarter of an hour.
const filePatienceMs = 3_600_000
// A list of 100 jobs with all that was asked of them has less than one.
const mostAnswerBytes = 32e6
const mostPages = 1000
// Of a file whose size nobody states. The adapter of a large model has a few.
const mostFileBytes = 200e9

/**
 * The calls to a hosted service. The key goes to the service's own address alone: a redirect is an error, and so is a
 * host that the workspace does not allow. What goes wrong is an error without the key.
 */
export class HostedWire {
  readonly service: Service
  readonly #context: BackendContext

  constructor(context: BackendContext, service: Service) {
    this.#context = context
    this.service = service
  }

  get hasKey(): boolean {
    return Boolean(this.#context.environment[this.service.apiKeyEnv])
  }

  now(): Date {
    return this.#context.now()
  }

  sleep(milliseconds: number): Promise<void> {
    return this.#context.sleep(milliseconds)
  }

  throwIfAborted(): void {
    this.#context.signal.throwIfAborted()
  }

  /** What the service answers to a question, in the schema's form; asked again where that may help. */
  async get<Value>(path: string, schema: z.ZodType<Value>): Promise<Value> {
    return this.parse(schema, (await this.politely(() => this.accepted("GET", path))).value)
  }

  /** A call that may be made again: what it makes costs nothing, or is there already. */
  async repeatable<Value>(
    method: string,
    path: string,
    schema: z.ZodType<Value>,
    body?: Body,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Value> {
    return this.parse(schema, (await this.politely(() => this.accepted(method, path, body, headers))).value)
  }

  /**
   * A file at the service, whole in a file here, or not at all: of as many bytes as were stated, where some were.
   */
  download(path: string, file: string, stated?: number): Promise<void> {
    return this.politely(async () => {
      const answer = await this.#send("GET", path, undefined, {}, filePatienceMs)
      if (answer.status >= 300) throw this.refused(await this.read(answer))
      const length = answer.headers.has("content-encoding") ? null : answer.headers.get("content-length")
      const expected = stated ?? (length === null ? undefined : Number(length))
      try {
        const body = bodyOf(this.bounded(answer, (expected ?? mostFileBytes) + mostAnswerBytes))
        await pipeline(body, createWriteStream(`${file}.tmp`, { flush: true }))
      } catch (error) {
        throw this.unreachable(error)
      }
      const { size } = statSync(`${file}.tmp`)
      if (expected !== undefined && expected !== size)
        throw new ProviderError(`${basename(file)} came with ${size} bytes; the service states ${expected}`, {
          provider: this.service.name,
          isRetryable: true,
          mayHaveCost: false,
        })
      renameSync(`${file}.tmp`, file)
    })
  }

  /** Deletes what is at the path. What is gone already is as good. */
  async remove(path: string): Promise<void> {
    try {
      await this.politely(() => this.accepted("DELETE", path))
    } catch (error) {
      if (!(error instanceof ProviderError) || error.status !== 404) throw error
    }
  }

  /**
   * Creates something that costs, once: only an answer says what came of it. A JobMayExistError where there was none;
   * any other error says that nothing was created. A service that is busy is asked again as it says.
   */
  create<Value>(
    path: string,
    body: object,
    schema: z.ZodType<Value>,
    {
      aboutToCreate,
      headers,
      what = "a job",
    }: {
      readonly aboutToCreate: () => void
      readonly headers?: Readonly<Record<string, string>>
      /** What is created, for errors. */
      readonly what?: string
    },
  ): Promise<Value> {
    const call = async () => {
      const answer = await this.ask("POST", path, body, headers)
      if (answer.status >= 300) throw this.refused(answer)
      return answer.value
    }
    return this.createBy(call, schema, aboutToCreate, what)
  }

  /** The same by a call of the service's own client, which throws what this wire throws. */
  async createBy<Value>(
    call: () => Promise<unknown>,
    schema: z.ZodType<Value>,
    aboutToCreate: () => void,
    what = "a job",
  ): Promise<Value> {
    for (let attempt = 1; ; attempt++) {
      aboutToCreate()
      let answer: unknown
      try {
        answer = await call()
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error
        const { status = 0, mayHaveCost, retryAfterMs: askedMs } = error
        if (status === 429 && attempt < politeTries) {
          await this.#context.sleep(askedMs ?? shortestWaitMs)
          continue
        }
        // A gateway that gave up, or a time-out: whoever stands behind it may have done the work.
        throw mayHaveCost || status >= 500 || status === 408 ? this.#mayExist(error, what) : error
      }
      const created = schema.safeParse(answer)
      if (!created.success) throw this.#mayExist(new Error("the answer is not what was asked for"), what)
      return created.data
    }
  }

  /** The answer, whatever its status. */
  async ask(
    method: string,
    path: string,
    body?: Body,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    return this.read(await this.#send(method, path, body, headers))
  }

  /** The answer, or an error where the service refuses. */
  async accepted(
    method: string,
    path: string,
    body?: Body,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const answer = await this.ask(method, path, body, headers)
    if (answer.status >= 300) throw this.refused(answer)
    return answer
  }

  refused({ status, value, text, headers }: Answer): ToolkitError {
    const { name, apiKeyEnv, messageOf } = this.service
    if (status === 401)
      return new CredentialError(`${name} refused the key in ${apiKeyEnv}`, `Check ${apiKeyEnv} in the environment.`)
    const said = messageOf(value) ?? (status < 400 ? "a redirect, which is not followed" : text.slice(0, 200))
    return new ProviderError(`${name} answered HTTP ${status}: ${this.safe(said) || "no message"}`, {
      provider: name,
      status,
      isRetryable: isRetryableStatus(status),
      retryAfterMs: retryAfterMs(headers),
      mayHaveCost: false,
    })
  }

  parse<Value>(schema: z.ZodType<Value>, value: unknown): Value {
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    throw new ProviderError(
      `${this.service.name} answered with something else than was asked for ` +
        `(${issue?.path.join(".") || "the answer"}: ${issue?.message})`,
      { provider: this.service.name, isRetryable: true, mayHaveCost: false },
    )
  }

  /** The text without the key. */
  safe(text: string): string {
    const key = this.#context.environment[this.service.apiKeyEnv]
    return key ? text.replaceAll(key, "[secret]") : text
  }

  async #send(
    method: string,
    path: string,
    body?: Body,
    headers: Readonly<Record<string, string>> = {},
    waitMs = isFile(body) ? filePatienceMs : patienceMs,
  ): Promise<Response> {
    const { baseUrl } = this.service
    const keyHeaders = this.#keyHeaders()
    this.requireAllowed()
    const isJson = body !== undefined && !isFile(body)
    try {
      return await this.#context.fetch(`${baseUrl.replace(/\/$/, "")}${path}`, {
        method,
        redirect: "manual",
        signal: AbortSignal.any([this.#context.signal, AbortSignal.timeout(waitMs)]),
        headers: {
          ...keyHeaders,
          ...(isJson ? { "content-type": "application/json" } : {}),
          ...headers,
        },
        ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : (body as FormData | Blob) }),
      })
    } catch (error) {
      throw this.unreachable(error)
    }
  }

  #keyHeaders(): Readonly<Record<string, string>> {
    const { apiKeyEnv, keyHeader, keyForm } = this.service
    if (keyForm === "none") return {}
    const key = this.#context.environment[apiKeyEnv]
    if (!key) throw new CredentialError(`${apiKeyEnv} is not set`, `Set ${apiKeyEnv} in the environment.`)
    if (keyForm === "basic") return { authorization: `Basic ${Buffer.from(`api:${key}`).toString("base64")}` }
    return keyHeader === undefined ? { authorization: `Bearer ${key}` } : { [keyHeader]: key }
  }

  /** The service's own host is one that the workspace allows, and what goes there is encrypted. */
  requireAllowed(): void {
    const refusal = addressRefusal(this.service.baseUrl, this.#context.allowedHosts)
    if (refusal !== undefined) throw new GateError(refusal.message, refusal.hint)
  }

  /** Of a connection that was never made it is known that nothing came of it. */
  unreachable(error: unknown): unknown {
    this.#context.signal.throwIfAborted()
    if (error instanceof ProviderError) return error
    const cause = (error as Error).cause as { code?: string } | undefined
    const neverArrived = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]
    return new ProviderError(
      `${new URL(this.service.baseUrl).host} did not answer: ${this.safe(cause?.code ?? (error as Error).message)}`,
      {
        provider: this.service.name,
        isRetryable: true,
        isUnreachable: true,
        hint: "Check the network and the address (baseUrl), then run the same command again: it loses nothing.",
        mayHaveCost: !neverArrived.includes(cause?.code ?? ""),
      },
    )
  }

  #mayExist(error: unknown, what: string): JobMayExistError {
    const reason = this.safe((error as Error).message)
    return new JobMayExistError(`it is not known whether ${what} was created: ${reason}`, {
      provider: this.service.name,
    })
  }

  /** The whole answer, of a size that answers have. */
  async read(answer: Response): Promise<Answer> {
    let text: string
    try {
      text = await this.bounded(answer, mostAnswerBytes).text()
    } catch (error) {
      // The headers came, and then the connection broke: the work may have been done.
      throw this.unreachable(error)
    }
    return { status: answer.status, value: parseJson(text), text, headers: answer.headers }
  }

  /** The answer, of which no more than so many bytes are read. */
  bounded(answer: Response, mostBytes = mostAnswerBytes): Response {
    return bounded(answer, { provider: this.service.name, host: new URL(this.service.baseUrl).host, mostBytes })
  }

  /** Throws at a page of a list, counted from 1, that no list has: its pages have no end. */
  requirePage(number: number): void {
    if (number <= mostPages) return
    const { name } = this.service
    throw new ProviderError(`${name} answers a list with more than ${mostPages} pages`, {
      provider: name,
      mayHaveCost: false,
    })
  }

  /** A call that may be made again is, where that may help. */
  politely<Value>(work: () => Promise<Value>): Promise<Value> {
    const { sleep, signal } = this.#context
    return withRetries(work, { attempts: politeTries, firstDelayMs: shortestWaitMs, sleep, signal, random: () => 1 })
  }
}

type Body = object | FormData | Blob

function isFile(body: Body | undefined): boolean {
  return body instanceof FormData || body instanceof Blob
}

function bodyOf({ body }: Response): Readable {
  return body === null ? Readable.from([]) : Readable.fromWeb(body as ReadableStream)
}

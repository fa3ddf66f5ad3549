import { bounded } from "../core/bounded-answer.ts"
import { CredentialError, ProviderError, ToolkitError } from "../core/errors.ts"
import { isTooDeep } from "../core/json-text.ts"
import { contentFilter } from "../core/asking/spoken.ts"
import type { ResponseHeaders } from "../core/contracts/model.ts"
import { isRetryableStatus, retryAfterMs } from "../core/retry.ts"

export interface CallSettings {
  readonly provider: string
  readonly baseUrl: string
  readonly model: string
  readonly fetch: typeof globalThis.fetch
  /** The time in which the whole answer must be there. */
  readonly timeoutMs: number
  /** Aborted by whoever asked: then the abort itself is thrown. */
  readonly signal: AbortSignal
  readonly key: { readonly variable: string; readonly value: string | undefined }
  /** What a whole answer is; JSON unless it says lines of it, as files are. */
  readonly reads?: "json" | "lines"
  /** The longest answer that is read, in bytes; default `mostAnswerBytes`. */
  readonly mostBytes?: number
  /** Told the headers of every answer, before it is read. */
  readonly onHeaders?: ((headers: ResponseHeaders) => void) | undefined
}

/** Node's own fetch waits five minutes for the head of an answer: a longer time would not be kept. */
export const defaultTimeoutMs = 300_000

/** Ten times what the longest answers of today have. */
export const mostAnswerBytes = 8e6

/**
 * The work's result. The fetch that it is given answers with whole JSON or fails: it follows no redirect, since that
 * could take examples to a host that is not allowed, and it ends after the time, and at the most bytes. Every failure
 * is a ToolkitError of the one retry policy, without the key, whatever the SDK makes of it on the way.
 */
export async function guardedCall<Result>(
  settings: CallSettings,
  work: (fetch: typeof globalThis.fetch) => Promise<Result>,
): Promise<Result> {
  let seen: ToolkitError | undefined
  try {
    return await work(async (input, init) => {
      try {
        return await wholeAnswer(settings, input, init)
      } catch (error) {
        settings.signal.throwIfAborted()
        seen = error instanceof ToolkitError ? error : networkError(settings, error)
        throw seen
      }
    })
  } catch (error) {
    settings.signal.throwIfAborted()
    if (seen !== undefined) throw seen
    if (error instanceof ToolkitError) throw error
    // What the SDK refuses by itself: a model's name it cannot use, an answer of another shape.
    throw new ProviderError(`${hostOf(settings)} could not be asked: ${excerpt(settings, (error as Error).message)}`, {
      provider: settings.provider,
      hint: `Is ${settings.baseUrl} a chat server, and ${JSON.stringify(settings.model)} a chat model?`,
    })
  }
}

async function wholeAnswer(
  settings: CallSettings,
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
): Promise<Response> {
  const timeout = AbortSignal.timeout(settings.timeoutMs)
  const signal = AbortSignal.any([settings.signal, timeout, ...(init?.signal ? [init.signal] : [])])
  const { provider, mostBytes = mostAnswerBytes } = settings
  const answer = await settings.fetch(input, { ...init, redirect: "manual", signal })
  settings.onHeaders?.(answer.headers)
  const response = bounded(answer, { provider, host: hostOf(settings), mostBytes })
  const text = await response.text()
  if (!response.ok) throw statusError(settings, response, text)
  if (settings.reads === "lines") return new Response(text, { status: response.status })
  const type = response.headers.get("content-type") ?? "nothing named"
  if (!/json/i.test(type))
    throw new ProviderError(`${hostOf(settings)} answered with ${excerpt(settings, type)} where JSON was expected`, {
      provider: settings.provider,
      status: response.status,
      hint: `Is ${settings.baseUrl} the address of a chat server? It often ends in /v1.`,
    })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new ProviderError(`${hostOf(settings)} broke off its answer after ${text.length} characters`, {
      provider: settings.provider,
      isRetryable: true,
      hint: "See the server's log.",
    })
  }
  if (isTooDeep(value))
    throw new ProviderError(`${hostOf(settings)} answered with lists and objects nested too deep to be an answer`, {
      provider,
      status: response.status,
      unread: "nested too deep",
      hint: "See the server's log.",
    })
  return new Response(text, { status: response.status, headers: { "content-type": "application/json" } })
}

function statusError(settings: CallSettings, { status, headers }: Response, text: string): ToolkitError {
  const { provider, baseUrl, model, key } = settings
  const host = hostOf(settings)
  if (status < 400)
    return new ProviderError(
      `${host} sent the request on to another address (HTTP ${status}); examples do not follow a redirect`,
      {
        provider,
        status,
        mayHaveCost: false,
        hint: "Name the final address in expand.model.baseUrl, and its host in allowedHosts if the data may go there.",
      },
    )
  // What the server says of a refused key is left out: it may hold a part of the key.
  if (status === 401 || status === 403)
    return new CredentialError(
      `${host} refused the key (HTTP ${status})`,
      `Check ${key.variable}: set, of this server, and allowed to use ${model}.`,
    )
  const { message, code } = errorOf(text)
  return new ProviderError(`${host} answered HTTP ${status}: ${excerpt(settings, message)}`, {
    provider,
    status,
    isRetryable: isRetryableStatus(status) && code !== "insufficient_quota",
    retryAfterMs: retryAfterMs(headers),
    isRefusal: code === contentFilter,
    // A gateway does not know what the server behind it did.
    mayHaveCost: status === 502 || status === 504,
    hint:
      status === 404
        ? `Does ${baseUrl} serve the model ${JSON.stringify(model)}? The address often ends in /v1.`
        : "See the server's log.",
  })
}

/** Servers put their message into `error.message`, `error`, `message` or `detail`, or send none of these. */
function errorOf(text: string): { message: string; code: unknown } {
  try {
    const { error, message, detail } = JSON.parse(text) as {
      error?: { message?: unknown; code?: unknown } | string
      message?: unknown
      detail?: unknown
    }
    const said = [typeof error === "object" ? error?.message : error, message, detail].find(
      (value) => typeof value === "string",
    )
    return {
      message: said === undefined ? text : String(said),
      code: typeof error === "object" ? error?.code : undefined,
    }
  } catch {
    return { message: text, code: undefined }
  }
}

function networkError(settings: CallSettings, error: unknown): ProviderError {
  const { provider, baseUrl } = settings
  const { name, message, cause } = error as Error & { cause?: { message?: string; code?: string } }
  const common = { provider, isRetryable: true, cause: error }
  if (name === "TimeoutError" || name === "AbortError" || /^UND_ERR_(HEADERS|BODY)_TIMEOUT$/.test(cause?.code ?? ""))
    return new ProviderError(`${hostOf(settings)} did not answer in ${Math.round(settings.timeoutMs / 1000)} s`, {
      ...common,
      hint: "Is the server busy? A smaller expand.model.maxTokens makes answers shorter.",
    })
  if (cause?.code === "UND_ERR_HEADERS_OVERFLOW")
    return new ProviderError(`${hostOf(settings)} answered with headers that are too long`, {
      provider,
      hint: `Is ${baseUrl} the address of a chat server?`,
    })
  if (message === "terminated")
    return new ProviderError(`${hostOf(settings)} broke off its answer`, { ...common, hint: "See the server's log." })
  return new ProviderError(
    `cannot reach ${hostOf(settings)}: ${excerpt(settings, cause?.message || cause?.code || message)}`,
    {
      ...common,
      mayHaveCost: !neverSent.has(cause?.code ?? ""),
      isUnreachable: neverSent.has(cause?.code ?? ""),
      hint: `Is the server at ${baseUrl} running?`,
    },
  )
}

/** Faults of connections that were never made. */
const neverSent = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
])

/**
 * At most 300 characters in one line, without the key, which a server may repeat, and without what would steer a
 * terminal.
 */
function excerpt({ key }: CallSettings, text: string): string {
  const safe = key.value ? text.replaceAll(key.value, "[secret]") : text
  return (
    safe
      .replace(/[\s\p{Cc}]+/gu, " ")
      .trim()
      .slice(0, 300) || "no message"
  )
}

/** The host as people know it. */
export function hostOf({ baseUrl }: Pick<CallSettings, "baseUrl">): string {
  return new URL(baseUrl).host
}

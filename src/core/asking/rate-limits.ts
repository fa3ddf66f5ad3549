import { httpDate } from "../retry.ts"
import type { ResponseHeaders } from "../contracts/model.ts"

/**
 * What a server says of one of its limits. `windowMs` is undefined where neither the header's name nor its numbers tell
 * it.
 */
export interface ServerLimit {
  readonly of: "requests" | "tokens"
  readonly limit: number | undefined
  readonly remaining: number | undefined
  readonly resetMs: number | undefined
  readonly windowMs: number | undefined
}

/**
 * The limits that the headers of an answer tell, in the forms that are in use: `x-ratelimit-limit-requests` and its
 * like (OpenAI, Azure, Groq, Fireworks), with `-minute` or `-day` at the end (Cerebras) or `req` (Mistral);
 * `anthropic-ratelimit-requests-limit`; `ratelimit-limit` and `x-ratelimit-limit` (many); `ratelimit` and
 * `ratelimit-policy` (the IETF's drafts). What cannot be read is left out.
 */
export function serverLimits(headers: ResponseHeaders): ServerLimit[] {
  const serverNow = httpDate(headers.get("date"))
  const found = [...named(headers, serverNow), ...unnamed(headers, serverNow), ...drafted(headers)]
  return found.filter(({ limit, remaining }) => limit !== undefined || remaining !== undefined)
}

const minute = 60_000
const day = 86_400_000
const windows = { "": undefined, "-minute": minute, "-hour": 3_600_000, "-day": day } as const

function named(headers: ResponseHeaders, serverNow: number | undefined): ServerLimit[] {
  const forms: { of: ServerLimit["of"]; name: (part: string) => string; windowMs: number | undefined }[] = []
  for (const [of, word] of [
    ["requests", "requests"],
    ["requests", "req"],
    ["tokens", "tokens"],
  ] as const)
    for (const [ending, windowMs] of Object.entries(windows))
      forms.push({ of, name: (part) => `x-ratelimit-${part}-${word}${ending}`, windowMs })
  for (const word of ["requests", "tokens"] as const)
    forms.push({ of: word, name: (part) => `anthropic-ratelimit-${word}-${part}`, windowMs: minute })
  return forms.map(({ of, name, windowMs }) => {
    const limit = count(headers.get(name("limit")))
    const remaining = count(headers.get(name("remaining")))
    const resetMs = duration(headers.get(name("reset")), serverNow)
    return { of, limit, remaining, resetMs, windowMs: windowMs ?? inferredWindow(limit, remaining, resetMs) }
  })
}

/**
 * The time in which all comes back, from the part that is gone and the time until it is back. Groq's
 * `x-ratelimit-limit-requests` is one of a day, and that is the only way to see it. Without these, a minute.
 */
function inferredWindow(limit: number | undefined, remaining: number | undefined, resetMs: number | undefined): number {
  if (limit === undefined || remaining === undefined || resetMs === undefined || remaining >= limit) return minute
  const windowMs = (resetMs * limit) / (limit - remaining)
  return windowMs > 10 * minute ? day : minute
}

/** Limits of requests by whatever window the server has in mind. */
function unnamed(headers: ResponseHeaders, serverNow: number | undefined): ServerLimit[] {
  return ["x-ratelimit", "ratelimit"].map((prefix) => ({
    of: "requests",
    limit: count(headers.get(`${prefix}-limit`)),
    remaining: count(headers.get(`${prefix}-remaining`)),
    resetMs: duration(headers.get(`${prefix}-reset`), serverNow),
    windowMs: seconds(/(?:^|;)\s*w=(\d+)/.exec(headers.get("ratelimit-policy") ?? "")?.[1]),
  }))
}

/**
 * `ratelimit: limit=100, remaining=50, reset=30` and `ratelimit: "burst";r=50;t=30` with `ratelimit-policy:
 * "burst";q=100;w=60`.
 */
function drafted(headers: ResponseHeaders): ServerLimit[] {
  const state = headers.get("ratelimit")
  if (state === null) return []
  const policy = headers.get("ratelimit-policy") ?? ""
  const number = (text: string, ...names: string[]) =>
    count(
      names
        .map((name) => new RegExp(`(?:^|[\\s,;])${name}=(\\d+)`).exec(text)?.[1])
        .find((value) => value !== undefined) ?? null,
    )
  const resetSeconds = number(state, "reset", "t")
  return [
    {
      of: "requests",
      limit: number(state, "limit") ?? number(policy, "q"),
      remaining: number(state, "remaining", "r"),
      resetMs: resetSeconds === undefined ? undefined : resetSeconds * 1000,
      windowMs: seconds(/(?:^|;)\s*w=(\d+)/.exec(policy)?.[1]),
    },
  ]
}

function count(text: string | null): number | undefined {
  const digits = /^\s*(\d+(?:\.\d+)?)/.exec(text ?? "")?.[1]
  return digits === undefined ? undefined : Number(digits)
}

function seconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text) * 1000
}

/**
 * `6m0s`, `120ms`, seconds, a time of day in seconds or milliseconds since 1970, or a date; the last three by the
 * server's own clock.
 */
function duration(text: string | null, serverNow: number | undefined): number | undefined {
  const trimmed = text?.trim() ?? ""
  if (/^\d+(\.\d+)?$/.test(trimmed)) {
    const number = Number(trimmed)
    if (number < 1e9) return number * 1000
    return serverNow === undefined ? undefined : Math.max(0, (number > 1e12 ? number : number * 1000) - serverNow)
  }
  if (/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(trimmed)) {
    const unitMs = { ms: 1, s: 1000, m: minute, h: 3_600_000, d: day }
    return [...trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)].reduce(
      (sum, [, number, unit]) => sum + Number(number) * unitMs[unit as "ms"],
      0,
    )
  }
  const at = /^\d{4}-\d{2}-\d{2}T/.test(trimmed) ? Date.parse(trimmed) : Number.NaN
  return Number.isNaN(at) || serverNow === undefined ? undefined : Math.max(0, at - serverNow)
}

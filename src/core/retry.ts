import { ProviderError } from "./errors.ts"

/** The one retry policy: 408, 409, 429, 5xx and network faults. */
export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500
}

/**
 * The wait that the headers of an answer ask for, in milliseconds; undefined when they ask for none or cannot be read.
 * `retry-after-ms` counts before `Retry-After`, which is read as seconds or as a date. A date is taken relative to the
 * answer's own `Date`: the server's clock may be wrong, but it is the same in both.
 */
export function retryAfterMs(headers: { get(name: string): string | null }): number | undefined {
  const exact = nonNegative(headers.get("retry-after-ms"))
  if (exact !== undefined) return exact
  const header = headers.get("retry-after")
  const seconds = nonNegative(header)
  if (seconds !== undefined) return seconds * 1000
  const until = httpDate(header)
  const from = httpDate(headers.get("date"))
  return until === undefined || from === undefined ? undefined : Math.max(0, until - from)
}

function nonNegative(header: string | null): number | undefined {
  return header !== null && /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) : undefined
}

/** The three forms of RFC 9110, 5.6.7. `Date.parse` alone would take "-1" and "12" for dates. */
export function httpDate(header: string | null): number | undefined {
  const text = header?.trim() ?? ""
  const isDate = /^[A-Z][a-z]{2,8}, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT$/.test(text)
  const isOldDate = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/.test(text)
  const at = isDate ? Date.parse(text) : isOldDate ? Date.parse(`${text} GMT`) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

export interface RetryOptions {
  readonly attempts?: number
  readonly firstDelayMs?: number
  readonly longestDelayMs?: number
  /** The longest wait that a server is granted when it asks for one. */
  readonly longestAskedMs?: number
  /** The most that all waits of such an error take together; without a number, as many as there are attempts. */
  readonly mostWaitedMs?: (error: ProviderError) => number | undefined
  readonly sleep: (milliseconds: number) => Promise<void>
  /** 0..1, for the jitter. */
  readonly random: () => number
  readonly signal: AbortSignal
  readonly onRetry?: (error: ProviderError, delayMs: number) => void
}

/**
 * The result of the work, tried again after a retryable ProviderError with doubling delays, full jitter and the wait
 * that the server asks for, up to five minutes; any other error, and the last one, is thrown. An abort ends it at once.
 */
export async function withRetries<Result>(work: () => Promise<Result>, options: RetryOptions): Promise<Result> {
  const attempts = options.attempts ?? 6
  let waitedMs = 0
  for (let attempt = 1; ; attempt++) {
    options.signal.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ProviderError) || !error.isRetryable || attempt >= attempts) throw error
      const backoff = Math.min(options.longestDelayMs ?? 60_000, (options.firstDelayMs ?? 1000) * 2 ** (attempt - 1))
      const leftMs = (options.mostWaitedMs?.(error) ?? Infinity) - waitedMs
      if (leftMs <= 0) throw error
      const wishedMs =
        error.retryAfterMs === undefined
          ? backoff * (0.5 + options.random() / 2)
          : Math.min(options.longestAskedMs ?? 300_000, error.retryAfterMs)
      const delayMs = Math.min(wishedMs, leftMs)
      waitedMs += delayMs
      options.onRetry?.(error, delayMs)
      await options.sleep(delayMs)
    }
  }
}

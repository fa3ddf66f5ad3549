import { ProviderError } from "./errors.ts"

/** The one retry policy: 408, 409, 429, 5xx and network faults. */
export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500
}

/** The wait that a `Retry-After` header asks for; undefined when absent or unreadable. Only the form in seconds is read. */
export function retryAfterMs(header: string | null | undefined): number | undefined {
  const seconds = Number(header)
  return header && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
}

export interface RetryOptions {
  readonly attempts?: number
  readonly firstDelayMs?: number
  readonly longestDelayMs?: number
  readonly sleep: (milliseconds: number) => Promise<void>
  /** 0..1, for the jitter. */
  readonly random: () => number
  readonly signal: AbortSignal
  readonly onRetry?: (error: ProviderError, delayMs: number) => void
}

/** The result of the work, tried again after a retryable ProviderError with doubling delays, full jitter and `Retry-After` honoured; any other error, and the last one, is thrown. An abort ends it at once. */
export async function withRetries<Result>(work: () => Promise<Result>, options: RetryOptions): Promise<Result> {
  const attempts = options.attempts ?? 6
  for (let attempt = 1; ; attempt++) {
    options.signal.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ProviderError) || !error.isRetryable || attempt >= attempts) throw error
      const backoff = Math.min(options.longestDelayMs ?? 60_000, (options.firstDelayMs ?? 1000) * 2 ** (attempt - 1))
      const delayMs = error.retryAfterMs ?? backoff * (0.5 + options.random() / 2)
      options.onRetry?.(error, delayMs)
      await options.sleep(delayMs)
    }
  }
}

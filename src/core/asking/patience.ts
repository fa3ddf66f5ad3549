/** The longest that a server's wish to be left alone is granted. */
export const longestHoldMs = 300_000

/**
 * How long a server is asked that refuses everything as one too many (HTTP 429): so much longer than the longest wait
 * that it asked for. An answer, to whatever call, begins anew. Times are milliseconds of a clock that is given.
 */
export class Patience {
  private readonly mostMs: number
  private since = Number.POSITIVE_INFINITY
  private longestAskedMs = 0
  private times = 0

  constructor(mostMs: number) {
    this.mostMs = mostMs
  }

  answered(): void {
    this.since = Number.POSITIVE_INFINITY
    this.longestAskedMs = 0
    this.times = 0
  }

  refused(now: number, askedMs: number | undefined): void {
    this.since = Math.min(this.since, now)
    this.longestAskedMs = Math.max(this.longestAskedMs, Math.min(askedMs ?? 0, longestHoldMs))
    this.times++
  }

  /** How often in a row. */
  get refusals(): number {
    return this.times
  }

  /** Since when nothing was answered, as a time until now. */
  lastingMs(now: number): number {
    return this.times === 0 ? 0 : now - this.since
  }

  /** How long it lasts still; 0 when it is over. */
  leftMs(now: number): number {
    return Math.max(0, this.since + this.mostMs + this.longestAskedMs - now)
  }
}

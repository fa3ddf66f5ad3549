import { Pace, type RequestSize } from "../../../src/core/asking/pace.ts"
import type { ServerLimit } from "../../../src/core/asking/rate-limits.ts"

/** How a server limits: a bucket that fills evenly, or a window of the last minute. */
export interface Limits {
  readonly kind: "bucket" | "window"
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
  /** What the bucket holds, as a part of a minute's worth. */
  readonly capacity?: number
  /** Whether a request counts with the longest answer that it asks for. */
  readonly countsWhatIsAsked?: boolean
}

/** The server's limiter, on a clock that is given. */
export class Limiter {
  private readonly limits: Limits
  private readonly taken: { at: number; tokens: number }[] = []
  private readonly level: { requests: number; tokens: number }
  private used = 0
  private at = 0

  constructor(limits: Limits) {
    this.limits = limits
    this.level = { requests: this.capacity(limits.requestsPerMinute), tokens: this.capacity(limits.tokensPerMinute) }
  }

  /** Whether a request may be worked on; then it counts. */
  takes(now: number, tokens: number): boolean {
    const { kind, requestsPerMinute = Infinity, tokensPerMinute = Infinity } = this.limits
    if (kind === "window") {
      while ((this.taken[0]?.at ?? Infinity) <= now - 60_000) this.used -= this.taken.shift()?.tokens ?? 0
      if (this.taken.length + 1 > requestsPerMinute || this.used + tokens > tokensPerMinute) return false
      this.taken.push({ at: now, tokens })
      this.used += tokens
      return true
    }
    this.level.requests = Math.min(
      this.capacity(requestsPerMinute),
      this.level.requests + ((now - this.at) * requestsPerMinute) / 60_000,
    )
    this.level.tokens = Math.min(
      this.capacity(tokensPerMinute),
      this.level.tokens + ((now - this.at) * tokensPerMinute) / 60_000,
    )
    this.at = now
    if (this.level.requests < 1 || this.level.tokens < tokens) return false
    this.level.requests--
    this.level.tokens -= tokens
    return true
  }

  /** What is left at the last request, as headers say it. */
  left(): ServerLimit[] {
    const { kind, requestsPerMinute, tokensPerMinute } = this.limits
    const isWindow = kind === "window"
    const told = (of: ServerLimit["of"], limit: number | undefined, used: number, level: number): ServerLimit[] =>
      limit === undefined
        ? []
        : [{ of, limit, remaining: Math.floor(isWindow ? limit - used : level), resetMs: undefined, windowMs: 60_000 }]
    return [
      ...told("requests", requestsPerMinute, this.taken.length, this.level.requests),
      ...told("tokens", tokensPerMinute, this.used, this.level.tokens),
    ]
  }

  private capacity(perMinute = Infinity): number {
    return perMinute * (this.limits.capacity ?? 1)
  }
}

export interface Simulated {
  readonly minutes: number
  readonly concurrency: number
  /** Draws in 0..1. */
  readonly random: () => number
  /** What the client is told of the limits beforehand. */
  readonly told: boolean
  readonly headers?: boolean
  readonly latencyMs?: number
}

/**
 * A client that always has something to ask, and the server, on a clock of their own: what was asked, taken and
 * refused.
 */
export function simulate(
  limits: Limits,
  { minutes, concurrency, random, told, headers = false, latencyMs = 800 }: Simulated,
) {
  const server = new Limiter(limits)
  const pace = new Pace(told ? limits : {})
  const size: RequestSize = { inputTokens: 400, outputTokens: 300 }
  const events: { at: number; run: () => void }[] = []
  const schedule = (at: number, run: () => void) => {
    let index = events.length
    while (index > 0 && (events[index - 1]?.at ?? 0) > at) index--
    events.splice(index, 0, { at, run })
  }
  const totals = { asked: 0, taken: 0, refused: 0, tokens: 0 }
  let now = 0
  const ask = (): void => {
    // A timer fires up to 3 ms late.
    const wait = pace.waitMs(now, size)
    if (wait > 0) {
      schedule(now + Math.ceil(wait) + 3 * random(), ask)
      return
    }
    const ticket = pace.sent(now, size)
    const took = { inputTokens: 90 + Math.floor(20 * random()), outputTokens: 50 + Math.floor(100 * random()) }
    totals.asked++
    schedule(now + 1 + 20 * random(), () => {
      const tokens = took.inputTokens + (limits.countsWhatIsAsked ? size.outputTokens : took.outputTokens)
      const isTaken = server.takes(now, tokens)
      const isTimely = now <= minutes * 60_000
      if (isTaken && isTimely) {
        totals.taken++
        totals.tokens += tokens
      }
      const said = headers ? server.left() : []
      schedule(now + (isTaken ? latencyMs * (0.5 + random()) : 2), () => {
        pace.heard(now, ticket, said)
        if (isTaken) pace.answered(ticket, took)
        else {
          totals.refused++
          pace.refused(now, ticket, undefined)
        }
        ask()
      })
    })
  }
  for (let slot = 0; slot < concurrency; slot++) schedule(0, ask)
  while (events[0] !== undefined && events[0].at <= minutes * 60_000) {
    const event = events.shift()
    now = event?.at ?? now
    event?.run()
  }
  const ofRequests = totals.taken / ((limits.requestsPerMinute ?? Infinity) * minutes)
  const ofTokens = totals.tokens / ((limits.tokensPerMinute ?? Infinity) * minutes)
  return { ...totals, share: Math.max(ofRequests, ofTokens), refusedShare: totals.refused / totals.asked }
}

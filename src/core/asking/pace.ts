import { type Entry, Meter } from "./meter.ts"
import { longestHoldMs } from "./patience.ts"
import type { ServerLimit } from "./rate-limits.ts"

/** What is known of a request's tokens before it is sent: bounds from above. */
export interface RequestSize {
  readonly inputTokens: number
  readonly outputTokens: number
}

/** A request that was sent. */
export interface Ticket {
  readonly size: RequestSize
  readonly sentAt: number
  readonly requests: Entry
  readonly tokens: Entry
  /** How many were sent in the minute until then, with it. */
  readonly sentUntil: number
  /**
   * What the server had counted for each request that was sent until this one's answer began, where it is the first
   * answer.
   */
  counted?: number
}

/**
 * When the next request may be sent, so that a server's limits on requests and tokens a minute are used up and not
 * passed. Times are milliseconds of any clock that only goes forward, and are given: equal calls give equal times.
 *
 * What limits are kept: those that are given, those that headers announce, and those that refusals teach. Requests are
 * spread evenly, which suits a token bucket of any size, and never more are sent in a minute than the limit, which
 * suits a window of any kind.
 *
 * Tokens are not known before the answer: they are foreseen from the answers so far and corrected by each. Some servers
 * count what a request asks for (`max_tokens`) in place of what it took: the first headers or a refusal tell that.
 */
export class Pace {
  private readonly requests: Meter
  private readonly tokens: Meter
  private readonly seen = { answers: 0, input: 0, inputBound: 0, output: 0, variance: 0 }
  private countsWhatIsAsked = false
  private wasCountHeard = false
  private holdUntil = Number.NEGATIVE_INFINITY
  private refusalsInARow = 0
  /** The share of the last twenty or so that were refused. */
  private refusedLately = 0
  /** Since when more than a tenth was refused. */
  private troubledSince = Number.POSITIVE_INFINITY
  private inFlight = 0
  /** Where no limit is known, the first request goes alone, and each answer allows one more, later one more a round. */
  private mayHaveInFlight = 1
  private lastSentAt = Number.NEGATIVE_INFINITY
  private lastRefusalAt = Number.NEGATIVE_INFINITY

  constructor(limits: {
    readonly requestsPerMinute?: number | undefined
    readonly tokensPerMinute?: number | undefined
  }) {
    this.requests = new Meter(limits.requestsPerMinute)
    this.tokens = new Meter(limits.tokensPerMinute)
  }

  /** How long the request has to wait from now; 0 when it may be sent. */
  waitMs(now: number, size: RequestSize): number {
    const isUncharted = !this.requests.isKnown && !this.tokens.isKnown
    if (isUncharted && this.inFlight >= this.mayHaveInFlight && now - this.lastSentAt < patienceMs) return slotWaitMs
    return Math.max(0, this.holdUntil - now, this.requests.waitMs(now, 1), this.tokens.waitMs(now, this.foreseen(size)))
  }

  sent(now: number, size: RequestSize): Ticket {
    this.inFlight++
    this.lastSentAt = now
    const [requests, tokens] = [this.requests.add(now, 1), this.tokens.add(now, this.foreseen(size))]
    return { size, sentAt: now, requests, tokens, sentUntil: this.tokens.size }
  }

  /** It leaves only now: writing it down took its time. */
  left(ticket: Ticket, now: number): void {
    ticket.requests.at = now
    ticket.tokens.at = now
  }

  /** What the answer took; null where the server does not say. */
  answered(ticket: Ticket, took: { readonly inputTokens: number | null; readonly outputTokens: number | null }): void {
    this.inFlight--
    this.mayHaveInFlight += this.mayHaveInFlight < 8 ? 1 : 1 / this.mayHaveInFlight
    if (ticket.sentAt > this.lastRefusalAt) this.refusalsInARow = 0
    this.refusedLately *= 0.95
    if (this.refusedLately < 0.1) this.troubledSince = Number.POSITIVE_INFINITY
    if (took.inputTokens === null || took.outputTokens === null) return
    this.seen.answers++
    this.seen.input += took.inputTokens
    this.seen.inputBound += ticket.size.inputTokens
    // The last hundred or so answers count.
    const surprise = took.outputTokens - this.seen.output
    this.seen.output += surprise / Math.min(this.seen.answers, 100)
    this.seen.variance += (surprise ** 2 - this.seen.variance) / Math.min(this.seen.answers, 100)
    const asked = took.inputTokens + ticket.size.outputTokens
    const tokens = took.inputTokens + took.outputTokens
    // Much more than it asked for is what somebody else took.
    if (ticket.counted !== undefined && ticket.counted > (asked + tokens) / 2 && ticket.counted < 1.5 * asked)
      this.countWhatIsAsked(ticket.size)
    this.tokens.correct(ticket.tokens, this.countsWhatIsAsked ? asked : tokens)
  }

  /** It failed for another reason: the server may have counted it. */
  failed(): void {
    this.inFlight--
  }

  /** The limits in the headers of whatever the server answered. */
  heard(now: number, ticket: Ticket, limits: readonly ServerLimit[]): void {
    for (const { of, limit, remaining, resetMs, windowMs } of limits) {
      const meter = of === "requests" ? this.requests : this.tokens
      if (limit !== undefined && windowMs !== undefined && windowMs <= 60_000) {
        const perMinute = (limit * 60_000) / windowMs
        if (of === "tokens" && remaining !== undefined && !this.wasCountHeard) {
          this.wasCountHeard = true
          ticket.counted = (limit - remaining) / ticket.sentUntil
        }
        meter.announce(perMinute)
      }
      const need = of === "requests" ? 1 : this.foreseen(ticket.size)
      if (limit !== undefined && limit > 0 && remaining !== undefined && remaining < need && resetMs !== undefined)
        meter.hold(now + Math.min(resetMs, (need / limit) * (windowMs ?? 60_000)))
    }
  }

  /**
   * The server refused it as one too many (HTTP 429). It asks to be left alone for a time, or for one that doubles with
   * each refusal in a row.
   */
  refused(now: number, ticket: Ticket, retryAfterMs: number | undefined): void {
    this.inFlight--
    this.refusedLately = 0.95 * this.refusedLately + 0.05
    if (this.refusedLately >= 0.1) this.troubledSince = Math.min(this.troubledSince, now)
    const [requests, tokens] = [ticket.requests.amount, ticket.tokens.amount]
    this.requests.remove(ticket.requests)
    this.tokens.remove(ticket.tokens)
    const waitMs = retryAfterMs ?? Math.min(longestGuessMs, 250 * 2 ** Math.min(this.refusalsInARow, 10))
    this.holdUntil = Math.max(this.holdUntil, now + Math.min(waitMs, longestHoldMs))
    // What was sent before the last refusal came back tells nothing new.
    if (ticket.sentAt <= this.lastRefusalAt) {
      this.requests.unlearn(requests)
      this.tokens.unlearn(tokens)
      return
    }
    this.refusalsInARow++
    this.lastRefusalAt = now
    this.mayHaveInFlight = Math.max(1, Math.floor(this.mayHaveInFlight / 2))
    // Who is told when to come back needs no limit of its own to guess.
    if (retryAfterMs !== undefined && !this.requests.isKnown && !this.tokens.isKnown) return
    // A limit that is known is trusted more than a few refusals: the server's clock is another, and its bucket may be
    // small.
    const persists = this.refusedLately >= 0.2 && now - this.troubledSince >= 3000
    if ((this.requests.isKnown || this.tokens.isKnown) && !persists) {
      this.requests.widen()
      this.tokens.widen()
      return
    }
    if (!this.countsWhatIsAsked && this.tokens.isKnown) {
      this.countWhatIsAsked(ticket.size)
      return
    }
    this.requests.learn(now)
    this.tokens.learn(now)
  }

  private countWhatIsAsked(size: RequestSize): void {
    const took = this.foreseen(size)
    this.countsWhatIsAsked = true
    this.refusedLately = 0
    this.tokens.recount(this.foreseen(size) / Math.max(1, took))
  }

  /**
   * Before the first answer, the bounds; then what answers take, and somewhat more: what is on its way must not come
   * out over the limit.
   */
  private foreseen({ inputTokens, outputTokens }: RequestSize): number {
    if (this.seen.answers === 0) return inputTokens + outputTokens
    const input = inputTokens * Math.min(1, this.seen.input / Math.max(1, this.seen.inputBound))
    return (
      input +
      (this.countsWhatIsAsked
        ? outputTokens
        : Math.min(outputTokens, this.seen.output + 1.5 * Math.sqrt(this.seen.variance)))
    )
  }
}

/** How often a request that waits for another's answer looks again. */
const slotWaitMs = 20
/** How long it waits for that: a server may be slow, or silent. */
const patienceMs = 1000
/** The longest wait after a refusal that names none: a server that takes requests again is found soon. */
const longestGuessMs = 8000

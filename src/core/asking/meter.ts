/**
 * One limit a minute, on requests or on tokens, and what was sent under it. Spreads evenly and never sends more in a
 * minute than the limit; without a limit everything may go, until a refusal teaches one.
 */
export class Meter {
  private readonly given: number | undefined
  private announced: number | undefined
  private learned: Learned | undefined
  private readonly entries: Entry[] = []
  private total = 0
  private startedAt: number | undefined
  /** When as much is earned back as was sent, at the even rate. */
  private earnedAt = Number.NEGATIVE_INFINITY
  /**
   * A request may be on its way for longer than the one before it: a minute here is a little longer than the server's.
   */
  private windowMs = shortestWindowMs
  private heldUntil = Number.NEGATIVE_INFINITY
  private refusedAt = Number.NEGATIVE_INFINITY

  constructor(givenPerMinute: number | undefined) {
    this.given = givenPerMinute
  }

  /** Whether the limit was given or announced. */
  get isKnown(): boolean {
    return this.given !== undefined || this.announced !== undefined
  }

  get hasLimit(): boolean {
    return Number.isFinite(this.limit)
  }

  /** How many were sent in the last minute. */
  get size(): number {
    return this.entries.length
  }

  waitMs(now: number, amount: number): number {
    this.forget(now)
    this.grow(now)
    return Math.max(0, this.heldUntil - now, this.hasLimit ? this.earnedAt - now : 0, this.windowWaitMs(now, amount))
  }

  add(now: number, amount: number): Entry {
    this.forget(now)
    const entry = { at: now, amount, isCounted: true }
    this.entries.push(entry)
    this.total += amount
    this.startedAt ??= now
    this.earnedAt = Math.max(this.earnedAt, now - lateness) + this.msFor(amount)
    return entry
  }

  /** It took another amount than was foreseen. */
  correct(entry: Entry, amount: number): void {
    const change = amount - entry.amount
    entry.amount = amount
    if (!entry.isCounted) return
    this.total += change
    this.earnedAt += this.msFor(change)
  }

  /** The server did not take it, so it does not count. */
  remove(entry: Entry): void {
    this.correct(entry, 0)
  }

  announce(perMinute: number): void {
    this.announced = perMinute
  }

  hold(until: number): void {
    this.heldUntil = Math.max(this.heldUntil, until)
  }

  /** The server's minute was longer than was thought. */
  widen(): void {
    this.windowMs = Math.min(longestWindowMs, this.windowMs + 150)
  }

  /**
   * A refusal teaches the limit. The first time it is what went through in the last minute, which is exact for a
   * window: a second refusal at the same amount confirms it. One at another amount speaks for a token bucket that is
   * empty: then the limit is what went through since the refusal before.
   */
  learn(now: number): void {
    this.forget(now)
    const before = this.learned
    const since = Math.min(now - this.refusedAt, this.windowMs)
    const throughSince = this.sumSince(this.refusedAt)
    this.refusedAt = now
    if (this.total <= 0) return
    const isWindow = before === undefined || Math.abs(this.total / before.taught - 1) <= 0.05
    const taught = isWindow
      ? this.total
      : Math.max(since >= 3000 ? (throughSince * minute) / since : 0, 0.8 * before.limit)
    const isSure = before !== undefined || now - (this.startedAt ?? now) >= minute
    const patienceMs = !isSure ? 5000 : before?.isSure ? Math.min(10 * minute, 2 * before.patienceMs) : 2 * minute
    const limit = Math.max(taught, this.hasLimit ? this.limit / 2 : 0, Number.MIN_VALUE)
    this.learned = { taught: limit, limit, isSure, patienceMs, growAt: now + patienceMs, step: isSure ? 0.02 : 0.25 }
    this.earnedAt = Math.max(this.earnedAt, now)
  }

  /** What was on its way at a refusal was refused as well: it did not go through. */
  unlearn(amount: number): void {
    if (this.learned === undefined || this.isKnown) return
    const limit = Math.max(this.learned.limit - amount, Number.MIN_VALUE)
    this.learned = { ...this.learned, limit, taught: limit }
  }

  /** All that was sent counts so many times as much as was thought. */
  recount(factor: number): void {
    for (const entry of this.entries) this.correct(entry, entry.amount * factor)
  }

  /**
   * After a refusal the limit grows again, step by step: it may have been the server's bad moment. Each refusal that
   * follows makes it more patient.
   */
  private grow(now: number): void {
    while (this.learned !== undefined && now >= this.learned.growAt) {
      const { limit, isSure, step, growAt } = this.learned
      const grown = limit * (1 + step)
      const next = {
        ...this.learned,
        limit: grown,
        growAt: growAt + (isSure ? minute : 5000),
        step: isSure ? Math.min(0.2, 2 * step) : step,
      }
      this.learned = grown >= Math.min(this.given ?? Infinity, this.announced ?? Infinity) ? undefined : next
    }
  }

  private windowWaitMs(now: number, amount: number): number {
    let over = this.total + amount - this.limit
    for (const entry of this.entries) {
      if (over <= 1e-9) return 0
      over -= entry.amount
      if (over <= 1e-9) return entry.at + this.windowMs - now
    }
    return this.entries.length === 0 || over <= 1e-9 ? 0 : (this.entries.at(-1) as Entry).at + this.windowMs - now
  }

  private get limit(): number {
    return Math.min(this.given ?? Infinity, this.announced ?? Infinity, this.learned?.limit ?? Infinity)
  }

  private msFor(amount: number): number {
    return this.hasLimit ? (amount * minute) / (this.limit * evenShare) : 0
  }

  private sumSince(time: number): number {
    return this.entries.reduce((sum, { at, amount }) => sum + (at > time ? amount : 0), 0)
  }

  private forget(now: number): void {
    while (this.entries[0] !== undefined && this.entries[0].at <= now - this.windowMs) {
      const entry = this.entries.shift() as Entry
      entry.isCounted = false
      this.total -= entry.amount
    }
    if (this.entries.length === 0) this.total = 0
  }
}

export interface Entry {
  at: number
  amount: number
  isCounted: boolean
}

interface Learned {
  /** What the refusal taught, before it grew. */
  readonly taught: number
  readonly limit: number
  /** Whether a whole minute, or the time between two refusals, speaks for it. */
  readonly isSure: boolean
  readonly patienceMs: number
  readonly growAt: number
  readonly step: number
}

const minute = 60_000
const shortestWindowMs = 60_250
const longestWindowMs = 61_000
/** The share of the limit that is sent evenly; the rest is for the difference of two clocks. */
const evenShare = 0.998
/** A timer that fires late, as on a busy machine, may catch up by so much. */
const lateness = 500

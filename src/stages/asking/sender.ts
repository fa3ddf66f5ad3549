import PQueue from "p-queue"
import type { Ticket } from "../../core/asking/pace.ts"
import { withBelievedCounts } from "../../core/asking/believed-counts.ts"
import { isLoopback, worstCaseTokens } from "../../core/asking/prices.ts"
import { serverLimits } from "../../core/asking/rate-limits.ts"
import type { ModelAnswer, ResponseHeaders } from "../../core/contracts/model.ts"
import { ProviderError, ToolkitError } from "../../core/errors.ts"
import { withRetries } from "../../core/retry.ts"
import type { StageContext } from "../context.ts"
import type { Asking } from "./asking.ts"
import type { Answerer, Call, KeyedRequest } from "./request.ts"

/** How long a server on this machine is waited for that nobody can reach: it is not running, or starts just now. */
const deadHereMs = 5000

/**
 * Sends calls, as many at a time as the terms say and as fast as the pace allows, each with its requests in the ledger
 * before. The first failure stops what has not begun; what is in flight is paid for, so its answer is waited for and
 * kept.
 */
export class Sender {
  private readonly context: StageContext
  private readonly purpose: string
  private readonly asking: Asking
  private readonly total: number
  private done: number
  private failure: { readonly error: unknown } | undefined
  private schemaRefused = false
  private countsRefused = false
  /** The last one, of whatever call. */
  private refusal: ProviderError | undefined

  constructor(
    context: StageContext,
    given: { readonly purpose: string; readonly asking: Asking; readonly total: number; readonly done: number },
  ) {
    this.context = context
    this.purpose = given.purpose
    this.asking = given.asking
    this.total = given.total
    this.done = given.done
  }

  async sendAll(answerer: Answerer, requests: readonly KeyedRequest[]): Promise<void> {
    const queue = new PQueue({ concurrency: this.asking.terms.pace.concurrency })
    const sendings = [...answerer.callsOf(requests)].map((call) =>
      queue.add(async () => {
        if (this.failure) return
        await this.send(call, answerer.counted).catch((error: unknown) => {
          this.failure ??= { error }
        })
      }),
    )
    await Promise.allSettled(sendings)
    if (this.failure) throw this.failure.error
  }

  private async send(call: Call, counted: Answerer["counted"]): Promise<void> {
    const answers = await withRetries(() => this.sendInTurn(call), {
      sleep: (milliseconds) => this.sleep(milliseconds),
      random: () => 0.5,
      signal: this.context.signal,
      mostWaitedMs: (error) => (error.isUnreachable && isLoopback(baseUrlOf(call)) ? deadHereMs : undefined),
      onRetry: (error, delayMs) => this.show(`${error.message}; trying again in ${Math.round(delayMs / 1000)} s`),
    })
    this.asking.patience.answered()
    this.noteSchemas(call, answers)
    this.noteCounts(call, answers)
    this.done += answers.length
    this.context.report.progress(`${this.purpose}: ${this.done} of ${this.total} ${counted}`)
  }

  /** A server that is asked too often is asked again when the pace allows it, until nobody has patience any more. */
  private async sendInTurn(call: Call): Promise<readonly ModelAnswer[]> {
    const { patience } = this.asking
    for (;;)
      try {
        return await this.sendOnce(call)
      } catch (error) {
        if (!isBusy(error)) throw error
        this.refusal = error
        patience.refused(this.context.monotonicMs(), error.retryAfterMs)
        this.throwIfImpatient()
        this.show(`${error.message}; refused ${patience.refusals} times in a row`)
      }
  }

  /** One line, which the next one takes the place of. */
  private show(trouble: string): void {
    this.context.report.progress(`${this.purpose}: ${this.done} of ${this.total} answered; ${trouble}`)
  }

  /** A server that does nothing but refuse is left alone: what was answered is kept. */
  private throwIfImpatient(): void {
    const { patience } = this.asking
    const now = this.context.monotonicMs()
    if (this.refusal === undefined || patience.leftMs(now) > 0) return
    const { provider, message, status } = this.refusal
    const seconds = Math.round(patience.lastingMs(now) / 1000)
    throw new ProviderError(`${message}; it refused ${patience.refusals} times in ${seconds} s and answered nothing`, {
      provider,
      ...(status === undefined ? {} : { status }),
      mayHaveCost: false,
      hint:
        "What was answered is kept: run the same command again later to go on. How long such a server is asked " +
        `stands in expand.pace.patienceSeconds of specs/${this.asking.terms.task}.yaml.`,
    })
  }

  private async sendOnce(call: Call): Promise<readonly ModelAnswer[]> {
    const { context } = this
    const { money, pace } = this.asking
    const ticket = await this.turn(call)
    const booked = await money.begin(call.requests, this.purpose, () => this.throwIfStopped())
    const book = (outcome: "refused" | "unknown") => money.settle(booked.map((attempt) => ({ ...attempt, outcome })))
    if (this.isStopped) {
      pace.failed()
      await book("refused")
      this.throwIfStopped()
    }
    pace.left(ticket, context.monotonicMs())
    const onHeaders = (headers: ResponseHeaders) => pace.heard(context.monotonicMs(), ticket, serverLimits(headers))
    let answers: readonly ModelAnswer[]
    try {
      answers = believedAnswers(call, await call.send(context.signal, onHeaders))
    } catch (error) {
      if (isBusy(error)) pace.refused(context.monotonicMs(), ticket, error.retryAfterMs)
      else pace.failed()
      await book(mayHaveCost(error) ? "unknown" : "refused")
      throw error
    }
    pace.answered(ticket, tokensOf(answers))
    await money.settle(
      booked.flatMap((attempt, place) => {
        const answer = answers[place]
        return answer === undefined ? [] : [{ ...attempt, outcome: "answered", answer } as const]
      }),
    )
    return answers
  }

  /** Waits until the pace allows the call. */
  private async turn(call: Call): Promise<Ticket> {
    const { pace, patience } = this.asking
    const size = sizeOf(call)
    for (;;) {
      this.throwIfStopped()
      this.throwIfImpatient()
      const waitMs = pace.waitMs(this.context.monotonicMs(), size)
      if (waitMs <= 0) return pace.sent(this.context.monotonicMs(), size)
      await this.sleep(Math.min(waitMs, patience.leftMs(this.context.monotonicMs())))
    }
  }

  /** Ends early when there is nothing more to wait for. */
  private async sleep(milliseconds: number): Promise<void> {
    const end = this.context.monotonicMs() + milliseconds
    while (!this.isStopped) {
      const left = end - this.context.monotonicMs()
      if (left <= 0) return
      await this.context.sleep(Math.min(left, 250))
    }
  }

  private get isStopped(): boolean {
    return this.failure !== undefined || this.context.signal.aborted
  }

  private throwIfStopped(): void {
    this.context.signal.throwIfAborted()
    if (this.failure) throw this.failure.error
  }

  private noteSchemas(call: Call, answers: readonly ModelAnswer[]): void {
    if (this.schemaRefused || !answers.some((answer) => answer.schemaRefused)) return
    this.schemaRefused = true
    this.context.report.note(
      `${new URL(baseUrlOf(call)).host} takes no JSON Schema: asked without one, so more answers may not fit`,
    )
  }

  private noteCounts(call: Call, answers: readonly ModelAnswer[]): void {
    if (this.countsRefused || !answers.some((answer) => answer.countsRefused)) return
    this.countsRefused = true
    this.context.report.warn(
      `${new URL(baseUrlOf(call)).host} states counts of tokens that cannot be true: such requests are booked at ` +
        "their worst case",
    )
  }
}

function baseUrlOf({ requests }: Call): string {
  return requests[0]?.request.baseUrl ?? ""
}

function isBusy(error: unknown): error is ProviderError {
  return error instanceof ProviderError && error.status === 429 && error.isRetryable
}

/** Whether the server may have worked for an attempt that failed. One that was broken off here may have. */
function mayHaveCost(error: unknown): boolean {
  return error instanceof ProviderError ? error.mayHaveCost : !(error instanceof ToolkitError)
}

/** An answer for each request, in their order, with the counts that can be true. */
function believedAnswers({ requests }: Call, answers: readonly ModelAnswer[]): readonly ModelAnswer[] {
  return requests.map(({ request }, place) => {
    const answer = answers[place]
    if (answer === undefined || answers.length > requests.length)
      throw new Error(`a call of ${requests.length} requests came back with ${answers.length} answers`)
    return withBelievedCounts(request, answer)
  })
}

function sizeOf(call: Call): { readonly inputTokens: number; readonly outputTokens: number } {
  const sizes = call.requests.map(({ request }) => worstCaseTokens(request))
  return {
    inputTokens: sizes.reduce((sum, { inputTokens }) => sum + inputTokens, 0),
    outputTokens: sizes.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
  }
}

/** What all took together; null where the server does not say. */
function tokensOf(answers: readonly ModelAnswer[]): { inputTokens: number | null; outputTokens: number | null } {
  const total = (counts: readonly (number | null)[]) =>
    counts.reduce((sum, count) => (sum === null || count === null ? null : sum + count), 0)
  return {
    inputTokens: total(answers.map(({ inputTokens }) => inputTokens)),
    outputTokens: total(answers.map(({ outputTokens }) => outputTokens)),
  }
}

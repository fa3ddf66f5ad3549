import { BudgetError, UsageError } from "../../core/errors.ts"
import type { Begun, NewBatch, ReachedCeiling, Sending, Settlement } from "../../core/contracts/ledger.ts"
import type { ModelAnswer, ModelRequest } from "../../core/contracts/model.ts"
import { answerCostUsd, type Price, type PriceBook, priceOf, worstCaseUsd } from "../../core/asking/prices.ts"
import { readPrices } from "../../store/prices.ts"
import type { StageContext } from "../context.ts"
import type { KeyedRequest } from "./request.ts"

/**
 * What the questions of one command may cost, and do. Each is booked at its worst case before it is sent, so that no
 * ceiling is ever passed: not that of the command, of the task or of the workspace, not by two commands at once and not
 * by one that was killed. A command's ceiling counts what its requests cost in earlier runs as well.
 */
export class Money {
  private readonly context: StageContext
  private readonly budget: Budget
  private readonly prices: PriceBook
  private readonly counted = new Set<string>()
  private commandUsd = 0
  /** Attempts that are booked and not settled, and those that wait for the ledger to book them. */
  private inFlight = 0
  private reserved = 0
  /** How often something in flight settled, and how often the ledger had no room for what was reserved. */
  private settled = 0
  private givenBack = 0
  private changed = Promise.withResolvers<void>()

  constructor(context: StageContext, budget: Budget) {
    this.context = context
    this.budget = budget
    this.prices = readPrices(context.workspace)
  }

  /**
   * Counts what the requests cost in earlier runs. Throws, before anything is spent, where there is a ceiling and a
   * request that is not answered yet has no known price.
   */
  async include(requests: readonly KeyedRequest[], missing: readonly KeyedRequest[]): Promise<void> {
    const fresh = requests.map(({ key }) => key).filter((key) => !this.counted.has(key))
    for (const key of fresh) this.counted.add(key)
    this.commandUsd += (await this.context.ledger().requests.spendingOf(fresh)).usd
    const unpriced = missing.find(({ request }) => this.priceOf(request) === undefined)?.request
    const ceilings = [
      this.budget.budgetUsd !== undefined ? "--budget-usd" : undefined,
      this.budget.taskCeiling.limitUsd !== undefined ? this.budget.taskCeiling.setting : undefined,
      this.context.workspace.settings.budgets.requestsUsd !== undefined ? "budgets.requestsUsd" : undefined,
    ].filter((name) => name !== undefined)
    if (unpriced === undefined || ceilings.length === 0) return
    throw new UsageError(
      `nobody wrote down what ${unpriced.model} costs at ${new URL(unpriced.baseUrl).host}, and ` +
        `${ceilings.join(" and ")} is a ceiling on the cost`,
      "Put its price into prices.yaml in the workspace:\n  models:\n" +
        `    - { match: ${JSON.stringify(unpriced.model)}, inputUsd: 0.1, outputUsd: 0.4, ` +
        `asOf: ${this.context.now().toISOString().slice(0, 10)}, source: "where it is written" }\n` +
        "the numbers are US dollars for a million tokens.",
    )
  }

  /**
   * The attempts of requests that are sent as one call, in their order, booked and durable. Near a ceiling it waits for
   * what is in flight to cost less than its worst case. Throws a BudgetError when nothing is in flight and they still
   * do not fit, and what `throwIfStopped` throws.
   */
  async begin(
    requests: readonly KeyedRequest[],
    purpose: string,
    throwIfStopped: () => void,
  ): Promise<readonly Booked[]> {
    const sendings = this.sendingsOf(requests, purpose)
    for (;;) {
      throwIfStopped()
      // Room comes of what settles after this; below the command's own ceiling, of what is given back as well.
      const { settled, givenBack } = this
      const begun = await this.tryBegin(sendings)
      if ("attempts" in begun)
        return begun.attempts.flatMap((attempt, place) => {
          const request = requests[place]?.request
          return request === undefined ? [] : [{ attempt, request }]
        })
      const { reached } = begun
      while (this.settled === settled && (reached.scope !== "command" || this.givenBack === givenBack)) {
        if (this.inFlight + this.reserved === 0) throw this.reachedError(reached, sumOf(sendings))
        await this.changed.promise
        throwIfStopped()
      }
    }
  }

  /**
   * The attempts of a new batch of the first requests, as many as fit below every ceiling at their worst. Throws a
   * BudgetError when not even one does.
   */
  async beginBatch(requests: readonly KeyedRequest[], purpose: string, name: string): Promise<number> {
    const sendings = this.sendingsOf(requests, purpose)
    for (let fitting: readonly Sending[] = sendings; ; ) {
      const begun = await this.tryBegin(fitting, { baseUrl: requests[0]?.request.baseUrl ?? "", name })
      if ("attempts" in begun) return fitting.length
      let room = begun.reached.limitUsd - begun.reached.spentUsd
      const most = fitting.findIndex(({ worstUsd }) => {
        room -= worstUsd ?? 0
        return room < 0
      })
      if (most <= 0) throw this.reachedError(begun.reached, sendings[0]?.worstUsd ?? 0)
      fitting = fitting.slice(0, most)
    }
  }

  /** Books what came of attempts, all or none; what is not booked counts at its worst case. */
  async settle(outcomes: readonly Outcome[]): Promise<void> {
    let changeUsd = 0
    const settlements = outcomes.map((outcome): Settlement => {
      const { attempt, request } = outcome
      const worstUsd = this.worstUsd(request) ?? 0
      if (outcome.outcome === "unknown") return { attempt, outcome: "unknown" }
      if (outcome.outcome === "refused") {
        changeUsd -= worstUsd
        return { attempt, outcome: "refused" }
      }
      const { answer } = outcome
      const price = this.priceOf(request)
      const costUsd = price === undefined ? null : answerCostUsd(price, request, answer, this.budget.isBatch)
      changeUsd += (costUsd ?? 0) - worstUsd
      return { attempt, outcome: "answered", answer, costUsd }
    })
    try {
      await this.context.ledger().requests.settle(settlements)
      this.commandUsd += changeUsd
    } finally {
      this.settled++
      this.inFlight -= outcomes.length
      this.wake()
    }
  }

  priceOf(request: ModelRequest): Price | undefined {
    return this.budget.isFree === true ? paidByTheHour : priceOf(request, this.prices)
  }

  worstUsd(request: ModelRequest): number | null {
    const price = this.priceOf(request)
    return price === undefined ? null : worstCaseUsd(price, request, this.budget.isBatch)
  }

  /**
   * Reserves the worst case in this process before anything is awaited: of two at once neither sees the total without
   * the other. What the ledger has no room for is given back.
   */
  private async tryBegin(sendings: readonly Sending[], newBatch?: NewBatch): Promise<Begun> {
    const worstUsd = sumOf(sendings)
    const { budgetUsd, taskCeiling } = this.budget
    if (budgetUsd !== undefined && this.commandUsd + worstUsd > budgetUsd)
      return { reached: { scope: "command", limitUsd: budgetUsd, spentUsd: this.commandUsd } }
    this.commandUsd += worstUsd
    this.reserved += sendings.length
    let isBooked = false
    try {
      const ceilings = {
        taskUsd: taskCeiling.limitUsd,
        workspaceUsd: this.context.workspace.settings.budgets.requestsUsd,
      }
      const begun = await this.context.ledger().requests.begin(sendings, ceilings, newBatch)
      isBooked = "attempts" in begun
      return begun
    } finally {
      this.reserved -= sendings.length
      if (isBooked) this.inFlight += sendings.length
      else {
        this.commandUsd -= worstUsd
        this.givenBack++
        this.wake()
      }
    }
  }

  /** Who waits for room looks again. */
  private wake(): void {
    this.changed.resolve()
    this.changed = Promise.withResolvers()
  }

  private sendingsOf(requests: readonly KeyedRequest[], purpose: string): Sending[] {
    return requests.map(({ key, request, rows }) => ({
      key,
      request,
      rows,
      task: this.budget.task,
      purpose,
      worstUsd: this.worstUsd(request),
    }))
  }

  private reachedError({ scope, limitUsd, spentUsd }: ReachedCeiling, worstUsd: number): BudgetError {
    const { task, taskCeiling } = this.budget
    const [whose, raise] = {
      command: ["this command", "a higher --budget-usd"] as const,
      task: [`task ${task}`, `a higher ${taskCeiling.setting} in specs/${task}.yaml`] as const,
      workspace: ["the workspace", "a higher budgets.requestsUsd in tuneloop.yaml"] as const,
    }[scope]
    return new BudgetError(
      `stopped below the ceiling of ${whose}: ${showUsd(spentUsd)} of ${showUsd(limitUsd)} is spent, and the next ` +
        `request may cost ${showUsd(worstUsd)}`,
      `Run the same command again with ${raise}: what is answered is kept, and is not paid again.`,
    )
  }
}

/** What questions of a command may cost. */
export interface Budget {
  readonly task: string
  /** The most that the questions of this command may cost, in US dollars. */
  readonly budgetUsd?: number | undefined
  /** The most that the task may cost, ever, and the setting that says so. */
  readonly taskCeiling: { readonly limitUsd: number | undefined; readonly setting: string }
  /** Whether they are asked at the price of batches. */
  readonly isBatch: boolean
  /** Whether questions cost nothing by themselves. */
  readonly isFree?: boolean
}

const paidByTheHour = { inputUsd: 0, outputUsd: 0, batchShare: 1, source: "a deployment, which is paid by the hour" }

/** An attempt that is booked, with its request. */
export interface Booked {
  readonly attempt: number
  readonly request: ModelRequest
}

/** What came of an attempt. */
export type Outcome = Booked &
  (
    | { readonly outcome: "answered"; readonly answer: ModelAnswer }
    | { readonly outcome: "refused" }
    | { readonly outcome: "unknown" }
  )

/** Dollars as people read them: cents, or what matters of less. */
export function showUsd(usd: number): string {
  return usd === 0 ? "$0" : usd >= 0.1 ? `$${usd.toFixed(2)}` : `$${usd.toPrecision(2)}`
}

function sumOf(sendings: readonly Sending[]): number {
  return sendings.reduce((sum, { worstUsd }) => sum + (worstUsd ?? 0), 0)
}

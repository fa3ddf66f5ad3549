import { BudgetError, UsageError } from "../../core/errors.ts"
import type { ModelAnswer } from "../../core/contracts/model.ts"
import { answerCostUsd, type Price, type PriceBook, priceOf, worstCaseUsd } from "../../core/asking/prices.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { ReachedCeiling, Sending } from "../../store/ledger/attempts.ts"
import { readPrices } from "../../store/prices.ts"
import type { PlannedRequest } from "./ask.ts"
import type { StageContext } from "../context.ts"

/**
 * What the questions of one command may cost, and do. Each is booked at its worst case before it is sent, so that no
 * ceiling is ever passed: not that of the command, of the task or of the workspace, not by two commands at once and not
 * by one that was killed. A command's ceiling counts what its requests cost in earlier runs as well.
 */
export class Money {
  private readonly context: StageContext
  private readonly task: TaskSpecification
  private readonly budgetUsd: number | undefined
  private readonly isBatch: boolean
  private readonly prices: PriceBook
  private readonly counted = new Set<string>()
  private commandUsd = 0
  private inFlight = 0
  private settled = Promise.withResolvers<void>()

  constructor(
    context: StageContext,
    task: TaskSpecification,
    options: { readonly budgetUsd?: number | undefined; readonly isBatch?: boolean },
  ) {
    this.context = context
    this.task = task
    this.budgetUsd = options.budgetUsd
    this.isBatch = options.isBatch === true
    this.prices = readPrices(context.workspace)
  }

  /**
   * Counts what the requests cost in earlier runs. Throws, before anything is spent, where there is a ceiling and a
   * request that is not answered yet has no known price.
   */
  include(requests: readonly PlannedRequest[], missing: readonly PlannedRequest[]): void {
    const fresh = requests.map(({ key }) => key).filter((key) => !this.counted.has(key))
    this.commandUsd += this.context.ledger().attempts.spendingOf(fresh).usd
    for (const key of fresh) this.counted.add(key)
    const unpriced = missing.find(({ request }) => this.priceOf(request) === undefined)?.request
    const ceilings = [
      this.budgetUsd !== undefined ? "--budget-usd" : undefined,
      this.task.expand.budgetUsd !== undefined ? "expand.budgetUsd" : undefined,
      this.context.workspace.settings.budgets.requestsUsd !== undefined ? "budgets.requestsUsd" : undefined,
    ].filter((name) => name !== undefined)
    if (unpriced === undefined || ceilings.length === 0) return
    throw new UsageError(
      `nobody wrote down what ${unpriced.model} costs at ${new URL(unpriced.baseUrl).host}, and ${ceilings.join(" and ")} is a ceiling on the cost`,
      `Put its price into prices.yaml in the workspace:\n  models:\n    - { match: ${JSON.stringify(unpriced.model)}, inputUsd: 0.1, outputUsd: 0.4, asOf: ${this.context.now().toISOString().slice(0, 10)}, source: "where it is written" }\nthe numbers are US dollars for a million tokens.`,
    )
  }

  /** The request's attempt, booked and durable; it may be sent now. See `beginTogether`. */
  async begin(planned: PlannedRequest, strategy: string, throwIfStopped: () => void): Promise<number> {
    return (await this.beginTogether([planned], strategy, throwIfStopped))[0] as number
  }

  /**
   * The attempts of requests that are sent as one call, in their order, booked and durable. Near a ceiling it waits for
   * what is in flight to cost less than its worst case. Throws a BudgetError when nothing is in flight and they still
   * do not fit, and what `throwIfStopped` throws.
   */
  async beginTogether(
    requests: readonly PlannedRequest[],
    strategy: string,
    throwIfStopped: () => void,
  ): Promise<readonly number[]> {
    const sendings = requests.map(({ key, request }) => ({
      key,
      request,
      task: this.task.task,
      strategy,
      worstUsd: this.worstUsd(request),
    }))
    for (;;) {
      throwIfStopped()
      const begun = this.tryBegin(sendings)
      if ("attempts" in begun) return begun.attempts
      if (this.inFlight === 0) throw reachedError(begun.reached, this.task, sumOf(sendings))
      await this.settled.promise
    }
  }

  /**
   * The attempts of a new batch of the first requests, as many as fit below every ceiling at their worst. Throws a
   * BudgetError when not even one does.
   */
  beginBatch(requests: readonly PlannedRequest[], strategy: string, name: string): number {
    const sendings = requests.map(({ key, request }) => ({
      key,
      request,
      task: this.task.task,
      strategy,
      worstUsd: this.worstUsd(request),
    }))
    for (let fitting: readonly Sending[] = sendings; ; ) {
      const begun = this.tryBegin(fitting, { baseUrl: requests[0]?.request.baseUrl ?? "", name })
      if ("attempts" in begun) return fitting.length
      let room = begun.reached.limitUsd - begun.reached.spentUsd
      const most = fitting.findIndex(({ worstUsd }) => {
        room -= worstUsd ?? 0
        return room < 0
      })
      if (most <= 0) throw reachedError(begun.reached, this.task, sendings[0]?.worstUsd ?? 0)
      fitting = fitting.slice(0, most)
    }
  }

  answered(attempt: number, { request }: Asked, answer: ModelAnswer): void {
    const price = this.priceOf(request)
    const costUsd = price === undefined ? null : answerCostUsd(price, request, answer, this.isBatch)
    this.context.ledger().attempts.answered(attempt, answer, costUsd)
    this.settle((costUsd ?? 0) - (this.worstUsd(request) ?? 0))
  }

  refused(attempt: number, { request }: Asked): void {
    this.context.ledger().attempts.refused(attempt)
    this.settle(-(this.worstUsd(request) ?? 0))
  }

  unknown(attempt: number): void {
    this.context.ledger().attempts.unknown(attempt)
    this.settle(0)
  }

  priceOf(request: PlannedRequest["request"]): Price | undefined {
    return priceOf(request, this.prices)
  }

  worstUsd(request: PlannedRequest["request"]): number | null {
    const price = this.priceOf(request)
    return price === undefined ? null : worstCaseUsd(price, request, this.isBatch)
  }

  private tryBegin(
    sendings: readonly Sending[],
    newBatch?: { readonly baseUrl: string; readonly name: string },
  ): { readonly attempts: readonly number[] } | { readonly reached: ReachedCeiling } {
    const worstUsd = sumOf(sendings)
    if (this.budgetUsd !== undefined && this.commandUsd + worstUsd > this.budgetUsd)
      return { reached: { scope: "command", limitUsd: this.budgetUsd, spentUsd: this.commandUsd } }
    const begun = this.context.ledger().attempts.begin(
      sendings,
      {
        taskUsd: this.task.expand.budgetUsd,
        workspaceUsd: this.context.workspace.settings.budgets.requestsUsd,
      },
      newBatch,
    )
    if ("attempts" in begun) {
      this.commandUsd += worstUsd
      this.inFlight += sendings.length
    }
    return begun
  }

  private settle(changeUsd: number): void {
    this.commandUsd += changeUsd
    this.inFlight--
    this.settled.resolve()
    this.settled = Promise.withResolvers()
  }
}

type Asked = Pick<PlannedRequest, "request">

/** Dollars as people read them: cents, or what matters of less. */
export function showUsd(usd: number): string {
  return usd === 0 ? "$0" : usd >= 0.1 ? `$${usd.toFixed(2)}` : `$${usd.toPrecision(2)}`
}

function sumOf(sendings: readonly Sending[]): number {
  return sendings.reduce((sum, { worstUsd }) => sum + (worstUsd ?? 0), 0)
}

function reachedError(
  { scope, limitUsd, spentUsd }: ReachedCeiling,
  task: TaskSpecification,
  worstUsd: number,
): BudgetError {
  const [whose, raise] = {
    command: ["this command", "a higher --budget-usd"],
    task: [`task ${task.task}`, `a higher expand.budgetUsd in specs/${task.task}.yaml`],
    workspace: ["the workspace", "a higher budgets.requestsUsd in tuneloop.yaml"],
  }[scope] as [string, string]
  return new BudgetError(
    `stopped below the ceiling of ${whose}: ${showUsd(spentUsd)} of ${showUsd(limitUsd)} is spent, and the next request may cost ${showUsd(worstUsd)}`,
    `Run the same command again with ${raise}: what is answered is kept, and is not paid again.`,
  )
}

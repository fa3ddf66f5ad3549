import { Pace } from "../../core/asking/pace.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { StageContext } from "../context.ts"
import { Money } from "./money.ts"

export interface AskingOptions {
  /** The most that the questions of this command may cost, in US dollars, earlier runs of the same command counted. */
  readonly budgetUsd?: number | undefined
  /** Whether they go to the provider together, to be answered later. */
  readonly batch?: boolean | undefined
  /** Whether a batch is waited for. */
  readonly wait?: boolean | undefined
}

/** What all questions of one command share: what they may cost, and how fast they go. */
export class Asking {
  readonly money: Money
  readonly pace: Pace
  readonly isBatch: boolean
  readonly waits: boolean

  constructor(context: StageContext, task: TaskSpecification, options: AskingOptions = {}) {
    this.isBatch = options.batch === true
    this.waits = options.wait === true
    this.money = new Money(context, task, { budgetUsd: options.budgetUsd, isBatch: this.isBatch })
    this.pace = new Pace(task.expand.pace)
  }
}

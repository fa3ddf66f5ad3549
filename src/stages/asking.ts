import { Pace } from "../core/pace.ts"
import type { TaskSpecification } from "../core/task.ts"
import type { StageContext } from "./context.ts"
import { Money } from "./money.ts"

export interface AskingOptions {
  /** The most that the questions of this command may cost, in US dollars, earlier runs of the same command counted. */
  readonly budgetUsd?: number | undefined
}

/** What all questions of one command share: what they may cost, and how fast they go. */
export class Asking {
  readonly money: Money
  readonly pace: Pace

  constructor(context: StageContext, task: TaskSpecification, options: AskingOptions = {}) {
    this.money = new Money(context, task, options)
    this.pace = new Pace(task.expand.pace)
  }
}

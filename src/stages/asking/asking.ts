import { Pace } from "../../core/asking/pace.ts"
import { Patience } from "../../core/asking/patience.ts"
import type { StageContext } from "../context.ts"
import { Money } from "./money.ts"

/** On which terms a command asks for a task: how fast, for how much, and whether now or in batches. */
export interface AskingTerms {
  readonly task: string
  readonly pace: {
    /** How many calls may be in flight. */
    readonly concurrency: number
    readonly requestsPerMinute?: number | undefined
    readonly tokensPerMinute?: number | undefined
    /** For how long a server is asked that only refuses, beyond the longest wait that it asks for. */
    readonly patienceSeconds: number
  }
  /** The most that the questions of this command may cost, in US dollars, earlier runs of the same command counted. */
  readonly budgetUsd?: number | undefined
  /** The most that the task may cost, ever, and the setting that says so. */
  readonly taskCeiling: { readonly limitUsd: number | undefined; readonly setting: string }
  /** Whether questions cost nothing by themselves: what answers them is paid by the hour. */
  readonly isFree?: boolean | undefined
  /** Whether they go to the provider together, to be answered later. */
  readonly batch?: boolean | undefined
  /** Whether a batch is waited for. */
  readonly wait?: boolean | undefined
  /** Whether what was answered without a text is asked again; each once in the command. */
  readonly retryEmpty?: boolean | undefined
  /** The command that takes in the answers of the purpose's batches. */
  comeBack(purpose: string): string
}

/** What all questions of one command share: what they may cost, and how fast they go. */
export class Asking {
  readonly terms: AskingTerms
  readonly money: Money
  readonly pace: Pace
  readonly patience: Patience
  readonly isBatch: boolean
  readonly waits: boolean
  /** What was answered without a text before, and is asked again in this command. */
  private readonly repeated = new Set<string>()

  constructor(context: StageContext, terms: AskingTerms) {
    this.terms = terms
    this.isBatch = terms.batch === true
    this.waits = terms.wait === true
    const { task, budgetUsd, taskCeiling, isFree = false } = terms
    this.money = new Money(context, { task, budgetUsd, taskCeiling, isBatch: this.isBatch, isFree })
    this.pace = new Pace(terms.pace)
    this.patience = new Patience(1000 * terms.pace.patienceSeconds)
  }

  /** Of the keys those that this command did not ask again yet. */
  notRepeated(keys: readonly string[]): string[] {
    return keys.filter((key) => !this.repeated.has(key))
  }

  noteRepeated(keys: readonly string[]): void {
    for (const key of keys) this.repeated.add(key)
  }
}

import type { MetricPoint } from "../../core/training/run.ts"
import type { Comparison } from "../scores/comparisons.ts"
import type { Confusion } from "../scores/confusion.ts"
import type { ContenderScores } from "../scores/contenders.ts"
import type { Wear } from "../verdict/wear.ts"
import type { PrevalenceScores } from "../scores/prevalence.ts"
import type { OutOfScope } from "../scores/slices.ts"
import type { Verdict } from "../verdict/verdict.ts"

/**
 * Everything a report shows, as plain data that JSON can carry. Texts are shown as they are; nothing in them is read as
 * HTML.
 */
export interface ReportData {
  readonly task: string
  /** What the model must do, from the specification. */
  readonly description: string
  readonly job: string
  readonly run: string
  readonly evaluation: string
  readonly verdict: Verdict
  /** The metric that decides. */
  readonly metric: string
  /** The contender to beat. */
  readonly incumbent: string
  /** The confidence of all intervals. */
  readonly confidence: number
  readonly notes: readonly string[]
  /** In the order they are shown. */
  readonly contenders: readonly ContenderScores[]
  /** What the names of contenders stand for. */
  readonly explained: Readonly<Record<string, string>>
  readonly comparisons: readonly Comparison[]
  /** The tuned model's answers on the test set; for label tasks. */
  readonly confusion?: Confusion | undefined
  /** The figures at the true prevalence, where the specification gives it. */
  readonly prevalence?: PrevalenceScores | undefined
  /** What is in scope and what is not, apart; for label tasks that have a label for the latter. */
  readonly outOfScope?: OutOfScope | undefined
  /** What training logged: `loss` and, where it was measured, `evalLoss`. */
  readonly training: readonly MetricPoint[]
  readonly failures: ReportFailures
  readonly provenance: ReportProvenance
}

/** What the tuned model got wrong on the validation set; never test rows. */
export interface ReportFailures {
  readonly validationRows: number
  /** How many of them were answered wrongly; at least as many as are shown. */
  readonly wrong: number
  readonly shown: readonly {
    readonly id: string
    readonly input: string
    readonly expected: string
    readonly answer: string
    readonly isReadable: boolean
  }[]
}

/** Where the figures come from. */
export interface ReportProvenance {
  readonly dataset: string
  readonly holdout: string
  readonly prompt: string
  readonly baseModel: string
  readonly revision?: string | null | undefined
  readonly backend: string
  readonly method: Readonly<Record<string, unknown>>
  readonly hyperparameters: Readonly<Record<string, unknown>>
  readonly seed: number
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number }
  readonly planDigest: string
  /** How often the test set has been opened, this evaluation included. */
  readonly testOpenings: number
  /** How worn the test set is after it. */
  readonly wear?: Wear | undefined
  /** The test rows that were left out because a contender has seen them. */
  readonly tainted?: readonly {
    readonly id: string
    readonly check: string
    readonly train: string
    readonly contenders: readonly string[]
  }[]
  readonly leaks?: { readonly checks: readonly string[]; readonly found: number } | undefined
  readonly trainingSeconds?: number | null | undefined
  /** The machine that trained, in words; absent where the run does not say. */
  readonly trainedOn?: string | undefined
  /** The machine that evaluated, in words. */
  readonly evaluatedOn?: string | undefined
  readonly toolVersion: string
  /** When the evaluation ended, UTC. */
  readonly at: string
}

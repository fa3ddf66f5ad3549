import type { Estimate, TrainingPlan } from "../core/contracts/backend.ts"
import type { Ledger } from "../core/contracts/ledger.ts"
import type { Workspace } from "../store/workspace.ts"

/**
 * What every stage is given: nothing below the command line reads the clock, the environment or the terminal on its
 * own.
 */
export interface StageContext {
  readonly workspace: Workspace
  /** Opens the ledger on the first call, and makes it where there is none. */
  readonly ledger: () => Ledger
  /** The ledger for whoever only reads: where there is none it is empty, and none is made. */
  readonly readLedger: () => Ledger
  readonly now: () => Date
  /** Milliseconds of a clock that only goes forward. */
  readonly monotonicMs: () => number
  readonly sleep: (milliseconds: number) => Promise<void>
  readonly signal: AbortSignal
  readonly toolVersion: string
  /** Resolves when whoever runs this agrees to pay; an error says that they do not, or that nobody can be asked. */
  readonly consent: (act: PaidTraining) => Promise<void>
  readonly report: Reporter
}

/** A training that is about to cost money. */
export interface PaidTraining {
  readonly backend: string
  readonly plan: TrainingPlan
  readonly planDigest: string
  readonly estimate: Estimate
  /** Whether it costs money and nobody knows how much. */
  readonly isUnpriced?: boolean
  /** What the service itself asks, where that is more than what was agreed to; its rows are there already. */
  readonly raised?: { readonly agreedUsd: number; readonly askedUsd: number }
  /** What to know of the backend before it is paid. */
  readonly notes?: readonly string[] | undefined
  /** The first row, as it is sent. */
  readonly firstRow: string
}

/** Where a stage tells a person how it goes; nothing a program would read. */
export interface Reporter {
  /** A line that stays. */
  note(message: string): void
  /** A line that stays and that a person should look at. */
  warn(message: string): void
  /** How far a long piece of work is; replaces the last one on a terminal. */
  progress(message: string): void
}

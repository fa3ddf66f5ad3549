import type { LeaseTerms } from "../training/lease.ts"
import type { Lease } from "../training/leases.ts"
import type { RunEvent, RunEventBody } from "../training/run.ts"
import type { TrainingSpending } from "../training/spending.ts"
import type { ModelAnswer, ModelRequest } from "./model.ts"

/**
 * What was done and must not be done twice. Every write is durable when its promise resolves, and happens whole or not
 * at all. Several processes may use one ledger at once: whatever is checked and then written is one call.
 */
export interface Ledger {
  /** Whether it can only be read: nobody may write where it lies. */
  readonly isReadOnly: boolean
  readonly runs: RunLedger
  readonly requests: RequestLedger
  readonly openings: OpeningLedger
  readonly exports: ExportLedger
  /**
   * Nothing of what was erased is left in the file's free pages or in its journal. `busy`: another process reads it
   * just now and keeps the old pages; the next call finishes. Does nothing where nothing was erased since the last
   * time.
   */
  scrub(): Promise<"clean" | "busy">
  /** What is wrong with the ledger; empty when it is sound. */
  verify(): Promise<string[]>
  close(): Promise<void>
}

/** The runs, their submissions, and what their backends reported. */
export interface RunLedger {
  /** Names a run of the plan, once: a second call with the same id changes nothing. */
  create(run: Omit<LedgerRun, "createdAt">): Promise<void>
  /** The runs, newest first. */
  list(filter?: Partial<Pick<LedgerRun, "plan" | "job" | "task">>): Promise<LedgerRun[]>
  /** The run's events, in their order. */
  events(run: string): Promise<RunEvent[]>
  /** Where the last poll of the run ended. */
  cursor(run: string): Promise<string | undefined>
  /**
   * Appends events and moves the poll's cursor in one step, so that a crash between never repeats or loses one. When
   * `expected` is given and the cursor is another by now (a second watcher was faster), nothing is written and false is
   * returned.
   */
  appendEvents(
    run: string,
    bodies: readonly RunEventBody[],
    cursor?: { readonly expected: string | undefined; readonly next: string },
  ): Promise<boolean>
  /**
   * Appends the event of a submit when no other process did, and when what it will cost passes no ceiling: two commands
   * at once never start the same attempt, and never pass a ceiling together.
   */
  beginSubmission(
    run: string,
    submissionKey: string,
    attempt: number,
    reservation?: TrainingReservation,
  ): Promise<BegunSubmission>
  /**
   * Appends what a person says of a submission, while it is open what came of it and by no other key; false, and
   * nothing is written, where it is not open any more. Of two words at once, on whatever machines, one counts.
   */
  resolveSubmission(run: string, submissionKey: string, word: readonly RunEventBody[]): Promise<boolean>
  /**
   * What the service says that a submission will cost stands in the place of its estimate, unless it passes a ceiling:
   * two commands at once never pass one together.
   */
  reviseEstimate(
    run: string,
    submissionKey: string,
    usd: number,
    ceilings: TrainingReservation["ceilings"],
  ): Promise<RevisedEstimate>
  /** What trainings cost, of the whole workspace or of one job. */
  spending(job?: string): Promise<TrainingSpending>
  /**
   * Appends the event of a deployment when the run has no lease that is not over, and when what it may cost to its end
   * passes no ceiling: two commands at once never deploy one run twice, and never pass the ceiling together.
   */
  beginLease(run: string, terms: LeaseTerms, ceilingUsd?: number): Promise<BegunLease>
  /**
   * No event of the run says one of the texts any more: where one stood is `[erased]`. Returns how many events changed.
   * `Ledger.scrub` follows.
   */
  eraseTexts(run: string, texts: readonly string[]): Promise<number>
  /** Every lease of every run, oldest first in each, or those of one run. */
  leases(run?: string): Promise<readonly Lease[]>
}

/** `taken`: the run has a lease that is not over. `reached`: nothing was begun, for it would pass this ceiling. */
export type BegunLease =
  | "begun"
  | "taken"
  | { readonly reached: { readonly limitUsd: number; readonly spentUsd: number } }

/** What a submit will cost, and what all may have cost by then. */
export interface TrainingReservation {
  /** Undefined where nobody knows: it counts nothing. */
  readonly estimateUsd: number | undefined
  readonly ceilings: { readonly jobUsd?: number | undefined; readonly workspaceUsd?: number | undefined }
}

/** `taken`: another process began the attempt. `reached`: nothing was begun, for it would pass this ceiling. */
export type BegunSubmission = "begun" | "taken" | { readonly reached: ReachedTrainingCeiling }

/** `reached`: the estimate is as it was, for the training would pass this ceiling. */
export type RevisedEstimate = "revised" | { readonly reached: ReachedTrainingCeiling }

export interface ReachedTrainingCeiling {
  readonly scope: "job" | "workspace"
  readonly limitUsd: number
  readonly spending: TrainingSpending
}

export interface LedgerRun {
  readonly run: string
  readonly job: string
  readonly task: string
  readonly plan: string
  readonly createdAt: string
}

/**
 * The requests to models, each sending as an attempt of its own, their answers and their cost. An attempt counts at its
 * worst case from before it is sent until it is known what it cost: a process that dies leaves it so.
 */
export interface RequestLedger {
  /** The recorded answers, by key; without those that have none. */
  answers(keys: Iterable<string>): Promise<ReadonlyMap<string, ModelAnswer>>
  /** Of the keys those that have an answer. */
  answered(keys: Iterable<string>): Promise<ReadonlySet<string>>
  /** The requests as they were sent, with their answers, by key. */
  find(keys: Iterable<string>): Promise<ReadonlyMap<string, LedgerRequest>>
  /**
   * What a task's model was asked and answered, in the order of asking; without what was erased, and without questions
   * with the purpose `recorded:…` or `evaluated:…`, which may show held-out rows.
   */
  recording(task: string): Promise<{ request: ModelRequest; answer: ModelAnswer }[]>
  totals(task?: string): Promise<RequestTotals>
  /**
   * The keys of the task's requests whose prompt or answer says one of the texts, in any case; `withoutRows` leaves out
   * those of which it is known what rows they showed.
   */
  saying(task: string, texts: readonly string[], options?: { readonly withoutRows?: boolean }): Promise<string[]>
  /** The keys of the task's requests that showed one of the rows; without those that were erased. */
  showing(task: string, rows: Iterable<string>): Promise<string[]>
  /** Nothing of what the requests said is left; their tokens are, and that they were sent. `Ledger.scrub` follows. */
  erase(keys: readonly string[]): Promise<void>
  /** No request of the task is sent any more that shows one of the rows, or has one of the keys. */
  forbid(task: string, names: { readonly rows: Iterable<string>; readonly keys: Iterable<string> }): Promise<void>

  /**
   * Records that the requests are about to be sent, all or none: none when a ceiling would be passed, which is
   * returned. Two processes never pass it together. With a new batch they belong to it: its submission key is its name
   * and the number of batches before it. Throws where a request is forbidden: rows were erased since it was made.
   */
  begin(sendings: readonly Sending[], ceilings?: Ceilings, newBatch?: NewBatch): Promise<Begun>
  /** The requests count as unanswered, all or none: they may be sent again. What their answers cost stays. */
  reopen(keys: readonly string[]): Promise<void>
  /**
   * What came of attempts, all or none. An answer is kept until it is reopened; of an erased request only its cost is.
   */
  settle(settlements: readonly Settlement[]): Promise<void>
  /**
   * Books as unknown what was in flight when its process died. Only whoever holds the task's right to ask may say so:
   * then nothing of the task is in flight. What is in a batch is not in flight.
   */
  bookLost(task: string): Promise<{ readonly attempts: number; readonly usd: number }>

  /**
   * The task's batches that have not ended, oldest first, with their attempts that are not settled; without erased
   * requests.
   */
  openBatches(task: string): Promise<OpenBatch[]>
  /** The provider has it, under this id. */
  batchSubmitted(batch: number, remote: string): Promise<void>
  /** Nothing more comes of it. What is not settled by now was erased meanwhile: it stays at its worst case. */
  batchEnded(batch: number, state: string): Promise<void>

  /** What was spent, with what is in flight or unknown at its worst case; what has no known price counts nothing. */
  spentUsd(task?: string): Promise<number>
  /** What the requests have cost so far, all their attempts together. */
  spendingOf(keys: Iterable<string>): Promise<Spending>
  /** Every task and purpose that asked a model, with what it took. */
  spendingByPurpose(): Promise<(Spending & { readonly task: string; readonly purpose: string })[]>
}

/** A request to a model. */
export interface LedgerRequest {
  readonly key: string
  readonly task: string
  readonly purpose: string
  readonly sentAt: string
  readonly attempts: number
  readonly answeredAt?: string
  /** An erasure took what it said, and what was answered. */
  readonly isErased: boolean
  readonly request?: ModelRequest
  readonly answer?: ModelAnswer
}

export interface RequestTotals {
  readonly requests: number
  readonly sent: number
  readonly answered: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** A request that is about to be sent; `worstUsd` is null where its price is not known. */
export interface Sending {
  readonly key: string
  readonly request: ModelRequest
  readonly task: string
  readonly purpose: string
  readonly worstUsd: number | null
  /** The ids of the rows that it shows. */
  readonly rows?: readonly string[] | undefined
}

/** The most that a task and that the whole workspace may have spent, ever. */
export interface Ceilings {
  readonly taskUsd?: number | undefined
  readonly workspaceUsd?: number | undefined
}

export interface NewBatch {
  readonly baseUrl: string
  readonly name: string
}

/** The attempts in the order of the sendings, or the ceiling that they would have passed. */
export type Begun = { readonly attempts: readonly number[] } | { readonly reached: ReachedCeiling }

export interface ReachedCeiling {
  readonly scope: "command" | "task" | "workspace"
  readonly limitUsd: number
  readonly spentUsd: number
}

/**
 * `refused`: the server did nothing for it. `unknown`: nobody knows whether the server did the work, so it stays at its
 * worst case. `costUsd` is null where nobody knows the price.
 */
export type Settlement =
  | {
      readonly attempt: number
      readonly outcome: "answered"
      readonly answer: ModelAnswer
      readonly costUsd: number | null
    }
  | { readonly attempt: number; readonly outcome: "refused" | "unknown" }

export interface OpenBatch {
  readonly batch: number
  readonly submissionKey: string
  /** Undefined where it is not known whether the provider has it. */
  readonly remote: string | undefined
  readonly createdAt: string
  readonly attempts: readonly BatchedAttempt[]
}

export interface BatchedAttempt {
  readonly attempt: number
  readonly key: string
  readonly request: ModelRequest
}

/**
 * `unpriced` attempts have no known price; `unknown` ones may or may not have been paid; of `uncounted` ones the server
 * stated no count of tokens, or none that can be true: they are booked at their worst case.
 */
export interface Spending {
  readonly attempts: number
  readonly usd: number
  readonly unpriced: number
  readonly unknown: number
  readonly uncounted: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** For what the test rows of each holdout were opened. */
export interface OpeningLedger {
  /** Records that the test rows of a holdout were opened for an evaluation; the same evaluation opens them once. */
  record(opening: {
    readonly task: string
    readonly holdout: string
    readonly evaluation: string
    readonly purpose: string
  }): Promise<void>
  /** The openings of a holdout, oldest first. */
  of(holdout: string): Promise<{ readonly at: string; readonly evaluation: string; readonly purpose: string }[]>
}

/** The files outside the versions' folders that rows were written to. */
export interface ExportLedger {
  /**
   * Records that rows of a version were written to a file; the same file with the same bytes once. Called before the
   * file has its name: an erasure must know of every copy.
   */
  record(entry: Omit<LedgerExport, "at">): Promise<void>
  /** The exports of a task, oldest first. */
  of(task: string): Promise<LedgerExport[]>
}

/** What stands in the place of the split where the file is a sheet that reviewers fill in; it has no version. */
export const reviewSplit = "review"

/** A file that rows of a version were exported to; `path` is relative to the workspace where it lies in it. */
export interface LedgerExport {
  readonly at: string
  readonly task: string
  readonly version: string
  readonly holdout: string
  readonly format: string
  readonly split: string
  readonly path: string
  readonly rows: number
  readonly digest: string
}

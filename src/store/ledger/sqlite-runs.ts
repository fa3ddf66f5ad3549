import type { DatabaseSync } from "node:sqlite"
import type {
  BegunLease,
  BegunSubmission,
  LedgerRun,
  ReachedTrainingCeiling,
  RevisedEstimate,
  RunLedger,
  TrainingReservation,
} from "../../core/contracts/ledger.ts"
import type { LeaseTerms } from "../../core/training/lease.ts"
import { type Lease, leasesOf, reachedLeaseCeiling } from "../../core/training/leases.ts"
import { isUnsettled, reduceRun, type RunEvent, type RunEventBody } from "../../core/training/run.ts"
import { attemptCosts, spendingOf, type TrainingSpending } from "../../core/training/spending.ts"
import { readEvent, type EventRow } from "./kept-json.ts"
import { eraseInEvents } from "./sqlite-erasure.ts"
import { inTransaction, select } from "./sqlite-statements.ts"

/** Runs, submissions and events in SQLite. */
export class SqliteRuns implements RunLedger {
  private readonly database: DatabaseSync
  private readonly now: () => Date

  constructor(database: DatabaseSync, now: () => Date) {
    this.database = database
    this.now = now
  }

  async create({ run, job, task, plan }: Omit<LedgerRun, "createdAt">): Promise<void> {
    inTransaction(this.database, () => {
      const inserted = this.database
        .prepare("insert or ignore into runs (run, job, task, plan, created_at) values (?, ?, ?, ?, ?)")
        .run(run, job, task, plan, this.timestamp())
      if (inserted.changes > 0) this.insertEvents(run, [{ type: "planned", plan }])
    })
  }

  async list({ plan, job, task }: Partial<Pick<LedgerRun, "plan" | "job" | "task">> = {}): Promise<LedgerRun[]> {
    return select(
      this.database,
      `select run, job, task, plan, created_at as createdAt from runs
       where plan = coalesce(?, plan) and job = coalesce(?, job) and task = coalesce(?, task)
       order by created_at desc, run desc`,
      plan ?? null,
      job ?? null,
      task ?? null,
    )
  }

  async events(run: string): Promise<RunEvent[]> {
    return eventsOf(this.database, run)
  }

  async eraseTexts(run: string, texts: readonly string[]): Promise<number> {
    return eraseInEvents(this.database, run, texts)
  }

  async cursor(run: string): Promise<string | undefined> {
    return this.cursorOf(run)
  }

  async appendEvents(
    run: string,
    bodies: readonly RunEventBody[],
    cursor?: { readonly expected: string | undefined; readonly next: string },
  ): Promise<boolean> {
    return inTransaction(this.database, () => {
      if (cursor && this.cursorOf(run) !== cursor.expected) return false
      this.insertEvents(run, bodies)
      if (cursor)
        this.database
          .prepare(
            "insert into run_cursors (run, cursor) values (?, ?) on conflict (run) do update set cursor = " +
              "excluded.cursor",
          )
          .run(run, cursor.next)
      return true
    })
  }

  async beginSubmission(
    run: string,
    submissionKey: string,
    attempt: number,
    { estimateUsd, ceilings }: TrainingReservation = { estimateUsd: undefined, ceilings: {} },
  ): Promise<BegunSubmission> {
    return inTransaction(this.database, () => {
      const taken = eventsOf(this.database, run).some(
        (event) => event.type === "submitting" && event.attempt >= attempt,
      )
      if (taken) return "taken"
      const reached = this.reachedCeiling(run, estimateUsd ?? 0, ceilings)
      if (reached !== undefined) return { reached }
      // What costs nothing is written as it was before there were ceilings.
      const estimated = estimateUsd ? { estimateUsd } : {}
      this.insertEvents(run, [{ type: "submitting", submissionKey, attempt, ...estimated }])
      return "begun"
    })
  }

  async resolveSubmission(run: string, submissionKey: string, word: readonly RunEventBody[]): Promise<boolean> {
    return inTransaction(this.database, () => {
      const now = reduceRun(run, eventsOf(this.database, run))
      if (!isUnsettled(now) || now.submissionKey !== submissionKey) return false
      this.insertEvents(run, word)
      return true
    })
  }

  async reviseEstimate(
    run: string,
    submissionKey: string,
    usd: number,
    ceilings: TrainingReservation["ceilings"],
  ): Promise<RevisedEstimate> {
    return inTransaction(this.database, () => {
      const reached = this.reachedCeiling(run, usd, ceilings, submissionKey)
      if (reached !== undefined) return { reached }
      const known = attemptCosts(eventsOf(this.database, run)).find((each) => each.submissionKey === submissionKey)
      if (known?.estimateUsd !== usd) this.insertEvents(run, [{ type: "estimated", submissionKey, estimateUsd: usd }])
      return "revised"
    })
  }

  async spending(job?: string): Promise<TrainingSpending> {
    return spendingIn(this.database, job)
  }

  async beginLease(run: string, terms: LeaseTerms, ceilingUsd?: number): Promise<BegunLease> {
    return inTransaction(this.database, () => {
      if (leasesIn(this.database, run).some(({ state }) => state !== "over")) return "taken"
      const reached = reachedLeaseCeiling(leasesIn(this.database), terms, ceilingUsd, this.now())
      if (reached !== undefined) return { reached }
      this.insertEvents(run, [{ type: "deploying", lease: terms }])
      return "begun"
    })
  }

  async leases(run?: string): Promise<readonly Lease[]> {
    return leasesIn(this.database, run)
  }

  private reachedCeiling(
    run: string,
    estimateUsd: number,
    { jobUsd, workspaceUsd }: TrainingReservation["ceilings"],
    ownSubmission?: string,
  ): ReachedTrainingCeiling | undefined {
    const [known] = select<{ job: string }>(this.database, "select job from runs where run = ?", run)
    for (const [scope, limitUsd, job] of [
      ["job", jobUsd, known?.job],
      ["workspace", workspaceUsd, undefined],
    ] as const) {
      if (limitUsd === undefined) continue
      const spending = spendingIn(this.database, job, ownSubmission)
      if (spending.endedUsd + spending.openUsd + estimateUsd > limitUsd) return { scope, limitUsd, spending }
    }
    return undefined
  }

  private cursorOf(run: string): string | undefined {
    return select<{ cursor: string }>(this.database, "select cursor from run_cursors where run = ?", run)[0]?.cursor
  }

  private insertEvents(run: string, bodies: readonly RunEventBody[]): void {
    const [newest] = select<{ last: number | null }>(
      this.database,
      "select max(sequence) as last from run_events where run = ?",
      run,
    )
    const next = (newest?.last ?? 0) + 1
    const insert = this.database.prepare(
      "insert into run_events (run, sequence, at, type, body) values (?, ?, ?, ?, ?)",
    )
    for (const [index, { type, ...body }] of bodies.entries())
      insert.run(run, next + index, this.timestamp(), type, JSON.stringify(body))
  }

  private timestamp(): string {
    return this.now().toISOString()
  }
}

/** The leases of all runs or of one, each run's in their order. */
function leasesIn(database: DatabaseSync, run?: string): readonly Lease[] {
  const rows = select<EventRow & { readonly at: string; readonly run: string }>(
    database,
    `select run, sequence, at, type, body from run_events
     where type in ('deploying', 'deployed', 'undeploying', 'undeployed') and run = coalesce(?, run)
     order by run, sequence`,
    run ?? null,
  )
  const ofRun = Map.groupBy(
    rows.map((row) => eventOf(database, row.run, row)),
    (event) => event.run,
  )
  return [...ofRun.values()].flatMap(leasesOf)
}

/** Without the submission of this key. The events of metrics are most of all, and say nothing of money. */
function spendingIn(database: DatabaseSync, job: string | undefined, without?: string): TrainingSpending {
  const rows = select<EventRow & { readonly at: string; readonly run: string }>(
    database,
    `select run, sequence, at, type, body from run_events join runs using (run)
     where type != 'metric-logged' and job = coalesce(?, job) order by run, sequence`,
    job ?? null,
  )
  const ofRun = Map.groupBy(
    rows.map((row) => eventOf(database, row.run, row)),
    ({ run }) => run,
  )
  return spendingOf([...ofRun.values()].flatMap(attemptCosts).filter(({ submissionKey }) => submissionKey !== without))
}

/** The run's events, in their order. */
export function eventsOf(database: DatabaseSync, run: string): RunEvent[] {
  return select<EventRow & { at: string }>(
    database,
    "select sequence, at, type, body from run_events where run = ? order by sequence",
    run,
  ).map((row) => eventOf(database, run, row))
}

function eventOf(database: DatabaseSync, run: string, row: EventRow & { readonly at: string }): RunEvent {
  return { run, sequence: row.sequence, at: row.at, ...readEvent(database, run, row) }
}

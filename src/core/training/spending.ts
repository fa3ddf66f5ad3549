import { isTerminal, type RunEvent } from "./run.ts"

/** What trainings cost, as far as anybody knows: what is not known counts at its estimate. */
export interface TrainingSpending {
  /** Of attempts that are over. */
  readonly endedUsd: number
  /** Of attempts that go on, or of which it is not known whether they do. */
  readonly openUsd: number
  /** Attempts with a job of which neither estimate nor cost is known: they count nothing. */
  readonly unknown: number
}

/** One submission of a run, with what it was thought to cost and what it cost. */
export interface AttemptCost {
  readonly attempt: number
  readonly submissionKey: string
  readonly estimateUsd: number | undefined
  readonly costUsd: number | undefined
  readonly isOver: boolean
  /** Whether a job was created; an attempt that is not over may have one all the same. */
  readonly hasJob: boolean
}

/** The attempts of a run by its events, in order. A cost belongs to the attempt that was the last one then. */
export function attemptCosts(events: readonly RunEvent[]): readonly AttemptCost[] {
  let attempts: readonly AttemptCost[] = []
  for (const event of events)
    if (event.type === "submitting") {
      const { attempt, submissionKey, estimateUsd } = event
      const costUsd = undefined
      attempts = [...attempts, { attempt, submissionKey, estimateUsd, costUsd, isOver: false, hasJob: false }]
    } else attempts = changed(attempts, event)
  return attempts
}

function changed(attempts: readonly AttemptCost[], event: RunEvent): readonly AttemptCost[] {
  const last = attempts.at(-1)
  const of = (key: string) => attempts.find(({ submissionKey }) => submissionKey === key)
  const change = (attempt: AttemptCost | undefined, changes: Partial<AttemptCost>) =>
    attempts.map((known) => (known === attempt ? { ...known, ...changes } : known))
  switch (event.type) {
    case "estimated":
      return change(of(event.submissionKey), { estimateUsd: event.estimateUsd })
    case "submitted":
      return change(of(event.job.submissionKey) ?? last, { hasJob: true, isOver: false })
    case "started":
      return change(last, { isOver: false })
    case "state-changed":
      return change(last, { isOver: isTerminal(event.state) })
    case "cost":
      return change(last, { costUsd: (last?.costUsd ?? 0) + event.usd })
    case "late-job-ended": {
      const late = of(event.submissionKey)
      return change(late, { isOver: true, ...(event.usd === undefined ? {} : { costUsd: event.usd }) })
    }
    case "resolved":
      return event.outcome === "created" ? attempts : change(of(event.submissionKey), { isOver: true })
    default:
      return attempts
  }
}

/** What a run was thought to cost and what it cost, all its attempts together; null where nobody knows. */
export interface RunCost {
  readonly estimateUsd: number | null
  readonly costUsd: number | null
}

/** Of attempts that had no job nothing was owed. */
export function runCost(events: readonly RunEvent[]): RunCost {
  const attempts = attemptCosts(events).filter(({ hasJob, isOver }) => hasJob || !isOver)
  const sumOf = (values: readonly (number | undefined)[]) =>
    values.length === 0 || values.includes(undefined)
      ? null
      : values.reduce<number>((sum, value) => sum + (value ?? 0), 0)
  return {
    estimateUsd: sumOf(attempts.map(({ estimateUsd }) => estimateUsd)),
    costUsd: sumOf(attempts.flatMap(({ costUsd, isOver }) => (isOver || costUsd !== undefined ? [costUsd] : []))),
  }
}

/** What the attempts cost together. One that is over without a job cost nothing but what is booked of it. */
export function spendingOf(attempts: Iterable<AttemptCost>): TrainingSpending {
  let [endedUsd, openUsd, unknown] = [0, 0, 0]
  for (const { estimateUsd, costUsd, isOver, hasJob } of attempts) {
    if (isOver) endedUsd += costUsd ?? (hasJob ? (estimateUsd ?? 0) : 0)
    else openUsd += Math.max(estimateUsd ?? 0, costUsd ?? 0)
    if (estimateUsd === undefined && costUsd === undefined && (hasJob || !isOver)) unknown++
  }
  return { endedUsd, openUsd, unknown }
}

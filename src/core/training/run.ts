import type { LeaseEventBody } from "./lease.ts"
import type { ModelRef } from "./model-ref.ts"

/** The states of a run. A status word that a provider invents is kept raw and never ends a run. */
export const runStates = [
  "planned",
  "submitting",
  "uncertain",
  "queued",
  "running",
  "paused",
  "succeeded",
  "failed",
  "cancelled",
] as const
export type RunState = (typeof runStates)[number]

/** Whether nothing more will come of the attempt by itself. */
export function isTerminal(state: RunState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled"
}

/** Whether it is still open what came of a submission: the machine died, or its answer did not arrive. */
export function isUnsettled({ state, job, submissionKey }: RunSummary): boolean {
  return (state === "submitting" || state === "uncertain") && job === undefined && submissionKey !== undefined
}

/**
 * What happened to a run, in the order of `sequence`. `at` is when it was received, UTC; the sender's own time, where
 * it sent one, is `sentAt`.
 */
export type RunEvent = { readonly run: string; readonly sequence: number; readonly at: string } & SentEvent

/** An event as its sender reports it; `sentAt` is UTC by the sender's clock. */
export type SentEvent = RunEventBody & { readonly sentAt?: string }

export type RunEventBody =
  | { readonly type: "planned"; readonly plan: string }
  | {
      readonly type: "submitting"
      readonly submissionKey: string
      readonly attempt: number
      /** What the attempt will cost by its estimate; absent where nobody knows. */
      readonly estimateUsd?: number
    }
  /** What the service itself says that the attempt will cost; it stands in the place of the estimate before. */
  | { readonly type: "estimated"; readonly submissionKey: string; readonly estimateUsd: number }
  | { readonly type: "submitted"; readonly job: RemoteJob }
  /** What a person says of a submission whose answer was lost. */
  | {
      readonly type: "resolved"
      readonly submissionKey: string
      readonly outcome: "created" | "not-created"
      readonly by: string
    }
  | {
      readonly type: "state-changed"
      readonly state: RunState
      readonly providerStatus?: string
      readonly message?: string
      readonly hint?: string
    }
  | { readonly type: "started"; readonly totalSteps: number; readonly details: Readonly<Record<string, unknown>> }
  | {
      readonly type: "metric-logged"
      readonly step: number
      readonly totalSteps?: number
      readonly values: Readonly<Record<string, number>>
    }
  | {
      readonly type: "checkpoint-saved"
      readonly step: number
      /** The name under which a service answers for it. */
      readonly model?: string
      readonly evalLoss?: number
    }
  | { readonly type: "resumed"; readonly step: number }
  | { readonly type: "uploaded"; readonly file: string; readonly remoteId: string }
  /** What was uploaded is no longer there. */
  | { readonly type: "purged"; readonly file: string; readonly remoteId: string }
  | { readonly type: "model-ready"; readonly model: ModelRef }
  | ({ readonly type: "artifact-fetched" } & FetchedArtifact)
  /** What came of a job that turned up late, beside the run's own. */
  | {
      readonly type: "late-job-ended"
      readonly submissionKey: string
      readonly state: RunState
      /** What it cost; absent where nobody says. */
      readonly usd?: number
    }
  | { readonly type: "cost"; readonly usd: number; readonly source: "provider" | "computed"; readonly detail?: string }
  | LeaseEventBody

/** The provider's object: its id is not the model's id. It carries all that it takes to find, poll and bill the job. */
export interface RemoteJob {
  readonly backend: string
  readonly id: string
  readonly submissionKey: string
  /** The backend's own notes, by name: ids of uploaded files, a region, a host. No secrets. */
  readonly details?: Readonly<Record<string, string>>
}

export interface FetchedArtifact {
  readonly path: string
  readonly digest: string
  readonly bytes: number
}

/** A file of the run that lies at the provider, or lay there. */
export interface UploadedFile {
  readonly file: string
  readonly remoteId: string
  readonly purgedAt?: string
}

/** A state of the weights on the way that can be used. */
export interface SavedCheckpoint {
  readonly step: number
  readonly model?: string
  readonly evalLoss?: number
}

/** A submission of which a person said that it created no job. */
export interface DeniedSubmission {
  readonly submissionKey: string
  readonly by: string
  readonly at: string
}

/** A job that turned up late: it may run and cost beside the run's own, until it has ended. */
export type LateJob = RemoteJob & { readonly endedAs?: RunState }

export interface MetricPoint {
  readonly step: number
  readonly values: Readonly<Record<string, number>>
}

/** The fold of a run's events. */
export interface RunSummary {
  readonly run: string
  readonly state: RunState
  readonly attempt: number
  readonly plan: string | undefined
  readonly submissionKey: string | undefined
  readonly job: RemoteJob | undefined
  readonly step: number
  readonly totalSteps: number | undefined
  readonly metrics: readonly MetricPoint[]
  readonly providerStatus: string | undefined
  readonly message: string | undefined
  readonly hint: string | undefined
  /** When the work first began, by the clock of whoever did it; the submission where that was not kept. */
  readonly startedAt: string | undefined
  /** When the attempt ended; never before it began. */
  readonly endedAt: string | undefined
  /** How long the attempts that are over worked, without what lay between them. */
  readonly trainedMs: number | undefined
  readonly model: ModelRef | undefined
  /** What was brought from where it was made; a path is relative to the workspace where it lies in it. */
  readonly artifacts: readonly FetchedArtifact[]
  readonly checkpoints: readonly SavedCheckpoint[]
  readonly uploads: readonly UploadedFile[]
  readonly denied: readonly DeniedSubmission[]
  readonly lateJobs: readonly LateJob[]
  readonly costUsd: number | undefined
  readonly details: Readonly<Record<string, unknown>>
}

/**
 * The state of a run from its events, in any order and with repeats: events are taken once each, by sequence. A run
 * without events is `planned`. When a step was logged twice (a resume repeats steps after its checkpoint), the last
 * value stands.
 */
export function reduceRun(run: string, events: readonly RunEvent[]): RunSummary {
  const ordered = [...new Map(events.map((event) => [event.sequence, event])).values()].sort(
    (a, b) => a.sequence - b.sequence,
  )
  const summary = ordered.reduce(applyEvent, emptySummary(run))
  return { ...summary, ...timesOf(ordered), metrics: mergeMetrics(summary.metrics) }
}

/** How long a run trained; null where that is not known yet. */
export function trainingSeconds({
  trainedMs,
  startedAt,
  endedAt,
}: Pick<RunSummary, "trainedMs" | "startedAt" | "endedAt">): number | null {
  if (trainedMs !== undefined) return trainedMs / 1000
  return startedAt === undefined || endedAt === undefined ? null : (Date.parse(endedAt) - Date.parse(startedAt)) / 1000
}

function emptySummary(run: string): RunSummary {
  return {
    run,
    state: "planned",
    attempt: 0,
    plan: undefined,
    submissionKey: undefined,
    job: undefined,
    step: 0,
    totalSteps: undefined,
    metrics: [],
    providerStatus: undefined,
    message: undefined,
    hint: undefined,
    startedAt: undefined,
    endedAt: undefined,
    trainedMs: undefined,
    model: undefined,
    artifacts: [],
    checkpoints: [],
    uploads: [],
    denied: [],
    lateJobs: [],
    costUsd: undefined,
    details: {},
  }
}

function applyEvent(summary: RunSummary, event: RunEvent): RunSummary {
  switch (event.type) {
    case "planned":
      return { ...summary, plan: event.plan }
    case "submitting":
      return {
        ...summary,
        state: "submitting",
        attempt: event.attempt,
        submissionKey: event.submissionKey,
        job: undefined,
        message: undefined,
        hint: undefined,
      }
    case "submitted":
      return applySubmitted(summary, event.job)
    case "state-changed":
      return {
        ...summary,
        state: event.state,
        providerStatus: event.providerStatus,
        message: event.message,
        hint: event.hint,
      }
    case "started":
      return { ...summary, state: "running", totalSteps: event.totalSteps, details: event.details }
    case "metric-logged":
      return {
        ...summary,
        step: Math.max(summary.step, event.step),
        totalSteps: event.totalSteps ?? summary.totalSteps,
        metrics: [...summary.metrics, { step: event.step, values: event.values }],
      }
    case "resumed":
      return { ...summary, step: event.step, metrics: summary.metrics.filter((point) => point.step <= event.step) }
    case "model-ready":
      return { ...summary, model: event.model }
    case "cost":
      return { ...summary, costUsd: (summary.costUsd ?? 0) + event.usd }
    case "artifact-fetched": {
      const { path, digest, bytes } = event
      return { ...summary, artifacts: [...summary.artifacts, { path, digest, bytes }] }
    }
    // What a run was thought to cost, and what of its model is deployed, are folds of their own.
    case "estimated":
    case "deploying":
    case "deployed":
    case "undeploying":
    case "undeployed":
      return summary
    default:
      return applyRecord(summary, event)
  }
}

/** The job of an earlier submission, which a person had said to have none, is beside the run's own. */
function applySubmitted(summary: RunSummary, job: RemoteJob): RunSummary {
  const { submissionKey, denied, lateJobs } = summary
  const isLate =
    job.submissionKey !== submissionKey && denied.some((known) => known.submissionKey === job.submissionKey)
  return isLate
    ? { ...summary, lateJobs: [...lateJobs.filter(({ id }) => id !== job.id), job] }
    : { ...summary, state: "queued", job, message: undefined, hint: undefined }
}

type RecordType = "resolved" | "checkpoint-saved" | "uploaded" | "purged" | "late-job-ended"

/** What is known beside the state. */
function applyRecord(summary: RunSummary, event: RunEvent & { readonly type: RecordType }): RunSummary {
  switch (event.type) {
    case "resolved": {
      const { submissionKey, by, at, outcome } = event
      if (outcome === "created") return summary
      return {
        ...summary,
        denied: [...summary.denied, { submissionKey, by, at }],
        ...(submissionKey === summary.submissionKey && summary.job === undefined
          ? { state: "failed", message: `no job was created, says ${by}`, hint: undefined }
          : {}),
      }
    }
    case "checkpoint-saved": {
      const { step, model, evalLoss } = event
      const saved = { step, ...(model === undefined ? {} : { model }), ...(evalLoss === undefined ? {} : { evalLoss }) }
      const others = summary.checkpoints.filter((checkpoint) => checkpoint.step !== step)
      return { ...summary, checkpoints: [...others, saved].sort((a, b) => a.step - b.step) }
    }
    case "late-job-ended": {
      const { submissionKey, state: endedAs, usd } = event
      return {
        ...summary,
        lateJobs: summary.lateJobs.map((job) => (job.submissionKey === submissionKey ? { ...job, endedAs } : job)),
        costUsd: usd === undefined ? summary.costUsd : (summary.costUsd ?? 0) + usd,
      }
    }
    case "uploaded": {
      const { file, remoteId } = event
      const isKnown = summary.uploads.some((upload) => upload.remoteId === remoteId)
      return isKnown ? summary : { ...summary, uploads: [...summary.uploads, { file, remoteId }] }
    }
    case "purged":
      return {
        ...summary,
        uploads: summary.uploads.map((upload) =>
          upload.remoteId === event.remoteId ? { purgedAt: event.at, ...upload } : upload,
        ),
      }
  }
}

function mergeMetrics(points: readonly MetricPoint[]): MetricPoint[] {
  const byStep = new Map<number, Record<string, number>>()
  for (const point of points) byStep.set(point.step, { ...byStep.get(point.step), ...point.values })
  return [...byStep].sort(([a], [b]) => a - b).map(([step, values]) => ({ step, values }))
}

type Times = Pick<RunSummary, "startedAt" | "endedAt" | "trainedMs">

/** Times are compared as instants and kept as they were written. */
interface Clock extends Times {
  readonly submittedAt: string | undefined
  readonly attemptStartedAt: string | undefined
  /** The last time that the sender of the attempt gave. */
  readonly heardAt: string | undefined
}

/** Where no sender gave a time, as in ledgers of before they were kept, a run lasts from its submission to the poll. */
function timesOf(ordered: readonly RunEvent[]): Times {
  const { submittedAt, startedAt, endedAt, trainedMs } = ordered.reduce(applyTime, {
    startedAt: undefined,
    endedAt: undefined,
    trainedMs: undefined,
    submittedAt: undefined,
    attemptStartedAt: undefined,
    heardAt: undefined,
  })
  const isSent = ordered.some(({ sentAt }) => isTime(sentAt))
  const began = startedAt ?? (isSent ? undefined : submittedAt)
  return { startedAt: began, endedAt: endedAt === undefined ? undefined : later(endedAt, began), trainedMs }
}

function applyTime(clock: Clock, event: RunEvent): Clock {
  const sentAt = isTime(event.sentAt) ? event.sentAt : undefined
  const heardAt = sentAt === undefined ? clock.heardAt : later(sentAt, clock.heardAt)
  if (event.type === "submitting")
    return {
      ...clock,
      submittedAt: clock.submittedAt ?? event.at,
      attemptStartedAt: undefined,
      heardAt: undefined,
      endedAt: undefined,
    }
  if (event.type === "started" || (event.type === "state-changed" && event.state === "running")) {
    const attemptStartedAt = clock.attemptStartedAt ?? sentAt
    return { ...clock, heardAt, attemptStartedAt, startedAt: clock.startedAt ?? attemptStartedAt, endedAt: undefined }
  }
  if (event.type !== "state-changed") return { ...clock, heardAt }
  if (!isTerminal(event.state)) return { ...clock, heardAt, endedAt: undefined }
  const { attemptStartedAt } = clock
  const endedAt = later(sentAt ?? heardAt ?? event.at, attemptStartedAt)
  if (attemptStartedAt === undefined) return { ...clock, heardAt, endedAt }
  const workedMs = Date.parse(endedAt) - Date.parse(attemptStartedAt)
  return { ...clock, heardAt, endedAt, attemptStartedAt: undefined, trainedMs: (clock.trainedMs ?? 0) + workedMs }
}

function later(time: string, other: string | undefined): string {
  return other !== undefined && Date.parse(other) > Date.parse(time) ? other : time
}

function isTime(text: string | undefined): text is string {
  return text !== undefined && !Number.isNaN(Date.parse(text))
}

import type { FineTuneBackend, JobSnapshot } from "../../core/contracts/backend.ts"
import { ProviderError, redactSecrets, ToolkitError } from "../../core/errors.ts"
import { believedEvents, isBelievedTime } from "../../core/training/believed-events.ts"
import { isTerminal, isUnsettled, reduceRun, type RunSummary, type SentEvent } from "../../core/training/run.ts"
import { keptModel } from "../../store/rows/model-places.ts"
import { readPlan, runFiles, writeEvents } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"
import { keepPin, pinNow } from "./pins.ts"
import { uncertainHint } from "./run-errors.ts"
import { fetchArtifacts, hasMadeSomething } from "./run-model.ts"

/** A run that was brought up to date, and what its backend said on the way. */
export interface SyncedRun {
  readonly summary: RunSummary
  /** Whether a submission under way has a job: `none` where that is certain, `unknown` where the backend cannot say. */
  readonly submission: "settled" | "none" | "unknown"
  /** When the backend wants to be asked again. */
  readonly pollAfterMs?: number | undefined
  /** Why the backend cannot say what came of the submission. */
  readonly problem?: unknown
}

/**
 * The run's state now: what the backend has to say since the last time is in the ledger and in the run's events file. A
 * run that is over is not asked again, unless what it made is missing. Never submits.
 */
export async function syncRun(context: StageContext, run: string, backend: FineTuneBackend): Promise<RunSummary> {
  return (await refreshRun(context, run, backend)).summary
}

export async function refreshRun(context: StageContext, run: string, backend: FineTuneBackend): Promise<SyncedRun> {
  const { submission, askAfterMs, problem } = await settleSubmission(context, await summaryOf(context, run), backend)
  const summary = await recordUploads(context, await summaryOf(context, run), backend)
  if (submission !== "settled") return { summary, submission, pollAfterMs: askAfterMs, problem }
  if (summary.job === undefined || hasNothingToSay(context, summary)) return { summary, submission }
  const pollAfterMs = await poll(context, summary, backend)
  return { summary: await finish(context, run, backend), submission, pollAfterMs }
}

export async function summaryOf(context: StageContext, run: string): Promise<RunSummary> {
  return reduceRun(run, await context.ledger().runs.events(run))
}

function hasNothingToSay(context: StageContext, summary: RunSummary): boolean {
  return isTerminal(summary.state) && (summary.state !== "succeeded" || hasMadeSomething(context, summary))
}

/** How long to leave alone a backend that could not say. */
const unknownMs = 10_000

/** What came of a submission is the backend's to say. Where it cannot, the run is uncertain, with the reason. */
async function settleSubmission(
  context: StageContext,
  summary: RunSummary,
  backend: FineTuneBackend,
): Promise<{
  readonly submission: SyncedRun["submission"]
  readonly askAfterMs?: number
  readonly problem?: unknown
}> {
  const { run, submissionKey } = summary
  if (!isUnsettled(summary) || submissionKey === undefined) return { submission: "settled" }
  const files = runFiles(context.workspace, run)
  try {
    const job = await backend.find(submissionKey, files)
    if (job === undefined) return { submission: "none" }
    await context.ledger().runs.appendEvents(run, [{ type: "submitted", job }])
    return { submission: "settled" }
  } catch (error) {
    context.signal.throwIfAborted()
    const message = redactSecrets(error instanceof Error ? error.message : String(error))
    const given = error instanceof ToolkitError ? error.hint : undefined
    const hint = uncertainHint({ job: readPlan(files)?.job ?? "<job>", run }, backend.name, given)
    if (summary.state !== "uncertain" || summary.message !== message)
      await context.ledger().runs.appendEvents(run, [{ type: "state-changed", state: "uncertain", message, hint }])
    const askAfterMs = (error instanceof ProviderError ? error.retryAfterMs : undefined) ?? unknownMs
    return { submission: "unknown", askAfterMs, problem: error }
  }
}

/** What was uploaded for the run is in the ledger: an erasure looks there for what lies elsewhere. */
export async function recordUploads(
  context: StageContext,
  summary: RunSummary,
  backend: FineTuneBackend,
): Promise<RunSummary> {
  const { run, uploads } = summary
  const known = new Set(uploads.map(({ remoteId }) => remoteId))
  const all = (await backend.uploads?.(runFiles(context.workspace, run))) ?? []
  const fresh = all.filter(({ remoteId }) => !known.has(remoteId))
  if (fresh.length === 0) return summary
  await context.ledger().runs.appendEvents(
    run,
    fresh.map(({ file, remoteId }) => ({ type: "uploaded", file, remoteId })),
  )
  return summaryOf(context, run)
}

async function poll(context: StageContext, summary: RunSummary, backend: FineTuneBackend): Promise<number | undefined> {
  const { run, job } = summary
  if (job === undefined) return undefined
  const files = runFiles(context.workspace, run)
  const ledger = context.ledger()
  const cursor = await ledger.runs.cursor(run)
  const snapshot = await backend.poll(job, files, cursor)
  const stated = believedEvents(snapshot.events, context.now())
  if (costsIn(stated) < costsIn(snapshot.events))
    context.report.warn(`${backend.name} states a cost of ${run} that cannot be true: it counts at its estimate`)
  const events = stated.map(
    (event): SentEvent =>
      event.type === "model-ready" ? { ...event, model: keptModel(context.workspace, event.model) } : event,
  )
  const bodies = [...events, ...changeOf(summary, events, snapshot, context.now())]
  if (bodies.length > 0 || snapshot.cursor !== cursor)
    await ledger.runs.appendEvents(run, bodies, { expected: cursor, next: snapshot.cursor })
  return snapshot.pollAfterMs
}

/** The change to the snapshot's state, where the events do not say it already. */
function changeOf(summary: RunSummary, events: readonly SentEvent[], snapshot: JobSnapshot, now: Date): SentEvent[] {
  const { state, providerStatus, message, hint, since } = snapshot
  const last = events.findLast(({ type }) => type === "state-changed" || type === "started")
  const before = last === undefined ? summary.state : last.type === "state-changed" ? last.state : "running"
  if (state === before && providerStatus === summary.providerStatus) return []
  return [
    {
      type: "state-changed",
      state,
      ...(providerStatus === undefined ? {} : { providerStatus }),
      ...(message === undefined ? {} : { message: redactSecrets(message) }),
      ...(hint === undefined ? {} : { hint: redactSecrets(hint) }),
      ...(since === undefined || !isBelievedTime(since, now) ? {} : { sentAt: since }),
    },
  ]
}

function costsIn(events: readonly SentEvent[]): number {
  return events.filter(({ type }) => type === "cost").length
}

/** A run that has just succeeded has what it made, and the pin of its base; then its events are written as a file. */
async function finish(context: StageContext, run: string, backend: FineTuneBackend): Promise<RunSummary> {
  const summary = await summaryOf(context, run)
  const files = runFiles(context.workspace, run)
  if (summary.state === "succeeded") {
    await fetchArtifacts(context, summary, backend)
    const plan = readPlan(files)
    if (plan !== undefined) keepPin(context, run, await pinNow(context, backend, plan))
  }
  const events = await context.ledger().runs.events(run)
  writeEvents(files, events)
  return reduceRun(run, events)
}

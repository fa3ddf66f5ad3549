import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import { ToolkitError } from "../../core/errors.ts"
import { believedEvents } from "../../core/training/believed-events.ts"
import {
  type DeniedSubmission,
  isTerminal,
  type LateJob,
  type RemoteJob,
  type RunSummary,
  type SentEvent,
} from "../../core/training/run.ts"
import { runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"
import { summaryOf } from "./sync.ts"

// A list that lags does so by minutes; after a month nobody's job turns up any more.
const longestLookMs = 30 * 24 * 3_600_000

/**
 * Jobs of submissions of which a person said that there is none, and which the backend now has after all: each is
 * recorded, with a warning. One of the run's last submission becomes its job; any other may run and cost beside it.
 * A backend that does not say is no error: the person's word stands.
 */
export async function findLateJobs(
  context: StageContext,
  run: string,
  backend: FineTuneBackend,
): Promise<readonly RemoteJob[]> {
  const found: RemoteJob[] = []
  for (const { submissionKey, by, at } of awaitedDenials(await summaryOf(context, run), context.now())) {
    const late = await lookFor(submissionKey, context, run, backend)
    if (late === undefined) continue
    await context.ledger().runs.appendEvents(run, [{ type: "submitted", job: late }])
    found.push(late)
    const isBeside = (await summaryOf(context, run)).job?.id !== late.id
    context.report.warn(
      `${run}: the job ${late.id} was created after all, although ${by} said on ${at.slice(0, 10)} that there is none` +
        (isBeside
          ? `; it may cost money beside the job of the run: tuneloop runs cancel ${run} --late`
          : "; the run goes on with it"),
    )
  }
  return found
}

/**
 * What came of the late jobs beside the run's own, for each that has ended since: what it cost takes the place of its
 * estimate. A backend that does not say is no error.
 */
export async function settleLateJobs(context: StageContext, run: string, backend: FineTuneBackend): Promise<void> {
  for (const job of openLateJobs(await summaryOf(context, run))) {
    const ended = await endOf(job, context, run, backend)
    if (ended !== undefined) await context.ledger().runs.appendEvents(run, [ended])
  }
}

/** The late jobs of which it is not known that they have ended. */
export function openLateJobs({ lateJobs }: RunSummary): readonly LateJob[] {
  return lateJobs.filter(({ endedAs }) => endedAs === undefined)
}

async function endOf(
  job: RemoteJob,
  context: StageContext,
  run: string,
  backend: FineTuneBackend,
): Promise<SentEvent | undefined> {
  try {
    const { state, events } = await backend.poll(job, runFiles(context.workspace, run))
    if (!isTerminal(state)) return undefined
    const costs = believedEvents(events, context.now()).flatMap((event) => (event.type === "cost" ? [event.usd] : []))
    const usd = costs.reduce((sum, cost) => sum + cost, 0)
    const { submissionKey } = job
    return { type: "late-job-ended", submissionKey, state, ...(costs.length === 0 ? {} : { usd }) }
  } catch (error) {
    context.signal.throwIfAborted()
    if (error instanceof ToolkitError) return undefined
    throw error
  }
}

/** The submissions that a person denied, and whose job may turn up still. */
export function awaitedDenials({ denied, lateJobs, job }: RunSummary, now: Date): readonly DeniedSubmission[] {
  const known = new Set([...lateJobs, ...(job === undefined ? [] : [job])].map(({ submissionKey }) => submissionKey))
  return denied.filter(
    ({ submissionKey, at }) => !known.has(submissionKey) && now.getTime() - Date.parse(at) <= longestLookMs,
  )
}

async function lookFor(
  submissionKey: string,
  context: StageContext,
  run: string,
  backend: FineTuneBackend,
): Promise<RemoteJob | undefined> {
  try {
    return await backend.find(submissionKey, runFiles(context.workspace, run))
  } catch (error) {
    context.signal.throwIfAborted()
    if (error instanceof ToolkitError) return undefined
    throw error
  }
}

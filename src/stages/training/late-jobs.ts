import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { DeniedSubmission, RemoteJob, RunSummary } from "../../core/training/run.ts"
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

import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import { ProviderError } from "../../core/errors.ts"
import { isTerminal, type RunSummary } from "../../core/training/run.ts"
import type { StageContext } from "../context.ts"
import { refreshRun, type SyncedRun, summaryOf } from "./sync.ts"

const pollMs = 700
const longestBackoffMs = 60_000

/**
 * Waits until the run is over, reporting every change to `onChange`; an abort of the context's signal ends the waiting
 * and leaves the run as it is. So does a run without a job, of which nothing will come by itself. A backend that cannot
 * be reached is asked again, less and less often.
 */
export async function waitForRun(
  context: StageContext,
  run: string,
  backend: FineTuneBackend,
  onChange: (summary: RunSummary) => void,
): Promise<RunSummary> {
  let failures = 0
  for (;;) {
    const synced = await tryRefresh(context, run, backend)
    if (context.signal.aborted) return synced instanceof ProviderError ? summaryOf(context, run) : synced.summary
    if (synced instanceof ProviderError) {
      const waitMs = synced.retryAfterMs ?? Math.min(longestBackoffMs, pollMs * 2 ** failures++)
      context.report.progress(`${run}: ${synced.message}; asking again in ${Math.ceil(waitMs / 1000)} s`)
      await context.sleep(waitMs)
      continue
    }
    failures = 0
    onChange(synced.summary)
    if (isTerminal(synced.summary.state) || hasNoJob(synced)) return synced.summary
    await context.sleep(synced.pollAfterMs ?? pollMs)
  }
}

async function tryRefresh(
  context: StageContext,
  run: string,
  backend: FineTuneBackend,
): Promise<SyncedRun | ProviderError> {
  try {
    return await refreshRun(context, run, backend)
  } catch (error) {
    if (error instanceof ProviderError && error.isRetryable) return error
    throw error
  }
}

function hasNoJob({ summary, submission }: SyncedRun): boolean {
  // While it says `submitting`, another command may be at it.
  if (summary.state === "submitting") return false
  return submission === "none" || (submission === "settled" && summary.job === undefined)
}

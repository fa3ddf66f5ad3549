import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import { isTerminal, type RunSummary } from "../../core/training/run.ts"
import { runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"
import { findLateJobs, openLateJobs, settleLateJobs } from "./late-jobs.ts"
import { uncertainRun } from "./run-errors.ts"
import { refreshRun, summaryOf, syncRun } from "./sync.ts"

/**
 * The run is cancelled, or over already. Of one that is uncertain it is an error: a job that nobody knows of cannot be
 * cancelled, and may go on.
 */
export async function cancelRun(context: StageContext, run: string, backend: FineTuneBackend): Promise<RunSummary> {
  const { summary, submission } = await refreshRun(context, run, backend)
  if (isTerminal(summary.state)) return summary
  if (submission === "unknown") throw uncertainRun(summary)
  if (summary.job === undefined)
    await context.ledger().runs.appendEvents(run, [{ type: "state-changed", state: "cancelled" }])
  else await backend.cancel(summary.job, runFiles(context.workspace, run))
  return syncRun(context, run, backend)
}

/** The jobs that turned up late are cancelled, or over already; the run's own goes on. Returns their ids. */
export async function cancelLateJobs(
  context: StageContext,
  run: string,
  backend: FineTuneBackend,
): Promise<readonly string[]> {
  await findLateJobs(context, run, backend)
  const summary = await summaryOf(context, run)
  for (const job of openLateJobs(summary)) await backend.cancel(job, runFiles(context.workspace, run))
  await settleLateJobs(context, run, backend)
  return summary.lateJobs.map(({ id }) => id)
}

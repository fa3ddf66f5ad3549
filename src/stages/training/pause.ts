import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import { ToolkitError, UsageError } from "../../core/errors.ts"
import { isTerminal, type RunSummary } from "../../core/training/run.ts"
import { runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"
import { uncertainRun } from "./run-errors.ts"
import { refreshRun, syncRun } from "./sync.ts"

/**
 * The run stands still, or goes on: its state is what the backend says of it afterwards. A run that is so already is
 * left alone; one that is over, or has no job, is an error.
 */
export async function pauseOrResume(
  context: StageContext,
  run: string,
  backend: FineTuneBackend,
  what: "pause" | "resume",
): Promise<RunSummary> {
  if (backend[what] === undefined)
    throw new UsageError(`${backend.name} cannot ${what} a job`, `End it: tuneloop runs cancel ${run}`)
  const { summary, submission } = await refreshRun(context, run, backend)
  const { state, job } = summary
  if (submission === "unknown") throw uncertainRun(summary)
  if (job === undefined || isTerminal(state))
    throw new ToolkitError(`${run} is ${state}: there is nothing to ${what}`, {
      code: "not-live",
      hint: `See it: tuneloop runs show ${run}`,
    })
  if ((state === "paused") === (what === "pause")) return summary
  await backend[what](job, runFiles(context.workspace, run))
  return syncRun(context, run, backend)
}

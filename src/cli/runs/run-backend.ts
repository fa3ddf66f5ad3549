import type { FineTuneBackend, TrainingPlan } from "../../core/contracts/backend.ts"
import { ToolkitError } from "../../core/errors.ts"
import { isTerminal, isUnsettled, type RunSummary, reduceRun } from "../../core/training/run.ts"
import { choiceOfRun } from "../../stages/training/run-choice.ts"
import { syncRun } from "../../stages/training/sync.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import type { Host } from "../host.ts"

/** The backend of a run, as its plan names it, or as it was adopted. */
export async function backendOfRun(host: Host, run: string): Promise<FineTuneBackend> {
  return host.backend(choiceOfRun(host.context(), run) ?? planOfRun(host, run).backend)
}

/** The plan of a run, which its folder has. */
export function planOfRun(host: Host, run: string): TrainingPlan {
  const plan = readPlan(runFiles(host.workspace, run))
  if (plan !== undefined) return plan
  throw new ToolkitError(`${run} has no plan in ${host.workspace.show(host.workspace.runFolder(run))}`, {
    code: "no-plan",
    hint: "Bring the folder back; without its plan nobody knows where the run is.",
  })
}

/**
 * The run's fold, brought up to date where it is not over and the ledger may be written. Where its backend cannot say,
 * it is as it was last known, with a warning.
 */
export async function currentSummary(host: Host, run: string): Promise<RunSummary> {
  const context = host.context()
  const ledger = context.readLedger()
  const summary = reduceRun(run, await ledger.runs.events(run))
  const hasNobodyToAsk = summary.job === undefined && !isUnsettled(summary)
  if (isTerminal(summary.state) || ledger.isReadOnly || hasNobodyToAsk) return summary
  try {
    return await syncRun(context, run, await backendOfRun(host, run))
  } catch (error) {
    if (!(error instanceof ToolkitError)) throw error
    host.terminal.warn(`${run} is shown as it was last known: ${error.message}`)
    return summary
  }
}

import { canonicalJson } from "../../core/canonical.ts"
import type { FineTuneBackend, TrainingPlan } from "../../core/contracts/backend.ts"
import { ProviderError, ToolkitError } from "../../core/errors.ts"
import { isTerminal, isUnsettled, type RunState, type RunSummary } from "../../core/training/run.ts"
import type { StageContext } from "../context.ts"
import { choiceOfRun } from "./run-choice.ts"
import { awaitedDenials, findLateJobs, openLateJobs, settleLateJobs } from "./late-jobs.ts"
import { refreshRun, summaryOf } from "./sync.ts"

/** What one pass found of a run. */
export interface LookedAtRun {
  readonly run: string
  /** As its plan names it; null where it has no plan. */
  readonly backend: string | null
  readonly before: RunState
  readonly state: RunState
  /** How many events came since the last look. */
  readonly newEvents: number
  readonly costUsd: number | null
  /**
   * `none`: no job was created, a train submits it. `uncertain`: nobody can say yet whether one was. `unreachable` and
   * `failed`: it could not be looked at and is as it was last known.
   */
  readonly outcome: "current" | "none" | "uncertain" | "unreachable" | "failed"
  readonly reason?: string
  readonly hint?: string
  /** Ids of jobs that a person had said not to exist. */
  readonly lateJobs: readonly string[]
}

/** Opens the backend that a plan names. */
export type OpenBackend = (choice: TrainingPlan["backend"]) => Promise<FineTuneBackend>

/**
 * One look at every run that is not over, and at those of which a person said that they have no job. What came since
 * the last look is in the ledger, once and in order; a second pass adds nothing. A service that cannot be reached, or
 * that wants to be left alone, is not asked again in the same pass, and the others are.
 */
export async function syncAll(context: StageContext, open: OpenBackend): Promise<readonly LookedAtRun[]> {
  const silent = new Map<string, ProviderError>()
  const looked: LookedAtRun[] = []
  const runs = await context.ledger().runs.list()
  for (const { run } of runs.toReversed()) {
    context.signal.throwIfAborted()
    const summary = await summaryOf(context, run)
    if (!isOpen(summary, context.now())) continue
    context.report.progress(`looking at ${run}`)
    looked.push(await look(context, summary, open, silent))
  }
  return looked
}

function isOpen(summary: RunSummary, now: Date): boolean {
  const isLive = !isTerminal(summary.state) && (summary.job !== undefined || isUnsettled(summary))
  return isLive || awaitedDenials(summary, now).length > 0 || openLateJobs(summary).length > 0
}

async function look(
  context: StageContext,
  { run, state: before, costUsd }: RunSummary,
  open: OpenBackend,
  silent: Map<string, ProviderError>,
): Promise<LookedAtRun> {
  const choice = choiceOfRun(context, run)
  const known = { run, backend: choice?.name ?? null, before, state: before, newEvents: 0, lateJobs: [] }
  const old = { ...known, costUsd: costUsd ?? null }
  if (choice === undefined)
    return {
      ...old,
      outcome: "failed",
      reason: `it has no plan in ${context.workspace.show(context.workspace.runFolder(run))}`,
    }
  const place = canonicalJson({ ...choice })
  const quiet = silent.get(place)
  if (quiet !== undefined) return { ...old, outcome: "unreachable", reason: quiet.message }
  const { length } = await context.ledger().runs.events(run)
  try {
    const backend = await open(choice)
    const late = await findLateJobs(context, run, backend)
    await settleLateJobs(context, run, backend)
    const { summary, submission, problem } = await refreshRun(context, run, backend)
    const newEvents = (await context.ledger().runs.events(run)).length - length
    const now = { ...known, state: summary.state, newEvents, costUsd: summary.costUsd ?? null }
    const found = { ...now, lateJobs: late.map(({ id }) => id) }
    if (submission !== "unknown") return { ...found, outcome: submission === "none" ? "none" : "current" }
    return { ...found, ...failureOf(problem, place, silent, "uncertain") }
  } catch (error) {
    context.signal.throwIfAborted()
    return { ...old, ...failureOf(error, place, silent, "failed") }
  }
}

function failureOf(
  error: unknown,
  place: string,
  silent: Map<string, ProviderError>,
  otherwise: "uncertain" | "failed",
): Pick<LookedAtRun, "outcome" | "reason" | "hint"> {
  if (!(error instanceof ToolkitError)) throw error
  const isSilent = error instanceof ProviderError && (error.isUnreachable || error.status === 429)
  if (isSilent) silent.set(place, error)
  // Whoever lists jobs with a lag was reached, and may say more the next time.
  const isLagging = error instanceof ProviderError && error.status === undefined && !error.isUnreachable
  return {
    outcome: isSilent ? "unreachable" : isLagging ? otherwise : "failed",
    reason: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  }
}

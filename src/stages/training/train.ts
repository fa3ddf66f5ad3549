import { existsSync } from "node:fs"
import { digest } from "../../core/canonical.ts"
import type { FineTuneBackend, RunFiles } from "../../core/contracts/backend.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import { isTerminal, reduceRun, type RemoteJob, type RunSummary } from "../../core/training/run.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { runFiles, writeEvents, writeRun } from "../../store/rows/run-files.ts"
import { baseOf } from "../../core/training/model-ref.ts"
import type { StageContext } from "../context.ts"
import { planTraining, type PlannedTraining } from "./plan-training.ts"

export interface TrainResult {
  readonly state: "started" | "reattached" | "unchanged"
  readonly run: RunSummary
  readonly planned: PlannedTraining
}

/**
 * The run of the job's plan exists and is trained or training, once: a finished run of the same plan is `unchanged`, a
 * live one is reattached to, a failed or cancelled one gets a new attempt that goes on from its last checkpoint. The
 * submission is in the ledger before the backend hears of it; after a crash the backend is asked whether it came
 * through.
 */
export async function train(
  context: StageContext,
  job: JobSpecification,
  task: TaskSpecification,
  backend: FineTuneBackend,
): Promise<TrainResult> {
  const planned = planTraining(context, job, task)
  const ledger = context.ledger()
  const known = (await ledger.runs.list({ plan: planned.digest }))[0]?.run
  if (known !== undefined) {
    const summary = await syncRun(context, known, backend)
    if (summary.state === "succeeded" && existsSync(runFiles(context.workspace, known).adapter))
      return { state: "unchanged", run: summary, planned }
    if (!isTerminal(summary.state) && summary.job !== undefined) return { state: "reattached", run: summary, planned }
  }
  const run = known ?? newRunId(context, job, planned.digest)
  const files = runFiles(context.workspace, run)
  if (known === undefined) await ledger.runs.create({ run, job: job.job, task: task.task, plan: planned.digest })
  writeRun(files, planned.plan, planned.rendered)
  await backend.prepare?.(baseOf(planned.plan))
  await submit(context, run, files, planned, backend)
  return { state: "started", run: await syncRun(context, run, backend), planned }
}

/**
 * The run's state now: what the backend has to say since the last time is in the ledger and in the run's events file. A
 * run that is over is not asked again.
 */
export async function syncRun(context: StageContext, run: string, backend: FineTuneBackend): Promise<RunSummary> {
  const ledger = context.ledger()
  const files = runFiles(context.workspace, run)
  let summary = reduceRun(run, await ledger.runs.events(run))
  if (summary.state === "submitting" && summary.submissionKey !== undefined) {
    // The machine died between the submission and its record: what came of it is the backend's to say.
    const found = await backend.find(summary.submissionKey, files)
    if (found) {
      await ledger.runs.appendEvents(run, [{ type: "submitted", job: found }])
      summary = reduceRun(run, await ledger.runs.events(run))
    }
  }
  if (summary.job === undefined || isTerminal(summary.state)) return summary
  const cursor = await ledger.runs.cursor(run)
  const snapshot = await backend.poll(summary.job, files, cursor)
  const bodies = [...snapshot.events]
  if (snapshot.state !== summary.state || snapshot.providerStatus !== summary.providerStatus) {
    const { state, providerStatus, message, hint } = snapshot
    bodies.push({
      type: "state-changed",
      state,
      ...(providerStatus === undefined ? {} : { providerStatus }),
      ...(message === undefined ? {} : { message }),
      ...(hint === undefined ? {} : { hint }),
    })
  }
  if (bodies.length > 0 || snapshot.cursor !== cursor) {
    await ledger.runs.appendEvents(run, bodies, { expected: cursor, next: snapshot.cursor })
    const events = await ledger.runs.events(run)
    writeEvents(files, events)
    summary = reduceRun(run, events)
  }
  return summary
}

const pollMs = 700

/**
 * Waits until the run is over, telling every change to `onChange`; an abort of the context's signal ends the waiting
 * and leaves the run as it is.
 */
export async function waitForRun(
  context: StageContext,
  run: string,
  backend: FineTuneBackend,
  onChange: (summary: RunSummary) => void,
): Promise<RunSummary> {
  for (;;) {
    const summary = await syncRun(context, run, backend)
    onChange(summary)
    if (isTerminal(summary.state) || context.signal.aborted) return summary
    await context.sleep(pollMs)
  }
}

/** The run is cancelled, or over already. */
export async function cancelRun(context: StageContext, run: string, backend: FineTuneBackend): Promise<RunSummary> {
  const summary = await syncRun(context, run, backend)
  if (isTerminal(summary.state)) return summary
  if (summary.job === undefined)
    await context.ledger().runs.appendEvents(run, [{ type: "state-changed", state: "cancelled" }])
  else await backend.cancel(summary.job, runFiles(context.workspace, run))
  return syncRun(context, run, backend)
}

/** A failed run as an error that names its log. */
export function failedRun(summary: RunSummary, job: string): ToolkitError {
  const reason = summary.message ?? "no reason was given"
  return new ToolkitError(`run ${summary.run} ${summary.state}: ${reason}`, {
    code: `run-${summary.state}`,
    hint: `${summary.hint ? `${summary.hint} ` : ""}Its log: tuneloop runs logs ${summary.run}. Go on from the last checkpoint: tuneloop train ${job} --wait`,
  })
}

async function submit(
  context: StageContext,
  run: string,
  files: RunFiles,
  planned: PlannedTraining,
  backend: FineTuneBackend,
): Promise<void> {
  const ledger = context.ledger()
  const before = reduceRun(run, await ledger.runs.events(run))
  // A submission that was written down but never came through keeps its key: the backend takes a key once.
  const isUnfinished = before.state === "submitting" && before.submissionKey !== undefined
  const attempt = isUnfinished ? before.attempt : before.attempt + 1
  const submissionKey = isUnfinished ? (before.submissionKey as string) : digest({ plan: planned.digest, run, attempt })
  if (!isUnfinished && !(await ledger.runs.beginSubmission(run, submissionKey, attempt))) return
  let job: RemoteJob
  try {
    job = await backend.submit(planned.plan, files, { submissionKey, resume: attempt > 1 })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    await ledger.runs.appendEvents(run, [{ type: "state-changed", state: "failed", message }])
    throw error
  }
  await ledger.runs.appendEvents(run, [{ type: "submitted", job }])
}

function newRunId(context: StageContext, job: JobSpecification, plan: string): string {
  const time = context.now().toISOString().replace(/[-:]/g, "").slice(0, 15)
  return `${job.job}-${time}Z-${plan.slice(7, 13)}`
}

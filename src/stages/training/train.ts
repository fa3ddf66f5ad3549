import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import { baseOf } from "../../core/training/model-ref.ts"
import { isTerminal, isUnsettled, type RunSummary } from "../../core/training/run.ts"
import { withLongLock } from "../../store/files/lock.ts"
import type { BasePin } from "../../store/rows/base-pin.ts"
import { runFiles, writeRun } from "../../store/rows/run-files.ts"
import { TaskWatch } from "../../store/erasing/task-watch.ts"
import type { StageContext } from "../context.ts"
import { requireAccepted, requireSupported } from "./capabilities.ts"
import { estimatedUsd, requireRoom, reservationOf } from "./ceilings.ts"
import { requireConsent } from "./consent.ts"
import { keepPin, pinNow, runOfPlan } from "./pins.ts"
import { planTraining, type PlannedTraining } from "./plan-training.ts"
import { findLateJobs } from "./late-jobs.ts"
import { missingModel, requireWhole, uncertainRun } from "./run-errors.ts"
import { hasMadeSomething } from "./run-model.ts"
import { type PricedTraining, submit } from "./submit.ts"
import { refreshRun, summaryOf, syncRun } from "./sync.ts"

export interface TrainResult {
  readonly state: "started" | "reattached" | "unchanged"
  readonly run: RunSummary
  readonly planned: PlannedTraining
}

/**
 * The run of the job's plan, from the base model as it is now, exists and is trained or training, once: a finished run
 * is `unchanged`, a live one is reattached to, a failed or cancelled one gets a new attempt that goes on from its last
 * checkpoint. Whoever pays is asked before anything is. The submission is in the ledger before the backend hears of it;
 * where its answer was lost, the backend is asked for the job before anything is submitted again.
 */
export async function train(
  context: StageContext,
  job: JobSpecification,
  task: TaskSpecification,
  backend: FineTuneBackend,
): Promise<TrainResult> {
  requireSupported(context, backend, job)
  const watch = new TaskWatch(context.workspace, task.task)
  const planned = planTraining(context, job, task, backend)
  const pin = await pinNow(context, backend, planned.plan)
  const standing = await standingRun(context, planned, pin, backend)
  if (standing.result !== undefined) return standing.result
  await requireAccepted(context, backend, planned.plan)
  const priced = await priceOf(context, job, planned, backend)
  // What is submitted again under its key has its place below the ceilings already.
  if (standing.isReserved !== true) await requireRoom(context, job.job, priced.reservation)
  await requireConsent(context, backend, planned, priced.estimate)
  const onWait = () => context.report.note(`another command is starting the job ${job.job}; waiting for it`)
  const wait = { sleep: context.sleep, signal: context.signal, onWait }
  return withLongLock(context.workspace.lockFile(`${task.task}.${job.job}.training`), wait, async () => {
    // Another command may have started it while this one asked or waited.
    const current = await standingRun(context, planned, pin, backend)
    if (current.result !== undefined) return current.result
    return start(context, priced, { pin, known: current.run, watch }, backend)
  })
}

async function priceOf(
  context: StageContext,
  job: JobSpecification,
  planned: PlannedTraining,
  backend: FineTuneBackend,
): Promise<PricedTraining> {
  const estimate = await backend.estimate(planned.plan)
  return { ...planned, estimate, reservation: reservationOf(context, job, estimatedUsd(backend, estimate)) }
}

/** The run of the plan, and what there is to say of it where nothing is to be started. */
async function standingRun(
  context: StageContext,
  planned: PlannedTraining,
  pin: BasePin | undefined,
  backend: FineTuneBackend,
): Promise<{ readonly run?: string; readonly isReserved?: boolean; readonly result?: TrainResult }> {
  const run = await runOfPlan(context, planned.digest, pin)
  if (run === undefined) return {}
  await findLateJobs(context, run, backend)
  const { summary, submission } = await refreshRun(context, run, backend)
  if (submission === "unknown") throw uncertainRun(summary)
  if (summary.state === "succeeded") {
    if (hasMadeSomething(context, summary)) return { run, result: { state: "unchanged", run: summary, planned } }
    if (backend.kind === "hosted") throw missingModel(summary)
  }
  if (!isTerminal(summary.state) && summary.job !== undefined)
    return { run, result: { state: "reattached", run: summary, planned } }
  return { run, isReserved: isUnsettled(summary) }
}

async function start(
  context: StageContext,
  planned: PricedTraining,
  {
    pin,
    known,
    watch,
  }: { readonly pin: BasePin | undefined; readonly known: string | undefined; readonly watch: TaskWatch },
  backend: FineTuneBackend,
): Promise<TrainResult> {
  if (known !== undefined) requireWhole(context.workspace, known)
  const run = known ?? (await createRun(context, planned))
  const files = runFiles(context.workspace, run)
  watch.commit(() => writeRun(files, planned.plan, planned.rendered))
  keepPin(context, run, pin)
  await backend.prepare?.(baseOf(planned.plan))
  await submit(context, files, planned, backend)
  return { state: "started", run: await firstLook(context, run, backend), planned }
}

/** A backend that does not answer just now has the job all the same. */
async function firstLook(context: StageContext, run: string, backend: FineTuneBackend): Promise<RunSummary> {
  try {
    return await syncRun(context, run, backend)
  } catch (error) {
    if (!(error instanceof ToolkitError)) throw error
    context.report.warn(`${run} is submitted; how it goes is not known yet: ${error.message}`)
    return summaryOf(context, run)
  }
}

/** A new run of the plan, named by the job, the time and the plan. */
async function createRun(context: StageContext, { plan, digest }: PlannedTraining): Promise<string> {
  const ledger = context.ledger()
  const time = context.now().toISOString().replace(/[-:]/g, "").slice(0, 15)
  const name = `${plan.job}-${time}Z-${digest.slice(7, 13)}`
  const taken = new Set((await ledger.runs.list({ plan: digest })).map(({ run }) => run))
  let run = name
  for (let number = 2; taken.has(run); number++) run = `${name}-${number}`
  await ledger.runs.create({ run, job: plan.job, task: plan.task, plan: digest })
  return run
}

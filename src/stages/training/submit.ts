import { digest } from "../../core/canonical.ts"
import type { Estimate, FineTuneBackend, RunFiles } from "../../core/contracts/backend.ts"
import type { TrainingReservation } from "../../core/contracts/ledger.ts"
import { JobMayExistError, ProviderError, redactSecrets, ToolkitError } from "../../core/errors.ts"
import { isUnsettled, type RemoteJob } from "../../core/training/run.ts"
import type { StageContext } from "../context.ts"
import { ceilingReached } from "./ceilings.ts"
import { requireConsentAgain } from "./consent.ts"
import type { PlannedTraining } from "./plan-training.ts"
import { requireWhole, uncertainHint, uncertainRun } from "./run-errors.ts"
import { recordUploads, summaryOf } from "./sync.ts"

/** A planned training with what it may cost. */
export interface PricedTraining extends PlannedTraining {
  /** What was agreed to. */
  readonly estimate: Estimate
  readonly reservation: TrainingReservation
}

/**
 * The run's job is submitted once: its key is in the ledger before the backend hears of it. A submission of which the
 * backend said that it created no job keeps its key: a backend takes a key once.
 */
export async function submit(
  context: StageContext,
  files: RunFiles,
  priced: PricedTraining,
  backend: FineTuneBackend,
): Promise<void> {
  const { plan, digest: planDigest, reservation } = priced
  const ledger = context.ledger()
  const { run } = files
  requireWhole(context.workspace, run)
  const before = await summaryOf(context, run)
  const unsettledKey = isUnsettled(before) ? before.submissionKey : undefined
  const attempt = unsettledKey === undefined ? before.attempt + 1 : before.attempt
  const submissionKey = unsettledKey ?? digest({ plan: planDigest, run, attempt })
  if (unsettledKey === undefined) {
    const begun = await ledger.runs.beginSubmission(run, submissionKey, attempt, reservation)
    if (begun === "taken") return
    if (begun !== "begun") throw ceilingReached(plan.job, begun.reached, reservation.estimateUsd)
  }
  let job: RemoteJob
  let isUncreated = false
  try {
    const ask = async (usd: number) => {
      // Whatever ends it here, an interrupt as well, ends it before a job is asked for.
      isUncreated = true
      await requirePrice(context, { files, priced, submissionKey, backend }, usd)
      isUncreated = false
    }
    job = await backend.submit(plan, files, { submissionKey, resume: attempt > 1, priced: ask })
  } catch (error) {
    throw await recordFailure(context, { run, job: plan.job, backend, isUncreated }, error)
  } finally {
    await recordUploads(context, await summaryOf(context, run), backend)
  }
  // Another command that looked meanwhile may have found the job, and more.
  if ((await summaryOf(context, run)).job?.id !== job.id)
    await ledger.runs.appendEvents(run, [{ type: "submitted", job }])
}

/**
 * What the service asks becomes the attempt's estimate. Throws, before a job is created, where it passes a ceiling, or
 * is more than was agreed to and nobody agrees.
 */
async function requirePrice(
  context: StageContext,
  { files, priced, submissionKey, backend }: PricedSubmission,
  usd: number,
): Promise<void> {
  const { run } = files
  const { plan, reservation } = priced
  const revised = await context.ledger().runs.reviseEstimate(run, submissionKey, usd, reservation.ceilings)
  const sent = () => whatWasSent(files, backend)
  if (revised !== "revised")
    throw ceilingReached(plan.job, revised.reached, usd, { by: backend.name, sent: await sent() })
  await requireConsentAgain(context, backend, priced, usd, sent)
}

async function whatWasSent(files: RunFiles, backend: FineTuneBackend): Promise<string> {
  const uploads = (await backend.uploads?.(files)) ?? []
  const named = uploads.map(({ file, remoteId }) => `${file} (${remoteId})`).join(", ")
  return `No job was created. Uploaded: ${named}; delete them: tuneloop runs purge ${files.run}.`
}

interface PricedSubmission {
  readonly files: RunFiles
  readonly priced: PricedTraining
  readonly submissionKey: string
  readonly backend: FineTuneBackend
}

/** Only a known refusal is a failure. After anything else a job may exist, and be paid for. */
async function recordFailure(
  context: StageContext,
  {
    run,
    job,
    backend,
    isUncreated,
  }: { readonly run: string; readonly job: string; readonly backend: FineTuneBackend; readonly isUncreated: boolean },
  error: unknown,
): Promise<unknown> {
  const message = redactSecrets(error instanceof Error ? error.message : String(error))
  const given = error instanceof ToolkitError ? error.hint : undefined
  const isRefused = isUncreated || isRefusal(error)
  const hint = isRefused ? given : uncertainHint({ job, run }, backend.name, given)
  const state = isRefused ? "failed" : "uncertain"
  await context
    .ledger()
    .runs.appendEvents(run, [{ type: "state-changed", state, message, ...(hint === undefined ? {} : { hint }) }])
  return isRefused || !(error instanceof ToolkitError) ? error : uncertainRun({ run, message, hint })
}

/** Whether it is known that no job was created. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof ToolkitError) || error instanceof JobMayExistError) return false
  return !(error instanceof ProviderError) || !error.mayHaveCost
}

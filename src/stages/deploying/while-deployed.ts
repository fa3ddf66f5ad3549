import { redactSecrets, ToolkitError } from "../../core/errors.ts"
import type { LeasedDeployment } from "../../core/training/lease.ts"
import type { Lease } from "../../core/training/leases.ts"
import type { StageContext } from "../context.ts"
import { type ConsentedWish, deployNew, standingLease } from "./deploy.ts"
import type { DeployingBackend } from "./deployers.ts"
import { endLease, towardsEnd } from "./end-lease.ts"
import { withLeaseLock } from "./lease-lock.ts"
import { planDeployment, requireServingRoom } from "./plan-deployment.ts"
import { whenReady } from "./wait-ready.ts"

/** How a model is deployed for as long as an evaluation asks it. */
export interface DeployTerms extends ConsentedWish {
  /** The backend once more, for the tearing down: an interrupt does not reach it. */
  readonly reopen: () => Promise<DeployingBackend>
}

/**
 * Does the work while the run's model is deployed. A lease that goes on is used: one for serving stays, one for an
 * evaluation, of an earlier command too, is torn down when the work ends, however it ends. A process that is killed
 * leaves it in the ledger, where the next evaluation or `runs sync` finds it.
 */
export function whileDeployed<Result>(
  context: StageContext,
  run: string,
  backend: DeployingBackend,
  terms: DeployTerms,
  work: (deployment: LeasedDeployment, context: StageContext) => Promise<Result>,
): Promise<Result> {
  return withLeaseLock(context, run, async () => {
    try {
      const lease =
        (await standingLease(context, backend, run)) ??
        (await deployNew(context, run, backend, { ...terms, purpose: "evaluation" }))
      await whenReady(context, backend, lease)
      return await withinLease(context, lease, (within) => work(lease.deployment as LeasedDeployment, within))
    } finally {
      await tearDown(context, run, terms)
    }
  })
}

/**
 * Whoever pays has agreed, before anything is opened that cannot be closed, where it is certain that the model has to
 * be deployed: it never was.
 */
export async function agreeBeforehand(
  context: StageContext,
  run: string,
  backend: DeployingBackend,
  { consent, ...wish }: ConsentedWish,
): Promise<void> {
  if ((await context.readLedger().runs.leases(run)).length > 0) return
  const plan = await planDeployment(context, run, backend, { ...wish, purpose: "evaluation" })
  await requireServingRoom(context, plan)
  await consent(plan)
}

const longestTimerMs = 2 ** 31 - 1

/** The work ends with the lease: nobody agreed to pay for more. */
async function withinLease<Result>(
  context: StageContext,
  { run, until }: Lease,
  work: (within: StageContext) => Promise<Result>,
): Promise<Result> {
  const leftMs = Math.max(0, Date.parse(until) - context.now().getTime())
  const end = AbortSignal.timeout(Math.min(leftMs, longestTimerMs))
  try {
    return await work({ ...context, signal: AbortSignal.any([context.signal, end]) })
  } catch (error) {
    if (!end.aborted || context.signal.aborted) throw error
    throw new ToolkitError(`the lease of ${run} ended before its questions were answered`, {
      code: "lease-over",
      hint: `What was answered is kept: tuneloop evaluate ${run} --deploy --hours N`,
    })
  }
}

/**
 * What cannot be torn down now is said, and stays in the ledger for the next command. Whoever pressed Ctrl-C does not
 * wait until what was told to stop has stopped.
 */
async function tearDown(context: StageContext, run: string, { reopen }: DeployTerms): Promise<void> {
  const open = (await context.ledger().runs.leases(run)).find(isLeftOver)
  if (open === undefined) return
  const calm = { ...context, signal: new AbortController().signal }
  try {
    const end = context.signal.aborted ? towardsEnd : endLease
    const { state, usd } = await end(calm, await reopen(), open, "its evaluation has ended")
    if (state === "over")
      context.report.note(`the deployment of ${run} is torn down; it cost about $${(usd ?? 0).toFixed(2)}`)
    else
      context.report.warn(
        `what is deployed for ${run} was told to stop, and bills $${open.usdPerHour} an hour until it has\n` +
          "End its lease when it has: tuneloop runs sync",
      )
  } catch (error) {
    const reason = redactSecrets(error instanceof Error ? error.message : String(error))
    context.report.warn(
      `the deployment of ${run} may go on billing $${open.usdPerHour} an hour, it could not be torn down: ` +
        `${reason}\nEnd it: tuneloop runs undeploy ${run}`,
    )
  }
}

function isLeftOver({ state, purpose }: Lease): boolean {
  return state !== "over" && purpose === "evaluation"
}

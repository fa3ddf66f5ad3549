import { contentId } from "../../core/canonical.ts"
import { JobMayExistError, ProviderError, ToolkitError, redactSecrets } from "../../core/errors.ts"
import type { LeasedDeployment } from "../../core/training/lease.ts"
import type { Lease } from "../../core/training/leases.ts"
import type { StageContext } from "../context.ts"
import type { DeployingBackend } from "./deployers.ts"
import { endLease, settleLease } from "./end-lease.ts"
import { withLeaseLock } from "./lease-lock.ts"
import {
  type DeploymentPlan,
  type DeploymentWish,
  planDeployment,
  requireServingRoom,
  servingCeiling,
} from "./plan-deployment.ts"

export interface DeployResult {
  /** `unchanged`: the run's model is deployed already, under a lease that is not over. */
  readonly state: "deployed" | "unchanged"
  readonly lease: Lease
}

/** What a person asks for, and how they agree to its price. */
export interface ConsentedWish extends DeploymentWish {
  /** Resolves when whoever pays agrees to the plan; throws where they do not, or cannot be asked. */
  readonly consent: (plan: DeploymentPlan) => Promise<void>
}

/** The run's model is deployed, under one lease at a time. What an earlier command began is looked for first. */
export function deployRun(
  context: StageContext,
  run: string,
  backend: DeployingBackend,
  wish: ConsentedWish,
): Promise<DeployResult> {
  return withLeaseLock(context, run, async () => {
    const standing = await standingLease(context, backend, run)
    if (standing !== undefined) return { state: "unchanged", lease: standing }
    return { state: "deployed", lease: await deployNew(context, run, backend, { ...wish, purpose: "serving" }) }
  })
}

/**
 * The run's model is deployed under a new lease, after whoever pays agreed. Only for whoever has the run's lock, where
 * no lease of the run goes on.
 */
export async function deployNew(
  context: StageContext,
  run: string,
  backend: DeployingBackend,
  { consent, ...wish }: ConsentedWish & Pick<DeploymentPlan, "purpose">,
): Promise<Lease> {
  const plan = await planDeployment(context, run, backend, wish)
  await requireServingRoom(context, plan)
  await consent(plan)
  return make(context, backend, await begin(context, plan), plan)
}

/**
 * The run's lease that goes on, with what is deployed for it; undefined where it has none. One whose time is up, that
 * was being torn down, or that the service has ended is over when this returns. Only for whoever has the run's lock.
 */
export async function standingLease(
  context: StageContext,
  backend: DeployingBackend,
  run: string,
): Promise<Lease | undefined> {
  const open = (await context.ledger().runs.leases(run)).find(({ state }) => state !== "over")
  if (open === undefined) return undefined
  const lease = await settleLease(context, backend, open)
  if (lease.state === "over") return undefined
  const reason = await reasonToEnd(context, backend, lease)
  if (reason === undefined) return lease
  await endLease(context, backend, lease, reason)
  return undefined
}

/** Why a lease is not to go on; undefined where it may. */
export async function reasonToEnd(
  context: StageContext,
  backend: DeployingBackend,
  { state, until, deployment }: Lease,
): Promise<string | undefined> {
  if (state === "undeploying") return "it was being torn down"
  if (Date.parse(until) <= context.now().getTime()) return "its time was up"
  const there = deployment && (await backend.deploymentState(deployment))
  return there === "stopped" || there === "failed" || there === "gone" ? `the service says: ${there}` : undefined
}

/** The intent is in the ledger: from here on a crash forgets nothing. */
async function begin(context: StageContext, plan: DeploymentPlan): Promise<Lease> {
  const { run, offer, hours, purpose, usd } = plan
  const { runs } = context.ledger()
  const now = context.now()
  const { hardware, usdPerHour, asOf, source } = offer
  const key = contentId("lease", { run, at: now.toISOString(), number: (await runs.leases(run)).length })
  const until = new Date(now.getTime() + hours * 3_600_000).toISOString()
  const terms = { key, purpose, hardware, usdPerHour, asOf, source, until }
  const begun = await runs.beginLease(run, terms, context.workspace.settings.budgets.servingUsd)
  if (begun !== "begun" && begun !== "taken") throw servingCeiling(begun.reached, usd)
  const lease = (await runs.leases(run)).find((candidate) => candidate.key === key)
  if (lease !== undefined) return lease
  throw new ToolkitError(`another command is deploying ${run}`, {
    code: "lease-uncertain",
    hint: `See what came of it: tuneloop runs show ${run}`,
  })
}

/**
 * Makes the deployment of a lease that was just begun, once. Where it is known that nothing was made the lease is over;
 * where it is not, it is `uncertain` until somebody looks.
 */
async function make(
  context: StageContext,
  backend: DeployingBackend,
  lease: Lease,
  { model, offer, hours }: Pick<DeploymentPlan, "model" | "offer" | "hours">,
): Promise<Lease> {
  const { run, key } = lease
  const { hardware, config } = offer
  const { runs } = context.ledger()
  let deployment: LeasedDeployment
  try {
    deployment = await backend.deploy(model, { key, hardware, config, minutes: hours * 60 })
  } catch (error) {
    if (!isRefusal(error)) throw uncertainLease(context, run, error)
    const reason = redactSecrets((error as Error).message)
    await runs.appendEvents(run, [
      { type: "undeployed", lease: key, endedAt: context.now().toISOString(), usd: 0, reason },
    ])
    throw error
  }
  await runs.appendEvents(run, [{ type: "deployed", lease: key, deployment }])
  return { ...lease, state: "deployed", deployment }
}

/** Whether it is known that nothing was made. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof ToolkitError) || error instanceof JobMayExistError) return false
  return !(error instanceof ProviderError) || !error.mayHaveCost
}

/** An interrupt and a bug stay what they are; whoever pressed Ctrl-C must know what may go on. */
function uncertainLease({ report }: StageContext, run: string, error: unknown): unknown {
  if (!(error instanceof ToolkitError)) {
    report.warn(`it is not known whether the model of ${run} is deployed, and bills: tuneloop runs undeploy ${run}`)
    return error
  }
  return new ToolkitError(`it is not known whether the model of ${run} is deployed: ${error.message}`, {
    code: "lease-uncertain",
    hint: `It may bill. Look for it and end it: tuneloop runs undeploy ${run}`,
    cause: error,
  })
}

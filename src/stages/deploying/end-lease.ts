import { type Lease, leaseUsd } from "../../core/training/leases.ts"
import type { StageContext } from "../context.ts"
import type { DeployingBackend } from "./deployers.ts"

/**
 * The lease with what the service made for it, or over where it made nothing. Throws where the service cannot say.
 * Only for whoever has the run's lock: another command may be about to deploy.
 */
export async function settleLease(context: StageContext, backend: DeployingBackend, lease: Lease): Promise<Lease> {
  if (lease.state !== "uncertain") return lease
  const { run, key, askedAt } = lease
  const deployment = await backend.findDeployment(key, askedAt)
  if (deployment === undefined) return over(context, lease, { endedAt: askedAt, reason: neverMade })
  await context.ledger().runs.appendEvents(run, [{ type: "deployed", lease: key, deployment }])
  return { ...lease, state: "deployed", deployment }
}

/** Why a lease is over for which the service made nothing. */
export const neverMade = "nothing was made for it"

/**
 * Nothing of the lease bills any more, and the ledger knows what it cost. One that was told to end before, and is not
 * there any more, ended then. Only for whoever has the run's lock.
 */
export async function endLease(
  context: StageContext,
  backend: DeployingBackend,
  open: Lease,
  reason: string,
): Promise<Lease> {
  const lease = await settleLease(context, backend, open)
  const { run, key, deployment, endingAt } = lease
  if (lease.state === "over" || deployment === undefined) return lease
  if (endingAt !== undefined && (await backend.deploymentState(deployment)) === "gone")
    return over(context, lease, { endedAt: endingAt, reason })
  await context.ledger().runs.appendEvents(run, [{ type: "undeploying", lease: key }])
  await backend.undeploy(deployment)
  return over(context, lease, { endedAt: context.now().toISOString(), reason })
}

async function over(
  context: StageContext,
  lease: Lease,
  { endedAt, reason }: { readonly endedAt: string; readonly reason: string },
): Promise<Lease> {
  const usd = leaseUsd(lease, new Date(endedAt))
  await context.ledger().runs.appendEvents(lease.run, [{ type: "undeployed", lease: lease.key, endedAt, usd, reason }])
  return { ...lease, state: "over", endedAt, usd, reason }
}

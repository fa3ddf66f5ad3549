import { ToolkitError } from "../../core/errors.ts"
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

/** How long a command waits for what was told to stop; a service drains it first. */
const longestDrainMs = 120_000
const lookMs = 5000

/**
 * Nothing of the lease bills any more, and the ledger knows what it cost. Throws where the service has not stopped it
 * in time: it was told to, and another call ends it. Only for whoever has the run's lock.
 */
export async function endLease(
  context: StageContext,
  backend: DeployingBackend,
  open: Lease,
  reason: string,
): Promise<Lease> {
  for (let lease = open, waitedMs = 0; ; waitedMs += lookMs) {
    lease = await towardsEnd(context, backend, lease, reason)
    if (lease.state === "over") return lease
    if (waitedMs >= longestDrainMs)
      throw new ToolkitError(`what is deployed for ${lease.run} was told to stop and has not yet: it bills till then`, {
        code: "lease-stopping",
        hint: "End the lease when it has: tuneloop runs sync",
      })
    if (waitedMs === 0) context.report.note(`waiting until what is deployed for ${lease.run} has stopped`)
    await context.sleep(lookMs)
    context.signal.throwIfAborted()
  }
}

/**
 * One step towards the end of a lease, at once: over, or `undeploying` while the service takes its time. One that was
 * told to end before, and is not there any more, ended then.
 */
export async function towardsEnd(
  context: StageContext,
  backend: DeployingBackend,
  open: Lease,
  reason: string,
): Promise<Lease> {
  const lease = await settleLease(context, backend, open)
  const { run, key, deployment, endingAt } = lease
  if (lease.state === "over" || deployment === undefined) return lease
  const before = endingAt === undefined ? undefined : await backend.deploymentState(deployment)
  if (endingAt === undefined) await context.ledger().runs.appendEvents(run, [{ type: "undeploying", lease: key }])
  if (before === "gone") return over(context, lease, { endedAt: endingAt ?? context.now().toISOString(), reason })
  const there = await backend.undeploy(deployment)
  const now = context.now().toISOString()
  if (there !== "gone") return { ...lease, state: "undeploying", endingAt: endingAt ?? now }
  return over(context, lease, { endedAt: now, reason })
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

import { canonicalJson } from "../../core/canonical.ts"
import { ProviderError, ToolkitError } from "../../core/errors.ts"
import type { Lease } from "../../core/training/leases.ts"
import type { StageContext } from "../context.ts"
import { choiceOfRun } from "../training/run-choice.ts"
import type { OpenBackend } from "../training/sync-all.ts"
import { reasonToEnd } from "./deploy.ts"
import { canDeploy, type DeployingBackend } from "./deployers.ts"
import { neverMade, settleLease, towardsEnd } from "./end-lease.ts"
import { ifLeaseIsFree } from "./lease-lock.ts"

/** What one pass found of a lease. */
export interface LookedAtLease {
  readonly lease: Lease
  /**
   * `billing`: it goes on. `ended`: it was torn down now, or the service had ended it. `stopping`: it was told to end,
   * and bills until it has stopped. `never made`: there is nothing of it. `busy`: another command is at it.
   * `uncertain`, `unreachable`, `failed`: it may bill, and could not be ended.
   */
  readonly outcome: "billing" | "ended" | "stopping" | "never made" | "busy" | "uncertain" | "unreachable" | "failed"
  readonly reason?: string
  readonly hint?: string
}

/** A create that was lost may be carried out late; after a day nobody's is any more. */
const longestLookMs = 24 * 3_600_000

/**
 * One look at every lease that is not over. Those whose time is up are torn down, and those of evaluations that nobody
 * is at: whatever crashed, nothing bills for longer than until the next pass. A service that cannot be reached is not
 * asked again in the same pass.
 */
export async function syncLeases(context: StageContext, open: OpenBackend): Promise<readonly LookedAtLease[]> {
  const looked: LookedAtLease[] = []
  const silent = new Map<string, string>()
  for (const lease of await context.ledger().runs.leases()) {
    context.signal.throwIfAborted()
    if (lease.state !== "over") looked.push(await look(context, lease, open, silent))
    else if (mayTurnUp(lease, context.now())) looked.push(...(await lookLate(context, lease, open)))
  }
  return looked
}

async function look(
  context: StageContext,
  lease: Lease,
  open: OpenBackend,
  silent: Map<string, string>,
): Promise<LookedAtLease> {
  const choice = choiceOfRun(context, lease.run)
  const place = canonicalJson({ ...choice })
  const quiet = silent.get(place)
  if (quiet !== undefined) return { lease, outcome: "unreachable", reason: quiet }
  try {
    const backend = choice && (await open(choice))
    if (backend === undefined || !canDeploy(backend))
      return { lease, outcome: "failed", reason: `nobody knows where ${lease.run} is deployed: it has no plan` }
    const found = await ifLeaseIsFree(context, lease.run, () => endOrLeave(context, backend, lease))
    return found === "busy" ? { lease, outcome: "busy" } : found
  } catch (error) {
    context.signal.throwIfAborted()
    if (!(error instanceof ToolkitError)) throw error
    const isSilent = error instanceof ProviderError && error.isUnreachable
    if (isSilent) silent.set(place, error.message)
    const { message: reason, hint } = error
    const isLagging = error instanceof ProviderError && error.status === undefined
    const outcome = isSilent ? "unreachable" : isLagging ? "uncertain" : "failed"
    return { lease, outcome, reason, ...(hint === undefined ? {} : { hint }) }
  }
}

async function endOrLeave(context: StageContext, backend: DeployingBackend, known: Lease): Promise<LookedAtLease> {
  const lease = await settleLease(context, backend, known)
  if (lease.state === "over") return { lease, outcome: "never made" }
  const reason =
    lease.purpose === "evaluation"
      ? "its evaluation had ended without tearing it down"
      : await reasonToEnd(context, backend, lease)
  if (reason === undefined) return { lease, outcome: "billing" }
  const ended = await towardsEnd(context, backend, lease, reason)
  return { lease: ended, outcome: ended.state === "over" ? "ended" : "stopping", reason }
}

function mayTurnUp({ reason, askedAt }: Lease, now: Date): boolean {
  return reason === neverMade && Math.abs(now.getTime() - Date.parse(askedAt)) < longestLookMs
}

/** What turned up after all is torn down: nobody counts on it any more. A service that does not say is no error. */
async function lookLate(context: StageContext, lease: Lease, open: OpenBackend): Promise<LookedAtLease[]> {
  const choice = choiceOfRun(context, lease.run)
  const { run, key, askedAt } = lease
  try {
    const backend = choice && (await open(choice))
    const deployment =
      backend !== undefined && canDeploy(backend) ? await backend.findDeployment(key, askedAt) : undefined
    if (backend === undefined || !canDeploy(backend) || deployment === undefined) return []
    await context.ledger().runs.appendEvents(run, [{ type: "deployed", lease: key, deployment }])
    const reason = "it was made late, after the service had known of nothing"
    const late = { ...lease, state: "deployed", deployment, usd: undefined, endedAt: undefined } as const
    const ended = await towardsEnd(context, backend, late, reason)
    return [{ lease: ended, outcome: ended.state === "over" ? "ended" : "stopping", reason }]
  } catch (error) {
    context.signal.throwIfAborted()
    if (error instanceof ToolkitError) return []
    throw error
  }
}

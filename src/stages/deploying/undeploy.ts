import type { StandingDeployment } from "../../core/contracts/deployment.ts"
import type { Lease } from "../../core/training/leases.ts"
import type { StageContext } from "../context.ts"
import type { DeployingBackend } from "./deployers.ts"
import { endLease } from "./end-lease.ts"
import { withLeaseLock } from "./lease-lock.ts"

/** The run's lease that is not over is torn down; undefined where it has none. Safe to repeat. */
export function undeployRun(context: StageContext, run: string, backend: DeployingBackend): Promise<Lease | undefined> {
  return withLeaseLock(context, run, async () => {
    const open = await openLease(context, run)
    return open && endLease(context, backend, open, "a person ended it")
  })
}

/** The run's lease that is not over. */
export async function openLease(context: StageContext, run: string): Promise<Lease | undefined> {
  return (await context.readLedger().runs.leases(run)).find(({ state }) => state !== "over")
}

/**
 * What stands at the service under a key of Tuneloop's that no open lease of this ledger has: made late after it had
 * been given up, or by another workspace with the same account.
 */
export async function strayDeployments(
  context: StageContext,
  backend: DeployingBackend,
): Promise<readonly StandingDeployment[]> {
  const leases = await context.readLedger().runs.leases()
  const open = new Set(leases.flatMap(({ key, state }) => (state === "over" ? [] : [key])))
  return (await backend.deployments()).filter(({ key }) => key !== undefined && !open.has(key))
}

import type { DeploymentState } from "../../core/contracts/deployment.ts"
import { ProviderError, ToolkitError } from "../../core/errors.ts"
import { isExpired, type Lease } from "../../core/training/leases.ts"
import type { StageContext } from "../context.ts"
import type { DeployingBackend } from "./deployers.ts"

const lookMs = 5000
const longestBackoffMs = 60_000

/**
 * Resolves when what is deployed for the lease answers. Throws where the service gave up, and where the lease ends
 * before. A service that cannot be reached is asked again, less and less often.
 */
export async function whenReady(
  context: StageContext,
  backend: DeployingBackend,
  { run, deployment, until, askedAt }: Lease,
): Promise<void> {
  if (deployment === undefined) return
  for (let failures = 0; ; ) {
    const state = await patiently(() => backend.deploymentState(deployment))
    if (state === "ready") return
    if (state !== undefined && state !== "starting")
      throw notReady(run, `the service says that it is ${state}, and it never answered`)
    context.signal.throwIfAborted()
    if (isExpired({ until }, context.now())) throw notReady(run, "its lease ended before it answered")
    const seconds = Math.round((context.now().getTime() - Date.parse(askedAt)) / 1000)
    context.report.progress(`the model of ${run} is being deployed, ${seconds} s so far`)
    failures = state === undefined ? failures + 1 : 0
    await context.sleep(Math.min(longestBackoffMs, lookMs * 2 ** failures))
    context.signal.throwIfAborted()
  }
}

/** Undefined where nobody answered. */
async function patiently(look: () => Promise<DeploymentState>): Promise<DeploymentState | undefined> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof ProviderError && error.isRetryable) return undefined
    throw error
  }
}

function notReady(run: string, reason: string): ToolkitError {
  return new ToolkitError(`the deployment of ${run} came to nothing: ${reason}`, {
    code: "deployment-failed",
    hint: `See what it cost: tuneloop runs show ${run}`,
  })
}

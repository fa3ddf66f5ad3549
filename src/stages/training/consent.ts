import type { Estimate, FineTuneBackend } from "../../core/contracts/backend.ts"
import { UsageError } from "../../core/errors.ts"
import { showUsd } from "../asking/money.ts"
import type { StageContext } from "../context.ts"
import { estimatedUsd } from "./ceilings.ts"
import type { PlannedTraining } from "./plan-training.ts"

/**
 * Whoever pays has agreed to the plan and its estimate, or the training costs nothing. Called right before the first
 * act that costs, by whatever command.
 */
export async function requireConsent(
  context: StageContext,
  backend: FineTuneBackend,
  { plan, digest, rendered }: PlannedTraining,
  estimate: Estimate,
): Promise<void> {
  const usd = estimatedUsd(backend, estimate)
  if (backend.kind !== "hosted" && usd === 0) return
  await context.consent({ ...actOf(backend, { plan, digest, rendered }, estimate), isUnpriced: usd === undefined })
}

/**
 * Whoever pays has agreed to what the service itself asks, where it is more than they agreed to before. Whoever agreed
 * to a price that nobody knew is not asked again. `sent` says what a refusal leaves behind.
 */
export async function requireConsentAgain(
  context: StageContext,
  backend: FineTuneBackend,
  priced: PlannedTraining & { readonly estimate: Estimate },
  askedUsd: number,
  sent: () => Promise<string>,
): Promise<void> {
  const agreedUsd = estimatedUsd(backend, priced.estimate)
  if (agreedUsd === undefined || askedUsd <= agreedUsd || showUsd(askedUsd) === showUsd(agreedUsd)) return
  try {
    await context.consent({ ...actOf(backend, priced, priced.estimate), raised: { agreedUsd, askedUsd } })
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(error.message, [error.hint, await sent()].filter((line) => line !== undefined).join(" "))
  }
}

function actOf({ name, notes }: FineTuneBackend, { plan, digest, rendered }: PlannedTraining, estimate: Estimate) {
  const [firstRow = ""] = rendered.train
  return { backend: name, plan, planDigest: digest, estimate, notes, firstRow: firstRow.trimEnd() }
}

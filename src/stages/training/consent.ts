import type { Estimate, FineTuneBackend } from "../../core/contracts/backend.ts"
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
  const [firstRow = ""] = rendered.train
  await context.consent({
    ...{ backend: backend.name, plan, planDigest: digest, estimate, notes: backend.notes },
    isUnpriced: usd === undefined,
    firstRow: firstRow.trimEnd(),
  })
}

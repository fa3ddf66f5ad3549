import type { Estimate, FineTuneBackend } from "../../core/contracts/backend.ts"
import type { StageContext } from "../context.ts"
import type { PlannedTraining } from "./plan-training.ts"

/**
 * Whoever pays has agreed to the plan and its estimate, or the training costs nothing. Called right before the first
 * act that costs, by whatever command.
 */
export async function requireConsent(
  context: StageContext,
  backend: FineTuneBackend,
  { plan, digest, rendered }: PlannedTraining,
): Promise<void> {
  const estimate = await backend.estimate(plan)
  if (backend.kind !== "hosted" && !costsMoney(estimate)) return
  const [firstRow = ""] = rendered.train
  await context.consent({
    ...{ backend: backend.name, plan, planDigest: digest, estimate, notes: backend.notes },
    firstRow: firstRow.trimEnd(),
  })
}

function costsMoney({ figures }: Estimate): boolean {
  return figures.some(({ value, unit }) => unit.toUpperCase() === "USD" && value > 0)
}

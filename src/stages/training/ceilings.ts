import type { ReachedTrainingCeiling, TrainingReservation } from "../../core/contracts/ledger.ts"
import type { Estimate, FineTuneBackend } from "../../core/contracts/backend.ts"
import { BudgetError, ToolkitError, UsageError } from "../../core/errors.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import type { TrainingSpending } from "../../core/training/spending.ts"
import { showUsd } from "../asking/money.ts"
import type { StageContext } from "../context.ts"

/** What it costs by the estimate; undefined where a service has no price. A runner without a price costs nothing. */
export function estimatedUsd({ kind }: Pick<FineTuneBackend, "kind">, { figures }: Estimate): number | undefined {
  const costs = figures.filter(({ unit }) => unit.toUpperCase() === "USD")
  if (costs.length === 0) return kind === "hosted" ? undefined : 0
  return costs.reduce((sum, { value }) => sum + value, 0)
}

/**
 * What the training may cost below the ceilings of its job and of the workspace. Throws where nobody knows what it
 * costs and there is a ceiling, unless the job allows it.
 */
export function reservationOf(
  { workspace, now }: StageContext,
  { job, baseModel, budgetUsd, allowUnknownCost }: JobSpecification,
  estimateUsd: number | undefined,
): TrainingReservation {
  const { trainingUsd } = workspace.settings.budgets
  const names = [
    ...(budgetUsd === undefined ? [] : [`budgetUsd in jobs/${job}.yaml`]),
    ...(trainingUsd === undefined ? [] : ["budgets.trainingUsd in tuneloop.yaml"]),
  ]
  if (estimateUsd === undefined && names.length > 0 && allowUnknownCost !== true)
    throw new UsageError(
      `nobody wrote down what training on ${baseModel} costs, and ${names.join(" and ")} is a ceiling on the cost`,
      "Put its price into prices.yaml in the workspace:\n" +
        `  training:\n    - { match: ${JSON.stringify(baseModel)}, usdPerMillionTokens: 3, ` +
        `asOf: ${now().toISOString().slice(0, 10)}, source: "where it is written" }\n` +
        `or allowUnknownCost: true into jobs/${job}.yaml to train all the same.`,
    )
  return { estimateUsd, ceilings: { jobUsd: budgetUsd, workspaceUsd: trainingUsd } }
}

/** Throws a BudgetError, before anything is written or sent, where the training would pass a ceiling. */
export async function requireRoom(
  context: StageContext,
  job: string,
  { estimateUsd = 0, ceilings }: TrainingReservation,
): Promise<void> {
  const { runs } = context.readLedger()
  for (const [scope, limitUsd] of [
    ["job", ceilings.jobUsd],
    ["workspace", ceilings.workspaceUsd],
  ] as const) {
    if (limitUsd === undefined) continue
    const spending = await runs.spending(scope === "job" ? job : undefined)
    if (spending.endedUsd + spending.openUsd + estimateUsd > limitUsd)
      throw ceilingReached(job, { scope, limitUsd, spending }, estimateUsd)
  }
}

/** Why a training of that cost would be refused by a ceiling; undefined where it would not. */
export async function ceilingRefusal(
  context: StageContext,
  job: JobSpecification,
  estimateUsd: number | undefined,
): Promise<ToolkitError | undefined> {
  try {
    await requireRoom(context, job.job, reservationOf(context, job, estimateUsd))
    return undefined
  } catch (error) {
    if (error instanceof ToolkitError) return error
    throw error
  }
}

/** A submit that would pass a ceiling as an error with the figures: who says what it costs, and what was sent. */
export function ceilingReached(
  job: string,
  { scope, limitUsd, spending }: ReachedTrainingCeiling,
  estimateUsd: number | undefined,
  { by, sent }: { readonly by?: string; readonly sent: string } = { sent: "Nothing was sent." },
): BudgetError {
  const [whose, setting] = {
    job: [`job ${job}`, `budgetUsd in jobs/${job}.yaml`] as const,
    workspace: ["the workspace", "budgets.trainingUsd in tuneloop.yaml"] as const,
  }[scope]
  const cost = estimateUsd === undefined ? "nobody knows what" : `about ${showUsd(estimateUsd)}`
  return new BudgetError(
    `this training would pass the ceiling of ${whose}, ${showUsd(limitUsd)}: ` +
      `it costs ${cost}${by === undefined ? "" : ` by ${by}'s own estimate`}, ${describeSpending(spending)}`,
    `${sent} Raise ${setting}, or train on fewer rows or epochs; tuneloop runs ls shows what each run cost.`,
  )
}

function describeSpending({ endedUsd, openUsd, unknown }: TrainingSpending): string {
  return [
    `ended trainings cost ${showUsd(endedUsd)}`,
    `open ones about ${showUsd(openUsd)}`,
    ...(unknown === 0 ? [] : [`and of ${unknown} nobody knows what they cost`]),
  ].join(", ")
}

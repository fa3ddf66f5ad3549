import type { ServingOffer } from "../../core/contracts/deployment.ts"
import { BudgetError, ToolkitError, UsageError } from "../../core/errors.ts"
import type { LeaseTerms } from "../../core/training/lease.ts"
import { reachedLeaseCeiling } from "../../core/training/leases.ts"
import type { ModelRef } from "../../core/training/model-ref.ts"
import { reduceRun } from "../../core/training/run.ts"
import { readAdopted } from "../../store/rows/adopted-runs.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import { showUsd } from "../asking/money.ts"
import type { StageContext } from "../context.ts"
import { modelOf } from "../training/run-model.ts"
import type { DeployingBackend } from "./deployers.ts"

/** What a person asks for. */
export interface DeploymentWish {
  readonly hours: number
  /** The service's own name of a machine; the cheapest that can be had where absent. */
  readonly hardware?: string | undefined
}

/** A deployment before anything of it is made: what, where, for how long and at what price. */
export interface DeploymentPlan {
  readonly run: string
  readonly model: ModelRef
  readonly backend: string
  readonly offer: ServingOffer
  readonly hours: number
  readonly purpose: LeaseTerms["purpose"]
  /** The price for all of its time. */
  readonly usd: number
}

/** The deployment of the run's model as it would be made now; the service is asked for its machines and prices. */
export async function planDeployment(
  context: StageContext,
  run: string,
  backend: DeployingBackend,
  { hours, hardware, purpose }: DeploymentWish & Pick<DeploymentPlan, "purpose">,
): Promise<DeploymentPlan> {
  const { model, baseModel } = await deployableModel(context, run)
  const offer = chosenOffer(backend.name, baseModel, await backend.offers(baseModel, model), hardware)
  return { run, model, backend: backend.name, offer, hours, purpose, usd: offer.usdPerHour * hours }
}

/** Throws a BudgetError, before anything is written or sent, where all of its time would pass the ceiling. */
export async function requireServingRoom(context: StageContext, { offer, hours, usd }: DeploymentPlan): Promise<void> {
  const now = context.now()
  const until = new Date(now.getTime() + hours * 3_600_000).toISOString()
  const ceilingUsd = context.workspace.settings.budgets.servingUsd
  const leases = await context.readLedger().runs.leases()
  const reached = reachedLeaseCeiling(leases, { usdPerHour: offer.usdPerHour, until }, ceilingUsd, now)
  if (reached !== undefined) throw servingCeiling(reached, usd)
}

/** A deployment that would pass the ceiling as an error with the figures; nothing was sent. */
export function servingCeiling(
  { limitUsd, spentUsd }: { readonly limitUsd: number; readonly spentUsd: number },
  usd: number,
): BudgetError {
  return new BudgetError(
    `this deployment would pass the ceiling of the workspace, ${showUsd(limitUsd)}: it costs up to ${showUsd(usd)}, ` +
      `others cost ${showUsd(spentUsd)}, those that are not over to their end`,
    "Nothing was sent. Raise budgets.servingUsd in tuneloop.yaml, or give fewer --hours.",
  )
}

async function deployableModel(
  context: StageContext,
  run: string,
): Promise<{ readonly model: ModelRef; readonly baseModel: string }> {
  const summary = reduceRun(run, await context.readLedger().runs.events(run))
  const model = modelOf(context, summary)
  const files = runFiles(context.workspace, run)
  const baseModel = readPlan(files)?.baseModel ?? readAdopted(files)?.baseModel
  if (summary.state !== "succeeded" || model?.kind !== "hosted" || baseModel == null)
    throw new ToolkitError(`run ${run} is ${summary.state} and has no model at a service that could be deployed`, {
      code: "run-not-finished",
      hint: `tuneloop runs show ${run}`,
    })
  return { model, baseModel }
}

function chosenOffer(
  backend: string,
  baseModel: string,
  offers: readonly ServingOffer[],
  hardware: string | undefined,
): ServingOffer {
  const names = offers.map((offer) => `${offer.hardware}${offer.isAvailable ? "" : " (taken now)"}`).join(", ")
  if (offers.length === 0)
    throw new ToolkitError(`${backend} serves no model that is tuned from ${baseModel}`, {
      code: "unsupported",
      exitCode: 2,
      hint: "Look at `docs/backends.md` for how it serves models, or bring the weights home: tuneloop runs fetch <run>",
    })
  if (hardware === undefined) {
    const offer = offers.find(({ isAvailable }) => isAvailable)
    if (offer !== undefined) return offer
    throw new ToolkitError(`${backend} has no machine free for a model of ${baseModel}: ${names}`, {
      code: "no-hardware",
      hint: "Try again later.",
    })
  }
  const offer = offers.find((candidate) => candidate.hardware === hardware)
  if (offer !== undefined) return offer
  throw new UsageError(`${backend} cannot serve it on ${hardware}; allowed: ${names}`)
}

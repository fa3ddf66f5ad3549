import type { Estimate, TrainingPlan } from "../../../core/contracts/backend.ts"
import { ToolkitError, UsageError } from "../../../core/errors.ts"
import { nearest, show } from "../../../core/parse.ts"
import type { HubFacts } from "./facts.ts"
import type { Hub, HubHardware } from "./hub.ts"

/** A machine's price, and where it is known from. */
export interface Rate {
  readonly usdPerHour: number
  readonly source: "provider" | "rule of thumb"
  readonly detail: string
}

/** How long a training takes by rule of thumb, and how long its job may take. */
export interface Reckoning {
  readonly tokens: number
  /** With the making of the trainer environment and the fetching of the base model. */
  readonly seconds: number
  readonly timeoutSeconds: number
  readonly detail: string
}

interface Choice {
  readonly flavor: string
  /** As the job says; derived from the estimate where absent. */
  readonly timeoutSeconds?: number | undefined
}

const setUpSeconds = 600
const shortestTimeoutSeconds = 3600
const spareFactor = 2
const bytesPerToken = 4
/** Forwards and backwards. */
const operationsPerWeight = 6
const assumedWeights = 8e9
const fallbackTeraflops = 10

/** What an hour costs: by the service's own list, or by the facts where it does not answer. */
export async function rateOf(hub: Hub, facts: HubFacts, flavor: string): Promise<Rate> {
  const listed = await hub.hardware().catch((error: unknown) => {
    if (error instanceof ToolkitError) return undefined
    throw error
  })
  const entry = listed?.find(({ name }) => name === flavor)
  const asked = entry && usdPerHourOf(entry)
  if (asked !== undefined)
    return { usdPerHour: asked, source: "provider", detail: `$${asked} an hour, by the service's own list` }
  const known = facts.flavors.find(({ name }) => name === flavor)
  if (known !== undefined && (listed === undefined || entry !== undefined)) {
    const detail = `$${known.usdPerHour} an hour, as of ${facts.asOf}: ${facts.source}`
    return { usdPerHour: known.usdPerHour, source: "rule of thumb", detail }
  }
  throw unknownFlavor(flavor, listed?.map(({ name }) => name) ?? facts.flavors.map(({ name }) => name))
}

/**
 * Tokens at four bytes each; operations by the model's weights, which the hub is asked for, or by the number in its
 * name.
 */
export async function reckon(
  hub: Hub,
  facts: HubFacts,
  plan: TrainingPlan,
  { flavor, timeoutSeconds }: Choice,
): Promise<Reckoning> {
  const { train, validation } = plan.files
  const tokens = Math.round(((train.bytes + validation.bytes) / bytesPerToken) * plan.hyperparameters.epochs)
  const weights = (await countedWeights(hub, plan.baseModel)) ?? weightsInName(plan.baseModel) ?? assumedWeights
  const { teraflops } = facts.flavors.find(({ name }) => name === flavor) ?? { teraflops: fallbackTeraflops }
  const seconds = Math.ceil(setUpSeconds + (tokens * weights * operationsPerWeight) / (teraflops * 1e12))
  const derived = Math.ceil(Math.max(shortestTimeoutSeconds, spareFactor * seconds) / 60) * 60
  return {
    ...{ tokens, seconds, timeoutSeconds: timeoutSeconds ?? derived },
    detail: `${setUpSeconds} s to set up, then ${(weights / 1e9).toPrecision(2)}B weights on ${flavor}`,
  }
}

/** What it takes and what it can cost: the whole of the job's time, which is the most that can be asked. */
export function estimateOf(
  plan: TrainingPlan,
  { tokens, seconds, timeoutSeconds, detail }: Reckoning,
  rate: Rate,
): Estimate {
  const { train, validation } = plan.files
  const rule = "rule of thumb"
  return {
    figures: [
      { name: "rows", value: train.rows + validation.rows, unit: "rows", source: "measured" },
      { name: "training tokens", value: tokens, unit: "tokens", source: rule, detail: "4 bytes a token" },
      { name: "time", value: seconds, unit: "seconds", source: rule, detail },
      { name: "timeout", value: timeoutSeconds, unit: "seconds", source: "measured", detail: "sent with the job" },
      {
        name: "cost at most",
        value: roundedUp((timeoutSeconds / 3600) * rate.usdPerHour),
        unit: "USD",
        source: rate.source,
        detail: `the whole timeout at ${rate.detail}`,
      },
    ],
  }
}

/** A figure that is rounded down would pass a ceiling. */
function roundedUp(usd: number): number {
  return Math.ceil(Number((usd * 1e4).toFixed(6))) / 1e4
}

/** Why the job's time is too short; undefined where it is not. */
export function timeoutRefusal({ seconds, timeoutSeconds, detail }: Reckoning): string | undefined {
  return timeoutSeconds > seconds
    ? undefined
    : `backend.options.timeoutSeconds is ${timeoutSeconds}; the training is estimated at ${seconds} s (${detail}), ` +
        "and the service ends a job with its time"
}

async function countedWeights(hub: Hub, baseModel: string): Promise<number | undefined> {
  if (!/^[\w.-]+\/[\w.-]+$/.test(baseModel)) return undefined
  try {
    return (await hub.model(baseModel))?.weights
  } catch (error) {
    if (error instanceof ToolkitError) return undefined
    throw error
  }
}

/** 135M of SmolLM2-135M-Instruct. */
function weightsInName(name: string): number | undefined {
  const [, number, unit] = /(?<![A-Za-z\d.])(\d+(?:\.\d+)?)([BMbm])(?![A-Za-z])/.exec(name) ?? []
  return number === undefined ? undefined : Number(number) * (unit?.toLowerCase() === "b" ? 1e9 : 1e6)
}

function usdPerHourOf({ unitCostUSD, unitLabel }: HubHardware): number | undefined {
  const units = { second: 3600, minute: 60, hour: 1 }[unitLabel ?? ""]
  if (typeof unitCostUSD !== "number" || !(unitCostUSD >= 0 && unitCostUSD <= 1e4) || units === undefined)
    return undefined
  return Number((unitCostUSD * units).toPrecision(6))
}

function unknownFlavor(flavor: string, allowed: readonly string[]): UsageError {
  const meant = nearest(flavor, allowed)
  return new UsageError(
    `there is no hardware ${show(flavor)} at Hugging Face Jobs; allowed: ${allowed.join(", ")}` +
      (meant === undefined ? "" : `; did you mean ${show(meant)}?`),
    "Edit backend.options.flavor in the job.",
  )
}

import type { Estimate, TrainingPlan } from "../../core/contracts/backend.ts"
import { type TrainingPriceBook, trainingPriceOf } from "../../core/asking/prices.ts"
import type { SentEvent } from "../../core/training/run.ts"

interface Priced {
  readonly baseUrl: string
  readonly prices: TrainingPriceBook | undefined
}

const charactersPerToken = 4

/** Tokens at four bytes each, and what they cost by the price file; without a price the cost is unknown, not zero. */
export function estimateByPrice(plan: TrainingPlan, { baseUrl, prices }: Priced): Estimate {
  const { train, validation } = plan.files
  const tokens = Math.round((train.bytes / charactersPerToken) * plan.hyperparameters.epochs)
  const price = prices && trainingPriceOf({ baseUrl, model: plan.baseModel }, prices)
  return {
    figures: [
      { name: "rows", value: train.rows + validation.rows, unit: "rows", source: "measured" },
      { name: "training tokens", value: tokens, unit: "tokens", source: "rule of thumb", detail: "4 bytes a token" },
      ...(price === undefined
        ? []
        : [
            {
              name: "cost",
              value: Number(((tokens * price.usdPerMillionTokens) / 1e6).toFixed(4)),
              unit: "USD",
              source: "rule of thumb" as const,
              detail: `$${price.usdPerMillionTokens} a million tokens, as of ${price.asOf}: ${price.source}`,
            },
          ]),
    ],
  }
}

/** What a job cost by the tokens that the service counted; undefined where it counted none or the price is unknown. */
export function costOfTokens(
  model: string,
  trainedTokens: number | null | undefined,
  { baseUrl, prices }: Priced,
): SentEvent | undefined {
  const price = prices && trainingPriceOf({ baseUrl, model }, prices)
  if (price === undefined || typeof trainedTokens !== "number") return undefined
  return {
    type: "cost",
    usd: (trainedTokens * price.usdPerMillionTokens) / 1e6,
    source: "computed",
    detail: `${trainedTokens} trained tokens at $${price.usdPerMillionTokens} a million, as of ${price.asOf}`,
  }
}

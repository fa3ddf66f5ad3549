import type { Estimate, TrainingPlan } from "../core/contracts/backend.ts"

/** Tokens at four characters each; seconds by what two CPU cores did with a 135M model (200 tokens a second). */
export function estimateByRule(plan: TrainingPlan): Estimate {
  const tokens = Math.round((plan.files.train.bytes / 4) * plan.hyperparameters.epochs)
  const rule = "rule of thumb"
  return {
    figures: [
      { name: "rows", value: plan.files.train.rows, unit: "rows", source: "measured" },
      { name: "training tokens", value: tokens, unit: "tokens", source: rule },
      {
        name: "time on two CPU cores with a 135M model",
        value: Math.round(tokens / 200),
        unit: "seconds",
        source: rule,
      },
    ],
  }
}

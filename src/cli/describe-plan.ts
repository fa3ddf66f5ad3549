import { count } from "../evaluation/verdict/words.ts"
import type { PaidTraining } from "../stages/context.ts"

/** A plan before it is started: what will be trained, what it will take, and what is sent. */
export function describePlan({ backend, plan, planDigest, estimate, notes = [], firstRow }: PaidTraining): string {
  const { train, validation } = plan.files
  const isPreferring = plan.objective === "dpo"
  const rows = isPreferring
    ? `(${count(train.rows, "preference")}, no validation)`
    : `(${count(train.rows, "row")}, ${count(validation.rows, "validation row")})`
  const method = isPreferring ? `dpo and ${plan.method.name}` : plan.method.name
  return [
    `would train ${plan.baseModel} by ${method} on ${plan.dataset} ${rows} on ${backend}`,
    `plan ${planDigest}`,
    `checkpoint: ${plan.checkpoint === undefined ? "the last" : "the lowest validation loss"}`,
    ...estimate.figures.map(
      ({ name, value, unit, source, detail }) =>
        `${name}: ${value}${unit === name ? "" : ` ${unit}`} (${source}${detail === undefined ? "" : `, ${detail}`})`,
    ),
    ...notes,
    `the first ${isPreferring ? "preference" : "row"}, as it is sent:\n${firstRow}`,
  ].join("\n")
}

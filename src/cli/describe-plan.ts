import { count } from "../evaluation/verdict/words.ts"
import type { PaidTraining } from "../stages/context.ts"

/** A plan before it is started: what will be trained, what it will take, and what is sent. */
export function describePlan({ backend, plan, planDigest, estimate, notes = [], firstRow }: PaidTraining): string {
  const { train, validation } = plan.files
  const rows = `(${count(train.rows, "row")}, ${count(validation.rows, "validation row")})`
  return [
    `would train ${plan.baseModel} by ${plan.method.name} on ${plan.dataset} ${rows} on ${backend}`,
    `plan ${planDigest}`,
    ...estimate.figures.map(
      ({ name, value, unit, source, detail }) =>
        `${name}: ${value}${unit === name ? "" : ` ${unit}`} (${source}${detail === undefined ? "" : `, ${detail}`})`,
    ),
    ...notes,
    `the first row, as it is sent:\n${firstRow}`,
  ].join("\n")
}

import type { TrainingPlan } from "../core/contracts/backend.ts"
import { count, wholeNumber } from "../evaluation/verdict/words.ts"
import type { PaidTraining } from "../stages/context.ts"

/** A plan before it is started: what will be trained, what it will take, and what is sent. */
export function describePlan(act: PaidTraining): string {
  const { backend, plan, planDigest, estimate, isUnpriced = false, notes = [], firstRow } = act
  const { train, validation } = plan.files
  const isPreferring = plan.objective === "dpo"
  const rows = isPreferring
    ? `(${count(train.rows, "preference")}, no validation)`
    : `(${count(train.rows, "row")}, ${count(validation.rows, "validation row")})`
  const method = isPreferring ? `dpo and ${plan.method.name}` : plan.method.name
  return [
    `would train ${plan.baseModel} by ${method} on ${plan.dataset} ${rows} on ${backend}`,
    `plan ${planDigest}`,
    describeFile("train rows", train),
    ...(isPreferring ? [] : [describeFile("validation rows", validation)]),
    `checkpoint: ${plan.checkpoint === undefined ? "the last" : "the lowest validation loss"}`,
    ...estimate.figures.map(
      ({ name, value, unit, source, detail }) =>
        `${name}: ${value}${unit === name ? "" : ` ${unit}`} (${source}${detail === undefined ? "" : `, ${detail}`})`,
    ),
    ...(isUnpriced
      ? [`cost: not known, nobody wrote down what training on ${plan.baseModel} costs (prices.yaml)`]
      : []),
    ...notes,
    `the first ${isPreferring ? "preference" : "row"}, as it is sent:\n${firstRow}`,
  ].join("\n")
}

/** The bytes that are sent. */
function describeFile(name: string, { bytes, digest }: TrainingPlan["files"]["train"]): string {
  return `${name}: ${wholeNumber(bytes)} bytes, ${digest}`
}

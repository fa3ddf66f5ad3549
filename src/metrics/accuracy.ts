import type { Metric, ScoredRow } from "../core/contracts/metric.ts"

/**
 * The share of rows whose answer is the reference label, 0 to 1; an answer that could not be read is wrong. Empty input
 * gives NaN. Agrees with scikit-learn's `accuracy_score`.
 */
const accuracy: Metric = {
  summary: "The share of answers that are the right label",
  kinds: ["label"],
  rowScores(rows) {
    return Float64Array.from(rows, (row) => (isRight(row) ? 1 : 0))
  },
  value(rows) {
    let right = 0
    for (const row of rows) if (isRight(row)) right += 1
    return right / rows.length
  },
}
export default accuracy

function isRight({ reference, output }: ScoredRow): boolean {
  return output !== undefined && output === reference
}

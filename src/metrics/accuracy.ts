import { z } from "zod"
import type { RowMetric } from "../core/contracts/metric.ts"

const options = z.strictObject({})

/**
 * The share of rows whose answer is a reference label, 0 to 1; an answer that could not be read is wrong. Empty input
 * gives NaN. Agrees with scikit-learn's `accuracy_score`.
 */
const accuracy: RowMetric<z.output<typeof options>> = {
  summary: "The share of answers that are the right label",
  kinds: ["label"],
  version: 1,
  direction: "higher",
  options,
  rowScores(rows) {
    return Float64Array.from(rows, ({ references, output }) =>
      output !== undefined && references.includes(output) ? 1 : 0,
    )
  },
}
export default accuracy

import { z } from "zod"
import type { RowMetric } from "../core/contracts/metric.ts"
import { sameOutput } from "../core/task/output.ts"

const options = z.strictObject({})

/**
 * The share of rows whose answer says the same as a reference, 0 to 1: equal label, set of labels or canonical JSON,
 * text up to case and white space, or text and calls of a turn (`sameOutput`). An answer that could not be read is
 * wrong. Empty input gives NaN.
 */
const exactMatch: RowMetric<z.output<typeof options>> = {
  summary: "The share of answers that say exactly what the reference says",
  kinds: ["label", "multilabel", "json", "text", "chat"],
  version: 2,
  direction: "higher",
  options,
  rowScores(rows, { task }) {
    return Float64Array.from(rows, ({ references, output }) =>
      output !== undefined && references.some((reference) => sameOutput(task, reference, output)) ? 1 : 0,
    )
  },
}
export default exactMatch

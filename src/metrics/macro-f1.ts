import { z } from "zod"
import type { CorpusMetric } from "../core/contracts/metric.ts"
import type { Output } from "../core/rows/example.ts"

const options = z.strictObject({})

interface Counts {
  right: number
  /** Rows whose reference or whose answer is the label; a row where both are counts twice. */
  seen: number
}

/**
 * The F1 of each label, averaged with equal weight over the labels that occur as a reference or as an answer, 0 to 1.
 * An answer that could not be read is a miss of its label and an answer of none. Empty input gives NaN. Agrees with
 * scikit-learn's `f1_score(average="macro", zero_division=0)`.
 */
const macroF1: CorpusMetric<z.output<typeof options>> = {
  summary: "F1 averaged over the labels, so that rare labels count as much as common ones",
  kinds: ["label"],
  version: 1,
  direction: "higher",
  options,
  value(rows) {
    const counts = new Map<Output, Counts>()
    for (const {
      references: [reference],
      output,
    } of rows) {
      const ofReference = countsOf(counts, reference)
      ofReference.seen += 1
      if (output === undefined) continue
      const ofOutput = output === reference ? ofReference : countsOf(counts, output)
      ofOutput.seen += 1
      if (output === reference) ofReference.right += 1
    }
    // F1 = 2·right / (2·right + missed + wrongly answered), and the denominator is `seen`.
    let sum = 0
    for (const { right, seen } of counts.values()) sum += (2 * right) / seen
    return sum / counts.size
  },
}
export default macroF1

function countsOf(counts: Map<Output, Counts>, label: Output): Counts {
  let found = counts.get(label)
  if (!found) {
    found = { right: 0, seen: 0 }
    counts.set(label, found)
  }
  return found
}

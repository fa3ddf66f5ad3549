import { z } from "zod"
import { digest } from "../core/canonical.ts"
import type { Contender } from "../core/contracts/contender.ts"
import { inputText } from "../core/task/output.ts"

/** Raised when the classifier gives other labels for the same rows. */
const semantics = 1

/** A classifier that costs next to nothing: what a tuned model must beat to be worth its cost. */
const linear: Contender = {
  summary: "a small word-counting classifier trained on the same examples",
  kinds: ["label"],
  needs: ["train rows"],
  options: z.object({}),
  alternative: {
    subject: "The linear model, trained on the same examples,",
    advantage: "it costs nothing to run",
  },
  seen: ({ train }) => train,
  work({ task, train }, { trainClassifier }) {
    const rows = train.map(({ input, output }) => ({ text: inputText(task, input), label: String(output) }))
    return {
      kind: "computed",
      model: { semantics, rows: digest(rows) },
      learn: () => {
        const labelOf = trainClassifier(rows)
        return ({ input }) => labelOf(inputText(task, input))
      },
    }
  },
}
export default linear

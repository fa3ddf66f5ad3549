import { canonicalJson, contentDigits } from "../../core/canonical.ts"
import type { Example } from "../../core/rows/example.ts"
import { hasManyAnswers, type TaskSpecification } from "../../core/task/task.ts"

/** Two held-out examples with the same input. */
export interface HeldOutPair {
  readonly a: string
  readonly b: string
  readonly similarity: 1
}

export interface HeldOutPairs {
  /** With the same output too: the pair counts twice in every figure. */
  readonly duplicates: readonly HeldOutPair[]
  /** With different outputs: no model can be right about both. */
  readonly conflicts: readonly HeldOutPair[]
}

/** Each held-out example that has the input of one before it, with the first such, in the order of their ids. */
export function heldOutPairs(task: TaskSpecification, examples: readonly Example[]): HeldOutPairs {
  const found = { duplicates: [] as HeldOutPair[], conflicts: [] as HeldOutPair[] }
  for (const [first, ...others] of Map.groupBy(examples, ({ input }) => contentDigits(input)).values())
    for (const { id, output } of others) {
      if (first === undefined) continue
      const isSame = canonicalJson(output) === canonicalJson(first.output)
      if (isSame) found.duplicates.push({ a: first.id, b: id, similarity: 1 })
      else if (!hasManyAnswers(task)) found.conflicts.push({ a: first.id, b: id, similarity: 1 })
    }
  return found
}

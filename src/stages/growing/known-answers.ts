import type { Example, Output } from "../../core/rows/example.ts"
import { formatOutput, outputIssues } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { NearDuplicateIndex, type Near } from "../../curation/holdout/near-duplicates.ts"
import { similarText } from "../../curation/rows/output-equality.ts"
import { anyInputText } from "../../curation/version/validity.ts"
import { jaccard, shinglerNamed } from "../../curation/near/shingles.ts"

/** The pairs of a task whose inputs may have several good outputs: which of them are near in both. */
export class KnownAnswers {
  readonly #task: TaskSpecification
  readonly #index = new NearDuplicateIndex(shinglerNamed("char-4"), similarText)
  readonly #inputs = new Map<string, string>()

  constructor(task: TaskSpecification, pairs: readonly Pick<Example, "id" | "input" | "output">[]) {
    this.#task = task
    for (const pair of pairs) this.add(pair)
  }

  add({ id, input, output }: Pick<Example, "id" | "input" | "output">): void {
    if (outputIssues(this.#task, output).length > 0) return
    this.#index.add(id, formatOutput(this.#task, output))
    this.#inputs.set(id, anyInputText(this.#task, input))
  }

  /** A pair near in its output, and in its input as `inputs` compares these; undefined where there is none. */
  findNear(
    { text, output }: { readonly text: string; readonly output: Output },
    { shingler, threshold }: Pick<NearDuplicateIndex, "shingler" | "threshold">,
  ): Near | undefined {
    if (outputIssues(this.#task, output).length > 0) return undefined
    const own = shingler.of(text)
    let found: Near | undefined
    this.#index.visitNear(formatOutput(this.#task, output), ({ id, similarity: ofOutputs }) => {
      const ofInputs = jaccard(own, shingler.of(this.#inputs.get(id) as string))
      const similarity = Math.min(ofInputs, ofOutputs)
      const isNearer =
        found === undefined || similarity > found.similarity || (similarity === found.similarity && id < found.id)
      if (ofInputs >= threshold && isNearer) found = { id, similarity }
      return false
    })
    return found
  }
}

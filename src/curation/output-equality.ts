import { canonicalJson } from "../core/canonical.ts"
import type { Output } from "../core/example.ts"
import type { TaskSpecification } from "../core/task.ts"
import { hashText } from "./hashing.ts"
import { foldForComparison } from "./normalise.ts"
import { jaccard, shinglerNamed } from "./shingles.ts"

/** An output made ready to be compared with many. */
export interface Answer {
  /** Equal for equal outputs by the task's kind (label, set of labels, canonical JSON; for texts, folded). */
  readonly key: string
  /** A hash of the key where only equal outputs agree; undefined for texts, where similar is enough. */
  readonly group: number | undefined
  readonly shingles: Uint32Array
}

// From this Jaccard similarity of character 4-grams on, two texts say the same.
const similarText = 0.7
const fourGrams = shinglerNamed("char-4")

/** The output, ready to be compared. Expects a valid output. */
export function answerOf(task: TaskSpecification, output: Output): Answer {
  if (task.kind === "text") return { key: foldForComparison(String(output)), group: undefined, shingles: fourGrams.of(String(output)) }
  const key = canonicalJson(task.kind === "multilabel" ? [...(output as string[])].sort() : output)
  return { key, group: hashText(key), shingles: new Uint32Array() }
}

/** Whether two outputs answer the same, so that dropping one of two duplicates loses nothing: equal by the task's kind; texts also when they are
 * similar. */
export function agree(a: Answer, b: Answer): boolean {
  return a.key === b.key || (a.group === undefined && b.group === undefined && jaccard(a.shingles, b.shingles) >= similarText)
}

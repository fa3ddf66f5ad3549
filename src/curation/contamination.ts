import type { DropReason, Input } from "../core/example.ts"
import { inputText } from "../core/output.ts"
import type { TaskSpecification } from "../core/task.ts"
import type { CommonRuns } from "./common-runs.ts"
import { NearDuplicateIndex } from "./near-duplicates.ts"
import { NgramIndex } from "./ngram-overlap.ts"
import { foldForComparison } from "./normalise.ts"
import type { Shingler } from "./shingles.ts"

/** A leak: how a text meets a held-out one, and which. */
export interface Leak {
  readonly reason: Extract<DropReason, "leak-exact" | "leak-near" | "leak-ngram">
  readonly witness: string
  readonly similarity?: number
}

export interface HeldOutRow {
  readonly id: string
  readonly input: Input
}

// The leak report searches exactly and stops a build for one missed pair: of pairs at the threshold one in a billion is missed here.
const missRate = 1e-9

/** Says of a text how it leaks into the held-out rows: exact first, then near, then by n-gram; undefined when it does not. Ties go to the smaller
 * id, so the order of the held-out rows does not matter. No held-out rows, no leaks. */
export function leakFinder(
  task: TaskSpecification,
  heldOut: readonly HeldOutRow[],
  {
    shingler,
    threshold,
    ngram,
    common,
  }: { readonly shingler: Shingler; readonly threshold: number | undefined; readonly ngram: number; readonly common?: CommonRuns | undefined },
): (text: string) => Leak | undefined {
  const exact = new Map<string, string>()
  const near = new NearDuplicateIndex(shingler, threshold, { missRate })
  const ngrams = new NgramIndex(ngram, common)
  for (const { id, input } of heldOut) {
    const text = inputText(task, input)
    const folded = foldForComparison(text)
    const known = exact.get(folded)
    if (known === undefined || id < known) exact.set(folded, id)
    near.add(id, text)
    ngrams.add(id, text)
  }
  return (text) => {
    const same = exact.get(foldForComparison(text))
    if (same !== undefined) return { reason: "leak-exact", witness: same }
    const nearest = near.findNear(text)
    if (nearest) return { reason: "leak-near", witness: nearest.id, similarity: nearest.similarity }
    const overlapping = ngrams.find(text)
    return overlapping === undefined ? undefined : { reason: "leak-ngram", witness: overlapping }
  }
}

import type { DroppedExample, Example } from "../../core/rows/example.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { cosinePairs } from "../near/cosine.ts"
import { agree, answerOf } from "../rows/output-equality.ts"

/** A row that says the same as another one in other words, as far as an embedding model can tell. */
export interface SemanticPair {
  readonly row: string
  readonly witness: string
  readonly similarity: number
}

export interface SemanticFindings {
  readonly kept: readonly Example[]
  readonly dropped: readonly DroppedExample[]
  /** Train rows near an earlier one with the same output, each with its most similar one. */
  readonly duplicates: readonly SemanticPair[]
  /** Train rows near a held-out one. */
  readonly nearHeldOut: readonly SemanticPair[]
}

export interface SemanticOptions {
  readonly task: TaskSpecification
  /** From the best row on: of two the later one is the duplicate. */
  readonly train: readonly Example[]
  readonly heldOut: readonly { readonly id: string }[]
  readonly vectors: { readonly train: readonly Float32Array[]; readonly heldOut: readonly Float32Array[] }
  readonly threshold: number
  /** What is found is dropped; otherwise it is only reported. */
  readonly drop: boolean
}

/**
 * The train rows that mean the same as a held-out row or as an earlier train row with the same output, by the exact
 * cosine of their vectors. Rows with different outputs are not reported: meaning alone makes no conflict. With
 * `drop` they leave, for a row that stays; each names the most similar one, of equals the first. kept + dropped =
 * train.
 */
export function semanticDuplicates({
  task,
  train,
  heldOut,
  vectors,
  threshold,
  drop,
}: SemanticOptions): SemanticFindings {
  const answers = train.map(({ output }) => answerOf(task, output))
  const leaks = new Map<number, SemanticPair>()
  for (const { a, b, cosine } of cosinePairs(vectors.train, vectors.heldOut, threshold))
    if (cosine > (leaks.get(a)?.similarity ?? 0))
      leaks.set(a, { row: train[a]?.id ?? "", witness: heldOut[b]?.id ?? "", similarity: rounded(cosine) })
  const out = new Set(drop ? leaks.keys() : [])
  const duplicates = new Map<number, SemanticPair>()
  const pairs = Map.groupBy(
    cosinePairs(vectors.train, vectors.train, threshold, (row) => row),
    ({ a }) => a,
  )
  for (const place of train.keys()) {
    if (out.has(place)) continue
    // A row that went itself is no reason for another one to go.
    const same = (pairs.get(place) ?? []).filter(
      ({ b }) => !out.has(b) && agree(answers[place] as Answer, answers[b] as Answer),
    )
    const nearest = same.reduce<(typeof same)[number] | undefined>(
      (best, pair) => (best && best.cosine >= pair.cosine ? best : pair),
      undefined,
    )
    if (nearest === undefined) continue
    duplicates.set(place, {
      row: train[place]?.id ?? "",
      witness: train[nearest.b]?.id ?? "",
      similarity: rounded(nearest.cosine),
    })
    if (drop) out.add(place)
  }
  const dropped = train.flatMap((row, place): DroppedExample[] => {
    if (!out.has(place)) return []
    const leak = leaks.get(place)
    const { witness, similarity } = (leak ?? duplicates.get(place)) as SemanticPair
    return [{ ...row, reason: leak === undefined ? "semantic-duplicate" : "leak-embedding", witness, similarity }]
  })
  return {
    kept: train.filter((_, place) => !out.has(place)),
    dropped,
    duplicates: [...duplicates.values()],
    nearHeldOut: [...leaks.values()],
  }
}

type Answer = ReturnType<typeof answerOf>

/** Figures in files are short, and vectors are kept in 16 bits. */
function rounded(cosine: number): number {
  return Number(cosine.toFixed(4))
}

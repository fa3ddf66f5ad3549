import { checkOf, type LeakCheck } from "../../curation/leaks/definition.ts"
import { digits } from "../../curation/leaks/lineage.ts"
import { NearDuplicateIndex } from "../../curation/holdout/near-duplicates.ts"
import { corpusShingler } from "../../curation/near/shingles.ts"
import { foldForComparison } from "../../curation/text/normalise.ts"
import { anyInputText } from "../../curation/version/validity.ts"
import type { Example } from "../../core/rows/example.ts"
import { inputText, outputIssues, sameOutput } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { PairedRow, SplitPair, SplitPairCounts } from "../../core/rows/split-pairs.ts"
import { SplitPairs } from "../../store/rows/split-pairs.ts"
import type { ImportResult } from "../arriving/import-rows.ts"

/** A row that stands, or nearly stands, in two splits of the data set as it was given. */
export interface SplitLeak {
  readonly check: LeakCheck
  readonly row: string
  readonly in: "train" | "validation"
  readonly heldOut: string
  readonly heldOutIn: "validation" | "test" | "held out"
  readonly similarity?: number
}

/** What is known of a data set that was taken in and built. */
export interface TakenIn {
  readonly holdout: string
  readonly validation: readonly Example[]
  readonly test: readonly Example[]
  /** The rows that the build left out of train, with its reasons. */
  readonly dropped: Iterable<Example & { readonly reason: string }>
  /** What was found by any check, one for each row. */
  readonly leaks: readonly SplitLeak[]
  readonly acrossSplits: ImportResult["acrossSplits"]
  /** The row of the task with the id. */
  readonly rowOf: (id: string) => Pick<Example, "input" | "output"> | undefined
}

/**
 * Every pair of rows that meet across the splits of the data set is in a file, with both texts and outputs: all that
 * are near or equal, and of what meets by another check the one that was found. Pairs with different outputs are in a
 * file of their own. Memory: the held-out rows, and the pairs.
 */
export function reportSplitPairs(task: TaskSpecification, taskFolder: string, taken: TakenIn): SplitPairCounts {
  const pairs = [...twice(taken), ...met(task, taken)]
  const isSame = ({ a, b }: SplitPair) =>
    [a, b].every(({ output }) => outputIssues(task, output).length === 0) && sameOutput(task, a.output, b.output)
  const same = pairs.filter(isSame)
  const other = pairs.filter((pair) => !isSame(pair))
  const counts = countsOf(taken.holdout, pairs, new Set(other))
  new SplitPairs(taskFolder).write(counts, { same, other })
  return counts
}

/** A row that stands in several splits of the files: it counts where it is held out most. */
function twice({ acrossSplits, rowOf }: TakenIn): SplitPair[] {
  return acrossSplits.flatMap(({ id, places }) => {
    const row = rowOf(id)
    const held = places.find(({ split }) => split === "test") ?? places.find(({ split }) => split === "validation")
    if (row === undefined || held === undefined) return []
    const at = ({ place, split }: (typeof places)[number]): PairedRow => ({ id: place, split, ...row })
    return places
      .filter(({ split }) => split !== held.split && split !== "test")
      .map((place): SplitPair => ({ check: "exact", similarity: 1, a: at(place), b: at(held) }))
  })
}

function* met(task: TaskSpecification, { validation, test, dropped, leaks }: TakenIn): Generator<SplitPair> {
  const heldOut = new Map<string, PairedRow>()
  const texts = [...validation, ...test].map(({ input }) => inputText(task, input))
  const { threshold, nearDuplicates } = task.build
  const { numbers } = nearDuplicates ?? {}
  const index = new NearDuplicateIndex(corpusShingler(texts, [], numbers), threshold, { missRate: 1e-9 })
  for (const [split, rows] of [
    ["validation", validation],
    ["test", test],
  ] as const)
    for (const { id, input, output } of rows) {
      heldOut.set(digits(id), { id, split, input, output })
      index.add(id, inputText(task, input))
    }
  const foundBy = new Map(leaks.map((leak) => [digits(leak.row), leak]))
  const pairsOf = function* (a: PairedRow, isWanted: (b: PairedRow) => boolean): Generator<SplitPair> {
    const folded = foldForComparison(anyInputText(task, a.input))
    const near = index.findAllNear(anyInputText(task, a.input)).sort((x, y) => y.similarity - x.similarity)
    const seen = new Set<string>()
    for (const { id, similarity } of near) {
      const b = heldOut.get(digits(id)) as PairedRow
      if (!isWanted(b)) continue
      seen.add(digits(id))
      const isEqual = foldForComparison(inputText(task, b.input)) === folded
      yield { check: isEqual ? "exact" : "near", similarity: Number(similarity.toFixed(4)), a, b }
    }
    const leak = foundBy.get(digits(a.id))
    const b = leak === undefined ? undefined : heldOut.get(digits(leak.heldOut))
    if (leak !== undefined && b !== undefined && isWanted(b) && !seen.has(digits(b.id)))
      yield { check: leak.check, a, b }
  }
  for (const { id, input, output, reason } of dropped)
    if (checkOf(reason) !== undefined) yield* pairsOf({ id, split: "train", input, output }, () => true)
  for (const { id, input, output } of validation)
    yield* pairsOf({ id, split: "validation", input, output }, ({ split }) => split === "test")
}

function countsOf(holdout: string, pairs: readonly SplitPair[], other: ReadonlySet<SplitPair>): SplitPairCounts {
  const between = Map.groupBy(pairs, ({ a, b }) => `${a.split} ${b.split}`)
  return {
    holdout,
    between: [...between.values()].map((found) => {
      const [first] = found as [SplitPair, ...SplitPair[]]
      const rows = (of: (pair: SplitPair) => PairedRow) => new Set(found.map((pair) => of(pair).id)).size
      return {
        ...{ a: first.a.split, b: first.b.split, pairs: found.length },
        otherOutput: found.filter((pair) => other.has(pair)).length,
        ...{ rowsOfA: rows(({ a }) => a), rowsOfB: rows(({ b }) => b) },
      }
    }),
  }
}

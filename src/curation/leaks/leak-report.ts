import type { Example } from "../../core/rows/example.ts"
import type { NumberRule } from "../../core/task/number-rule.ts"
import { inputText } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { sampleOf } from "../near/boilerplate.ts"
import { leakChecksOf, type FoundLeak } from "./definition.ts"
import { inOrder, Witness } from "./witness.ts"
import { GramWitness } from "./witness-grams.ts"
import { groupDescents } from "./witness-groups.ts"
import { witnessIndex } from "./witness-index.ts"
import { descents } from "./witness-lineage.ts"
import { commonRunHashes } from "./witness-templates.ts"
import type { HeldOutRow } from "./contamination.ts"

export interface LeakReport {
  readonly checks: string[]
  readonly found: FoundLeak[]
}

/**
 * Every train row that leaks into the held-out rows, as a `Witness` sees it: at most one finding a row and check,
 * naming the most similar or else the smallest held-out id. All rows are in memory.
 *
 * Findings are sorted by check and train id; the order of the rows does not matter. Nothing held out: no findings.
 */
export function leakReport({
  task,
  train,
  heldOut,
  heldOutIds = new Set(),
  threshold,
  numbers,
  ngram,
}: {
  readonly task: TaskSpecification
  readonly train: readonly Example[]
  readonly heldOut: readonly HeldOutRow[]
  readonly heldOutIds?: ReadonlySet<string> | undefined
  readonly threshold?: number | undefined
  /** What becomes of inputs that differ in numbers; `keep` by default. */
  readonly numbers?: NumberRule | undefined
  readonly ngram: number
}): LeakReport {
  const held = heldOut.map(({ id, input, group }) => ({ id, text: inputText(task, input), group }))
  const rows = train.map(({ id, input, provenance: { parents, group } }) => ({
    id,
    text: inputText(task, input),
    parents,
    group,
  }))
  const index = witnessIndex({ heldOut: held, heldOutIds, threshold, numbers, ngram })
  const witness = new Witness(index, 0, Infinity)
  for (const row of rows) witness.look(row)
  witness.endBatch()
  const { found, parented, grams } = witness.notes()
  const common = commonRunHashes(sampleOf([...held, ...rows].map(({ text }) => text)), ngram)
  const leaking = new GramWitness(index).leaking(grams, common)
  const grouped = rows.flatMap(({ id, group }) => (group === undefined ? [] : [{ id, group }]))
  const overlapping = rows.flatMap(({ id, text }): FoundLeak[] => {
    const met = leaking.size === 0 ? undefined : witness.gramOf(text, leaking)
    return met === undefined ? [] : [{ check: "ngram", train: id, heldOut: met }]
  })
  return {
    checks: leakChecksOf(task),
    found: inOrder([
      ...found,
      ...descents(parented, [], index.idOfDigits),
      ...groupDescents(parented, { parented: [], grouped }, index.groups),
      ...overlapping,
    ]),
  }
}

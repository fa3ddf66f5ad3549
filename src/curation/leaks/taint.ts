import type { Example } from "../../core/rows/example.ts"
import type { NumberRule } from "../../core/task/number-rule.ts"
import { inputText } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { sampleOf } from "../near/boilerplate.ts"
import { commonRuns } from "./common-runs.ts"
import type { LeakCheck } from "./definition.ts"
import { digits, heldOutAncestors, lineageOf, type Parented } from "./lineage.ts"
import { NearDuplicateIndex } from "../holdout/near-duplicates.ts"
import { NgramIndex } from "./ngram-overlap.ts"
import { foldForComparison } from "../text/normalise.ts"
import { compareText } from "../rows/ranking.ts"
import { groupsHeldOut } from "./witness-groups.ts"
import { corpusShingler } from "../near/shingles.ts"

/** A test row that a contender has seen: by which check, and the training row that it meets. */
export interface Taint {
  readonly id: string
  readonly check: LeakCheck
  readonly train: string
  readonly similarity?: number
  readonly contenders: readonly string[]
}

/** What contenders learnt from: the rows they were trained on, or have in their prompt. */
export interface Training {
  readonly contenders: readonly string[]
  readonly rows: readonly Example[]
}

export interface TaintOptions {
  readonly task: TaskSpecification
  readonly test: readonly Example[]
  readonly trainings: readonly Training[]
  /** Rows in which the parents of training rows are looked up. */
  readonly known: Iterable<Parented>
  readonly threshold: number | undefined
  /** What becomes of inputs that differ in numbers; `keep` by default. */
  readonly numbers?: NumberRule | undefined
  readonly ngram: number
  /** The group of a row, by the digits of its id; default: that which the row says itself. */
  readonly groupOf?: ((row: Example) => string | undefined) | undefined
}

/**
 * Every test row that descends from, is, is near, is of the group of or shares a long run of words with a training row
 * of any contender, once, in the order of the test rows; `contenders` are all that have seen it. By the checks of a
 * leak report, the first that finds something, and of its training rows the most similar or else the one with the
 * smallest id. The order of the training rows does not matter; no training rows, no taint. One pass over the training
 * rows: what is kept in memory follows from the test rows, and from the groups.
 */
export function taintedRows(options: TaintOptions): Taint[] {
  const known = [...options.known]
  const found = new Map<string, Taint>()
  for (const training of options.trainings) {
    if (training.rows.length === 0) continue
    for (const [id, taint] of taintsOf(training, known, options)) {
      const before = found.get(id)
      found.set(
        id,
        before === undefined ? taint : { ...before, contenders: [...before.contenders, ...taint.contenders] },
      )
    }
  }
  return options.test.flatMap(({ id }) => found.get(id) ?? [])
}

function taintsOf(
  { contenders, rows }: Training,
  known: readonly Parented[],
  { task, test, threshold, numbers, ngram, groupOf = ({ provenance }) => provenance.group }: TaintOptions,
): Map<string, Taint> {
  const texts = test.map(({ id, input }) => ({ id, text: inputText(task, input) }))
  const trained = rows
    .toSorted((a, b) => compareText(a.id, b.id))
    .map((row) => ({ id: row.id, text: inputText(task, row.input) }))
  const samples = texts.map(({ text }) => text)
  const ngrams = new NgramIndex(ngram, commonRuns(sampleOf([...samples, ...trained.map(({ text }) => text)]), ngram))
  const near = new NearDuplicateIndex(corpusShingler(samples, [], numbers), threshold, { missRate: 1e-9 })
  for (const { id, text } of texts) {
    near.add(id, text)
    ngrams.add(id, text)
  }
  const exact = new Map<string, string>()
  const nearest = new Map<string, { train: string; similarity: number }>()
  const shared = new Map<string, string>()
  for (const { id, text } of trained) {
    const folded = foldForComparison(text)
    if (!exact.has(folded)) exact.set(folded, id)
    for (const { id: tested, similarity } of near.findAllNear(text))
      if (similarity > (nearest.get(tested)?.similarity ?? 0)) nearest.set(tested, { train: id, similarity })
    for (const run of ngrams.met(text)) if (!shared.has(run)) shared.set(run, id)
  }
  const groups = groupsHeldOut(rows.map((row) => ({ id: row.id, group: groupOf(row) })))
  const groupOfTest = new Map(test.map((row) => [row.id, groupOf(row)]))
  const parented = rows.map(({ id, provenance }) => ({ id, parents: provenance.parents }))
  const ancestors = lineageOf(parented, known)
  const findings: readonly [
    LeakCheck,
    (row: { id: string; text: string }) => { train: string; similarity?: number } | undefined,
  ][] = [
    ["exact", ({ text }) => named(exact.get(foldForComparison(text)))],
    ["near", ({ id }) => nearest.get(id)],
    [
      "ngram",
      ({ text }) =>
        named(
          ngrams
            .of(text)
            .flatMap((run) => shared.get(run) ?? [])
            .sort()[0],
        ),
    ],
    ["group", ({ id }) => named(groups.get(groupOfTest.get(id) ?? ""))],
    ["lineage", ({ id }) => (ancestors.has(digits(id)) ? { train: descendantOf(id, parented, known) } : undefined)],
  ]
  return new Map(
    texts.flatMap((row): [string, Taint][] => {
      for (const [check, find] of findings) {
        const finding = find(row)
        if (finding !== undefined) return [[row.id, { id: row.id, check, ...finding, contenders }]]
      }
      return []
    }),
  )
}

/** The training row that was made from the test row, the smallest id of several. */
function descendantOf(id: string, rows: readonly Parented[], known: readonly Parented[]): string {
  const asRows = [...rows, ...known].map((row) => ({
    id: row.id,
    provenance: { parents: row.parents, strategy: "", acceptedBy: "" },
  }))
  const descendants = heldOutAncestors(asRows, new Set([id]))
  return rows.flatMap((row) => (descendants.has(row.id) ? [row.id] : [])).sort(compareText)[0] ?? ""
}

function named(train: string | undefined): { train: string } | undefined {
  return train === undefined ? undefined : { train }
}

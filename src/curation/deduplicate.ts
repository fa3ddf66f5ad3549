import type { DroppedExample, Example } from "../core/example.ts"
import { inputText } from "../core/output.ts"
import type { TaskSpecification } from "../core/task.ts"
import { missRateFor } from "./bands.ts"
import { sampleOf } from "./boilerplate.ts"
import { commonRuns, type CommonRuns } from "./common-runs.ts"
import { leakFinder, type HeldOutRow } from "./contamination.ts"
import { heldOutAncestors } from "./lineage.ts"
import { NearDuplicateIndex, nearest, type Wanted } from "./near-duplicates.ts"
import { foldForComparison, normaliseStrings } from "./normalise.ts"
import { agree, answerOf, type Answer } from "./output-equality.ts"
import { byWorth, compareText, type CurationRow } from "./ranking.ts"
import { corpusShingler, withBoilerplateOf } from "./shingles.ts"
import { invalidityOf } from "./validity.ts"

export type { CurationRow } from "./ranking.ts"

/** Two kept rows whose inputs are near-duplicates and whose outputs differ; `a` is the one more worth keeping. */
export interface Conflict {
  readonly a: string
  readonly b: string
  readonly similarity: number
}

export interface CurationOptions {
  readonly task: TaskSpecification
  readonly candidates: readonly CurationRow[]
  readonly heldOut: readonly HeldOutRow[]
  /** Every id that is held out, by the names that parents use. */
  readonly heldOutIds?: ReadonlySet<string> | undefined
  /** The Jaccard similarity of near-duplicates; default by the length of the texts. */
  readonly threshold?: number | undefined
  readonly ngram: number
  /** The runs of words that count for no leak; default: those of the candidates and held-out rows. */
  readonly common?: CommonRuns | undefined
  readonly maxLength: number
}

export interface Curated {
  readonly kept: Example[]
  readonly dropped: DroppedExample[]
  readonly conflicts: Conflict[]
}

/** Every candidate is kept or dropped with a reason, and of the kept none is invalid, leaks into what is held out, or is a duplicate of a better
 * one with the same output: kept + dropped = read.
 *
 * Any permutation of the candidates keeps the same rows, and curating the kept rows again drops nothing (as long as the texts kept have the
 * same templates and, without held-out rows, are of the same kind, short or long). Strings come out normalised, ids unchanged.
 * A near-duplicate with another output is kept and the pair is a conflict, reported once for each such row with its most similar one (of a
 * crowd, of the first hundred found); an exact duplicate with another output is dropped as `conflict`. The witness of a duplicate is a kept row.
 * Kept rows are in the order of their ids, dropped rows by reason and id. No candidates give empty lists. Keep-first by rank instead of
 * connected components, which would remove rows that are near no kept one. */
export function curate({ task, candidates, heldOut, heldOutIds = new Set(), threshold, ngram, common, maxLength }: CurationOptions): Curated {
  const dropped: DroppedExample[] = []
  const drop = (row: CurationRow, why: Pick<DroppedExample, "reason" | "witness" | "similarity" | "detail">) =>
    dropped.push({ ...exampleOf(row), ...why })
  const ancestors = heldOutAncestors(candidates, heldOutIds)
  const valid = candidates.flatMap((candidate) => {
    const row = { ...candidate, input: normaliseStrings(candidate.input), output: normaliseStrings(candidate.output) }
    const invalidity = invalidityOf(task, row, maxLength)
    if (!invalidity) return [{ ...row, text: inputText(task, row.input) }]
    drop(row, invalidity)
    return []
  })
  const heldOutTexts = heldOut.map(({ input }) => inputText(task, input))
  const texts = valid.map(({ text }) => text)
  const shingler = corpusShingler(heldOutTexts, texts)
  const leakOf = leakFinder(task, heldOut, {
    shingler,
    threshold,
    ngram,
    common: common ?? commonRuns(sampleOf([...heldOutTexts, ...texts]), ngram),
  })
  const clean = valid.filter((row) => {
    const ancestor = ancestors.get(row.id)
    const why = ancestor === undefined ? leakOf(row.text) : { reason: "lineage" as const, witness: ancestor }
    if (why) drop(row, why)
    return why === undefined
  })
  const rowShingler = withBoilerplateOf(
    shingler,
    clean.map(({ text }) => text),
  )
  const { kept, conflicts } = keepFirst(
    task,
    byWorth(clean),
    new NearDuplicateIndex(rowShingler, threshold, { missRate: missRateFor(clean.length) }),
    drop,
  )
  return {
    kept: kept.map(exampleOf).sort((a, b) => compareText(a.id, b.id)),
    dropped: dropped.sort((a, b) => compareText(a.reason, b.reason) || compareText(a.id, b.id)),
    conflicts: conflicts.sort((a, b) => compareText(a.a, b.a) || compareText(a.b, b.b)),
  }
}

type TextRow = CurationRow & { readonly text: string }
type KeptRow = TextRow & { readonly answer: Answer }

// Of a crowd of near rows that all differ in their outputs (a template with slots) so many are looked at for the most similar.
const mostDiffering = 100

/** Goes through the rows from the best on; each is kept unless a kept one makes it superfluous. */
function keepFirst(
  task: TaskSpecification,
  rows: readonly TextRow[],
  index: NearDuplicateIndex,
  drop: (row: TextRow, why: Pick<DroppedExample, "reason" | "witness" | "similarity" | "detail">) => void,
): { kept: readonly TextRow[]; conflicts: Conflict[] } {
  const kept = new Map<string, KeptRow>()
  const byFold = new Map<string, KeptRow>()
  const conflicts: Conflict[] = []
  for (const textRow of rows) {
    const row = { ...textRow, answer: answerOf(task, textRow.output) }
    const folded = foldForComparison(row.text)
    const same = byFold.get(folded)
    const agreeing = same ? undefined : index.findNear(row.text, wanted(row, kept, true))
    if (same) drop(row, { reason: agree(row.answer, same.answer) ? "exact-duplicate" : "conflict", witness: same.id, similarity: 1 })
    else if (agreeing) drop(row, { reason: "near-duplicate", witness: agreeing.id, similarity: agreeing.similarity })
    else {
      const differing = nearest(index.findAllNear(row.text, wanted(row, kept, false), mostDiffering))
      if (differing) conflicts.push({ a: differing.id, b: row.id, similarity: differing.similarity })
      kept.set(row.id, row)
      byFold.set(folded, row)
      index.add(row.id, row.text)
      if (row.answer.group !== undefined) index.add(row.id, row.text, row.answer.group)
    }
  }
  return { kept: [...kept.values()], conflicts }
}

/** The kept rows whose outputs agree with this row's, or those whose outputs do not. */
function wanted(row: KeptRow, kept: ReadonlyMap<string, KeptRow>, isAgreeing: boolean): Wanted {
  const isWanted = (id: string) => agree(row.answer, (kept.get(id) as KeptRow).answer) === isAgreeing
  return { isWanted, group: isAgreeing ? (row.answer.group ?? 0) : 0 }
}

function exampleOf({ id, input, output, provenance }: Example): Example {
  return { id, input, output, provenance }
}

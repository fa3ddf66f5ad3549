import { digest } from "../../core/canonical.ts"
import type { Candidate, Example, QueuedSuspect, RealInput, Split } from "../../core/rows/example.ts"
import { checkId, revisionOf } from "../../core/rows/row-identity.ts"
import { outputForm, type TaskSpecification } from "../../core/task/task.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import { conflictItems } from "./conflicts.ts"
import { goldChecks } from "./gold-checks.ts"
import { relabelItems } from "./relabelling.ts"
import { adjudicationOf } from "./standing.ts"

/**
 * What a person is asked about: a candidate, a real input that has no answer yet, a row whose label is probably wrong,
 * two rows that contradict each other, an item that two reviewers decided on differently, or a row whose label was
 * split.
 */
export interface ReviewItem {
  readonly id: string
  readonly kind: "candidate" | "input" | "label-error" | "conflict" | "adjudication" | "relabel"
  readonly input: Candidate["input"]
  /** The proposed output; undefined for an input without an answer. */
  readonly output: unknown
  /** The output that the row has, where another one is proposed; of a conflict, the output of the other row. */
  readonly current?: unknown
  /** The input of the other row of a conflict. */
  readonly other?: Candidate["input"]
  /** The rows of a suspected error or a conflict, with the outputs that they had when the question was asked. */
  readonly rows?: readonly {
    readonly row: string
    readonly check: string
    readonly output: unknown
    readonly revision: string
  }[]
  /** Why it is asked. */
  readonly note?: string
  readonly revision: string
  /** The item that reviewers decided on differently, where this one asks which of their answers holds. */
  readonly disputed?: ReviewItem
  /** The gold example that it checks a reviewer by. Not for reviewers. */
  readonly gold?: { readonly row: string; readonly output: unknown }
  /** Whether it is a settled conflict that is asked anew because one of its rows was corrected since. */
  readonly isReopened?: boolean
}

/** An example before anybody corrected it, by the id of the seed, input or candidate that it came from. */
export interface SourceRow {
  readonly row: string
  readonly split: Split
  readonly example: Example
}

/**
 * Every item a person can decide on, decided or not: real inputs, the candidates that passed their checks, the rows
 * that were suspected, the conflicts, whatever of these reviewers decided on differently, and gold checks.
 */
export function reviewItems(rows: TaskRows, sources: ReadonlyMap<string, SourceRow>): ReviewItem[] {
  const decisions = Map.groupBy(rows.decisions(), (decision) => decision.item)
  const items = [
    ...rows.inputs().map(inputItem),
    ...uniqueById(rows.candidates()).filter(passes).map(candidateItem),
    ...suspectItems(rows, sources).map(({ item }) => item),
    ...conflictItems(rows, sources, decisions).map(({ item }) => item),
    ...relabelItems(rows),
  ]
  return [
    ...items,
    ...items.flatMap((item) => adjudicationOf(item, decisions.get(item.id) ?? []) ?? []),
    ...goldChecks(sources, decisions),
  ]
}

/** The suspected rows that still are as they were when they were suspected. */
export function suspectItems(
  rows: TaskRows,
  sources: ReadonlyMap<string, SourceRow>,
): { item: ReviewItem; suspect: QueuedSuspect; source: SourceRow }[] {
  return rows.suspects().flatMap((suspect) => {
    const source = sources.get(suspect.row)
    if (source === undefined || checkId(suspect.row, source.example.input, source.example.output) !== suspect.id)
      return []
    const { input, output } = source.example
    const item: ReviewItem = {
      id: suspect.id,
      kind: "label-error",
      input,
      output: suspect.suggested,
      current: output,
      note: `a model that did not see the row gives ${formatShare(suspect.confidence)} to ${suspect.suggested}, ${formatShare(suspect.selfConfidence)} to ${String(output)}`,
      revision: digest({ input, output, suggested: suspect.suggested }),
      rows: [{ row: suspect.row, check: suspect.id, output, revision: digest({ input, output }) }],
    }
    return [{ item, suspect, source }]
  })
}

function formatShare(probability: number): string {
  return probability.toFixed(2)
}

/** Whether every check of the candidate passed. */
export function passes(candidate: Candidate): boolean {
  return candidate.checks.every(({ ok }) => ok)
}

export function inputItem({ id, input }: RealInput): ReviewItem {
  return { id, kind: "input", input, output: undefined, revision: revisionOf(input, undefined) }
}

export function candidateItem({ id, input, output }: Pick<Candidate, "id" | "input" | "output">): ReviewItem {
  return { id, kind: "candidate", input, output, revision: revisionOf(input, output) }
}

/** The digest of the guideline a decision is made under. */
export function guidelineDigest(task: TaskSpecification): string {
  return digest({ guideline: task.guideline, output: outputForm(task) })
}

export function uniqueById<Row extends { id: string }>(rows: readonly Row[]): Row[] {
  return [...new Map(rows.toReversed().map((row) => [row.id, row])).values()]
}

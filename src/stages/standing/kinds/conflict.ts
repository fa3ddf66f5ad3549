import { rowChecks } from "../../../curation/review/row-checks.ts"
import { canonicalJson, contentId, digest } from "../../../core/canonical.ts"
import type { ReviewKind, ReviewMaterial } from "../../../core/contracts/review-kind.ts"
import type { Decision, DecisionLine, Input, Output, QueuedConflict } from "../../../core/rows/example.ts"
import type { ReviewItem, SourceRow } from "../../../core/rows/review-item.ts"
import { checkId } from "../../../core/rows/row-identity.ts"
import { accept, edit, reject } from "./_choices.ts"
import { consensusOn } from "./_outcomes.ts"
import { adjudicationItem } from "./adjudication.ts"

/**
 * Which output is right of two rows that contradict each other: that of the first (`a`) or of the second (`b`) for
 * both, each its own (`both`), or another one. Until it is decided both are examples.
 */
export const conflict: ReviewKind = {
  name: "conflict",
  idPrefix: "conflict",
  question: "Two examples that contradict each other: which output is right?",
  // The words that fit any item have a meaning for two rows as well.
  choices: [
    { ...accept, name: "a", words: [accept.name, ...accept.words], output: ({ output }) => output },
    { name: "b", verdict: "edit", words: [], output: ({ current }) => current, tint: "changed" },
    { ...reject, name: "both", words: [reject.name, ...reject.words], tint: "good" },
    edit,
  ],
  buttons: () => [
    { key: "A", text: "A is right for both", choice: "a", isMain: false },
    { key: "B", text: "B is right for both", choice: "b", isMain: false },
    { key: "K", text: "Keep both", choice: "both", isMain: false },
  ],
  rejecting: {
    note: "both rows are right as they are",
    chip: "both are right as they are",
    needsReason: false,
  },
  isAboutRows: true,
  guide: {
    column: "other_input",
    title: "Conflicts",
    text:
      "Two examples nearly alike with different outputs. a: the proposed output is right for both. b: the " +
      "current output is. both: each is right as it is. edit: another one is right for both.",
  },
  help:
    "For a conflict: a, b or edit (that output is right for both rows), or both (each is right as it is); a " +
    "is the row with the proposed output, b the one with the current output.",
  counted: { field: "conflictPairs", words: "conflicts between examples", word: "conflict between examples" },
  items: (material) => conflictItems(material).map(({ item }) => item),
  waiting: (material) => conflictItems(material).flatMap(({ item, isOpen }) => (isOpen ? [item] : [])),
  onRows,
}

/** A question about two rows of the queue. */
export interface ConflictQuestion {
  /** The id in the queue. */
  readonly conflict: string
  readonly item: ReviewItem
  readonly isOpen: boolean
}

/** A row of a conflict, as it is and as it was when the question was asked. */
export interface ConflictSide {
  readonly check: string
  readonly input: Input
  /** The output that the row has by now. */
  readonly output: Output
  readonly isDisputed: boolean
  readonly asked: QueuedConflict["a"]
}

/**
 * Every conflict of the queue whose rows stand in their files as they did when it was asked. It waits while it is one
 * still and nobody decided; one that reviewers decided on differently waits as their adjudication, one whose rows were
 * corrected differently since it was settled as another question.
 */
export function conflictItems({ rows, sources, decisions }: ReviewMaterial): ConflictQuestion[] {
  const checkOf = rowChecks(decisions)
  return rows.review.conflicts().flatMap((queued) => {
    const [a, b] = [queued.a, queued.b].map((asked) => {
      const source = sources.get(asked.row)
      const side = source && sideOf(source, checkOf)
      return side?.check === asked.check ? { ...side, asked } : undefined
    })
    return a === undefined || b === undefined ? [] : questionsOn(queued, [a, b], decisions)
  })
}

function questionsOn(
  queued: QueuedConflict,
  sides: readonly [ConflictSide, ConflictSide],
  decisions: ReviewMaterial["decisions"],
): ConflictQuestion[] {
  const [a, b] = sides
  const first = questionsAbout(conflictItem(queued.id, queued, sides), queued, sides, decisions)
  if (first.isOver) return first.questions
  const asItIs = (side: ConflictSide) => ({ ...side, asked: { ...side.asked, output: side.output } })
  const id = contentId("conflict", { conflict: queued.id, outputs: [a.output, b.output] })
  const again = { ...conflictItem(id, queued, [asItIs(a), asItIs(b)]), isReopened: true }
  return [...first.questions, ...questionsAbout(again, queued, sides, decisions).questions]
}

/** The item and what comes of it; it is over unless the rows were corrected since reviewers agreed on it. */
function questionsAbout(
  item: ReviewItem,
  queued: QueuedConflict,
  sides: readonly [ConflictSide, ConflictSide],
  decisions: ReviewMaterial["decisions"],
): { readonly questions: ConflictQuestion[]; readonly isOver: boolean } {
  const [a, b] = sides
  const isConflict = queued.isCurrent && canonicalJson(a.output) !== canonicalJson(b.output)
  const given = decisions.get(item.id) ?? []
  const consensus = consensusOn(conflict, item, given)
  const dispute = consensus.state === "disputed" ? adjudicationItem(conflict, item, given) : undefined
  return {
    questions: [
      { conflict: queued.id, item, isOpen: isConflict && consensus.state === "open" },
      ...(dispute === undefined ? [] : [{ conflict: queued.id, item: dispute, isOpen: isConflict }]),
    ],
    isOver: consensus.state !== "agreed" || isAsLeft(item, consensus.decision, sides),
  }
}

function conflictItem(id: string, queued: QueuedConflict, [a, b]: readonly [ConflictSide, ConflictSide]): ReviewItem {
  return {
    id,
    kind: conflict.name,
    input: a.input,
    output: a.asked.output,
    other: b.input,
    current: b.asked.output,
    note:
      `${queued.a.row} (a) and ${queued.b.row} (b) are near-duplicates, similarity ` +
      `${queued.similarity.toFixed(2)}, with different outputs`,
    revision: digest([a, b].map(({ input, asked }) => ({ input, output: asked.output }))),
    rows: [a, b].map(({ check, input, asked }) => ({
      row: asked.row,
      check,
      output: asked.output,
      revision: digest({ input, output: asked.output }),
    })),
  }
}

/** Whether the rows have the outputs by now that the decision gave them. */
function isAsLeft({ rows = [] }: ReviewItem, { verdict, output }: Decision, sides: readonly ConflictSide[]): boolean {
  return sides.every(
    (side, index) =>
      !side.isDisputed &&
      canonicalJson(side.output) === canonicalJson(verdict === "reject" ? rows[index]?.output : output),
  )
}

/** The right output for both rows, that each keeps its own, or that this is taken back. */
function onRows({ rows = [] }: ReviewItem, line: DecisionLine): DecisionLine[] {
  return rows.map(({ row, check, output, revision }) => {
    const about = { ...line, item: check, rows: [row], revision }
    return line.verdict === "withdraw"
      ? about
      : { ...about, verdict: "edit", output: line.verdict === "reject" ? output : line.output }
  })
}

/** The row as a side of a conflict that is asked about now. */
export function sideOf({ row, example }: SourceRow, checkOf: ReturnType<typeof rowChecks>): ConflictSide {
  const { input } = example
  const state = checkOf(row, input, example.output)
  const output = state.state === "corrected" ? state.output : example.output
  const check = checkId(row, input, example.output)
  return { check, input, output, isDisputed: state.state === "disputed", asked: { row, check, output } }
}

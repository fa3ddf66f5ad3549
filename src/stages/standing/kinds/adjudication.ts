import { answersTo } from "../../../curation/review/consensus.ts"
import { canonicalJson, contentId, digest } from "../../../core/canonical.ts"
import type { ChoiceButton } from "../../../core/contracts/choice-button.ts"
import type { ReviewKind } from "../../../core/contracts/review-kind.ts"
import type { Decision } from "../../../core/rows/example.ts"
import type { ReviewItem } from "../../../core/rows/review-item.ts"
import type { TaskSpecification } from "../../../core/task/task.ts"
import { accept, edit, isShown, reject, turnedDown } from "./_choices.ts"
import { currentOn, outcomeOn, outputOf } from "./_outcomes.ts"

/**
 * Which of several answers to another item holds. A decision on it is one on that item, and counts before the answers
 * that it was chosen between.
 */
export const adjudication: ReviewKind = {
  name: "adjudication",
  idPrefix: "adjudication",
  question: "Reviewers decided differently: which answer is right?",
  choices: [accept, edit, reject],
  buttons: () => [],
  rejecting: turnedDown,
  isAboutRows: false,
  // They follow from the items of the other kinds: `adjudicationItem`.
  items: () => [],
}

/** The adjudication of items of the kind: what rejecting means is the same as for them. */
export function adjudicating(kind: ReviewKind): ReviewKind {
  return {
    ...adjudication,
    rejecting: kind.rejecting,
    ...(kind.kept === undefined ? {} : { kept: kind.kept }),
    // The answers to a question about what a row keeps are what it keeps and what is proposed: the same two buttons.
    buttons: kind.kept === undefined ? (task, item) => answerButtons(kind, task, item) : kind.buttons,
  }
}

function answerButtons(kind: ReviewKind, task: TaskSpecification, item: ReviewItem): ChoiceButton[] {
  const first = { key: "A", text: "A is right", choice: "accept", isMain: false }
  const second = { key: "B", text: "B is right", choice: "edit", output: item.current, isMain: false }
  return [
    ...(isShown(item.output) ? [first] : []),
    ...(item.current === undefined ? [] : [second]),
    ...rejectButtons(kind, task, item),
  ]
}

/** Rejecting has the button that it has for the kind itself, in the kind's words. */
function rejectButtons(kind: ReviewKind, task: TaskSpecification, item: ReviewItem): ChoiceButton[] {
  const rejecting = kind.choices.filter(({ verdict }) => verdict === reject.verdict).map(({ name }) => name)
  return kind
    .buttons(task, item)
    .filter(({ choice }) => rejecting.includes(choice))
    .map((button) => ({ ...button, choice: reject.name }))
}

/**
 * The question which of several answers to the item holds, for a reviewer who gave none of them; undefined where all
 * gave the same one. It stays the same question after it was decided. Names are left out.
 */
export function adjudicationItem(
  kind: ReviewKind,
  item: ReviewItem,
  decisions: readonly Decision[],
): ReviewItem | undefined {
  const answers = answersTo(currentOn(kind, item, decisions), (decision) => outcomeOn(kind, item, decision))
  if (answers.size < 2) return undefined
  const isReject = ({ verdict }: Decision) => verdict === "reject"
  const outcomes = [...answers.keys()]
  const given = [...answers.values()]
  const [first, second] = given.filter((decision) => !isReject(decision)).map((each) => outputOf(kind, item, each))
  const said = given.map((each) => (isReject(each) ? kind.rejecting.note : show(outputOf(kind, item, each))))
  return {
    id: contentId("adjudication", {
      item: item.id,
      revision: kind.isAboutRows ? null : item.revision,
      answers: outcomes,
    }),
    kind: adjudication.name,
    input: item.input,
    output: first,
    ...(kind.kept !== undefined ? { current: kind.kept(item) } : second === undefined ? {} : { current: second }),
    ...(item.other === undefined ? {} : { other: item.other }),
    ...(item.rows === undefined ? {} : { rows: item.rows }),
    note:
      `reviewers decided differently: ${said.join("; or ")}. accept takes the proposed output, edit the ` +
      `corrected one; reject: ${kind.rejecting.note}`,
    revision: digest({ input: item.input, answers: outcomes }),
    disputed: item,
  }
}

function show(output: unknown): string {
  return typeof output === "string" ? output : canonicalJson(output ?? null)
}

import { rowChecks } from "../../../curation/review/row-checks.ts"
import { digest } from "../../../core/canonical.ts"
import type { ChoiceButton } from "../../../core/contracts/choice-button.ts"
import type { ReviewKind, ReviewMaterial } from "../../../core/contracts/review-kind.ts"
import type { QueuedSuspect } from "../../../core/rows/example.ts"
import type { ReviewItem, SourceRow } from "../../../core/rows/review-item.ts"
import { checkId } from "../../../core/rows/row-identity.ts"
import type { TaskSpecification } from "../../../core/task/task.ts"
import { accept, edit, isShown, reject } from "./_choices.ts"
import { adjudicationItem } from "./adjudication.ts"

/**
 * Whether the label of a row is the wrong one. Its id is that of the check of the row, so that a decision corrects the
 * row; until then the row is an example all the same.
 */
export const labelError: ReviewKind = {
  name: "label-error",
  idPrefix: "check",
  question: "Is this label right?",
  // What is accepted is the suggestion, which the next search may change: it goes into the decision.
  choices: [{ ...accept, output: ({ output }) => output }, edit, reject],
  buttons: (task, item) => [...takeButtons(task, item), keepButton(task, item)],
  rejecting: { note: "the output stays as it is", chip: "the label is right as it is", needsReason: false },
  isAboutRows: true,
  guide: {
    column: "current_output",
    title: "Kind label-error",
    text: "A label that is probably wrong. accept takes the proposed one, reject keeps the current one.",
  },
  help:
    "For a suspected label error, accept takes the proposed output, reject keeps the current one, edit " +
    "takes the corrected one.",
  counted: { field: "suspects", words: "suspected label errors", word: "suspected label error" },
  items: (material) => suspectItems(material).map(({ item }) => item),
  waiting,
  kept: ({ current }) => current,
}

function takeButtons(task: TaskSpecification, { output }: ReviewItem): ChoiceButton[] {
  const text = task.kind === "label" ? `Change to ${String(output)}` : "Take the proposed output"
  return isShown(output) ? [{ key: "A", text, choice: "accept", isMain: false }] : []
}

/** Rejects what is proposed, and so keeps what is there. */
function keepButton(task: TaskSpecification, { current }: ReviewItem): ChoiceButton {
  const text = task.kind === "label" ? `Keep ${String(current)}` : "Keep the output"
  return { key: "K", text, choice: "reject", isMain: false }
}

/** The suspects on which nobody decided, the most suspect first; as disputes where reviewers decided differently. */
function waiting(material: ReviewMaterial): ReviewItem[] {
  const { decisions } = material
  const checkOf = rowChecks(decisions)
  return suspectItems(material).flatMap(({ item, suspect, source }) => {
    const { state } = checkOf(source.row, source.example.input, source.example.output)
    if (state === "disputed") return [adjudicationItem(labelError, item, decisions.get(item.id) ?? []) ?? item]
    return state === "open" && suspect.isCurrent ? [item] : []
  })
}

/** The suspected rows that still are as they were when they were suspected. */
function suspectItems({
  rows,
  sources,
}: ReviewMaterial): { item: ReviewItem; suspect: QueuedSuspect; source: SourceRow }[] {
  return rows.review.suspects().flatMap((suspect) => {
    const source = sources.get(suspect.row)
    if (source === undefined || checkId(suspect.row, source.example.input, source.example.output) !== suspect.id)
      return []
    const { input, output } = source.example
    const item: ReviewItem = {
      id: suspect.id,
      kind: labelError.name,
      input,
      output: suspect.suggested,
      current: output,
      note:
        `a model that did not see the row gives ${suspect.confidence.toFixed(2)} to ${suspect.suggested}, ` +
        `${suspect.selfConfidence.toFixed(2)} to ${String(output)}`,
      revision: digest({ input, output, suggested: suspect.suggested }),
      rows: [{ row: suspect.row, check: suspect.id, output, revision: digest({ input, output }) }],
    }
    return [{ item, suspect, source }]
  })
}

import type { ReviewKind } from "../../../core/contracts/review-kind.ts"
import type { RealInput } from "../../../core/rows/example.ts"
import type { ReviewItem } from "../../../core/rows/review-item.ts"
import { revisionOf } from "../../../core/rows/row-identity.ts"
import { accept, acceptButtons, edit, reject, turnedDown } from "./_choices.ts"

/** A real input that has no answer yet. It becomes an example with the output that it is given. */
export const input: ReviewKind = {
  name: "input",
  idPrefix: "input",
  question: "What is the right output?",
  choices: [accept, edit, reject],
  buttons: acceptButtons,
  rejecting: turnedDown,
  isAboutRows: false,
  items: ({ rows }) => rows.inputs().map(inputItem),
}

export function inputItem({ id, input: fields }: RealInput): ReviewItem {
  return { id, kind: input.name, input: fields, output: undefined, revision: revisionOf(fields, undefined) }
}

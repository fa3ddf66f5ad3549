import type { ReviewKind } from "../../../core/contracts/review-kind.ts"
import { passes, uniqueById } from "../../../core/rows/candidates.ts"
import type { Candidate } from "../../../core/rows/example.ts"
import type { ReviewItem } from "../../../core/rows/review-item.ts"
import { revisionOf } from "../../../core/rows/row-identity.ts"
import { accept, acceptButtons, edit, reject, turnedDown } from "./_choices.ts"

/** A grown example that passed its checks. It becomes an example when it is accepted. */
export const candidate: ReviewKind = {
  name: "candidate",
  idPrefix: "cand",
  question: "Is this a good example?",
  choices: [accept, edit, reject],
  buttons: acceptButtons,
  rejecting: turnedDown,
  isAboutRows: false,
  items: ({ rows }) => uniqueById(rows.grown.candidates()).filter(passes).map(candidateItem),
}

export function candidateItem({ id, input, output }: Pick<Candidate, "id" | "input" | "output">): ReviewItem {
  return { id, kind: candidate.name, input, output, revision: revisionOf(input, output) }
}

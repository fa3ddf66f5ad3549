import { contentId, digest } from "../../../core/canonical.ts"
import type { ReviewKind, ReviewMaterial } from "../../../core/contracts/review-kind.ts"
import type { Decision, Input, Output } from "../../../core/rows/example.ts"
import type { LabelSplit, Migrations } from "../../../core/rows/migration.ts"
import type { ReviewItem } from "../../../core/rows/review-item.ts"
import { accept, edit, reject } from "./_choices.ts"
import { consensusOn } from "./_outcomes.ts"

/** Which of the labels that one was split into a row has. Until it is decided the row is no example. */
export const relabel: ReviewKind = {
  name: "relabel",
  idPrefix: "relabel",
  question: "The label of this example was split: which one is right now?",
  choices: [accept, edit, reject],
  // There is nothing to accept, and nothing to keep: the label that the row had is no more.
  buttons: () => [{ key: "R", text: "None of them", choice: "reject", isMain: false }],
  rejecting: {
    note: "no example any more",
    chip: "none; the row is no example any more",
    needsReason: false,
  },
  isAboutRows: true,
  items: ({ rows }) => relabelItems(rows),
}

/** What became of a row whose label was split. */
export type Relabelled =
  | { readonly state: "open"; readonly item: ReviewItem }
  | { readonly state: "relabelled"; readonly output: Output; readonly by: string }
  | { readonly state: "rejected"; readonly reason: string | undefined }

/** How the row stands; undefined where its label was not split. */
export function relabelled(
  migrations: Migrations,
  { row, input, output }: { readonly row: string; readonly input: Input; readonly output: Output },
  decisions: ReadonlyMap<string, readonly Decision[]>,
): Relabelled | undefined {
  const split = migrations.splitOf(row, output)
  if (split === undefined) return undefined
  const item = relabelItem(split, row, input)
  const consensus = consensusOn(relabel, item, decisions.get(item.id) ?? [])
  if (consensus.state !== "agreed") return { state: "open", item }
  const { verdict, output: chosen, reviewer, reason } = consensus.decision
  return verdict === "reject" ? { state: "rejected", reason } : { state: "relabelled", output: chosen, by: reviewer }
}

/** The questions about all rows whose label was split, decided or not. */
function relabelItems(rows: ReviewMaterial["rows"]): ReviewItem[] {
  const split = rows.migrations.splitRows()
  if (split.length === 0) return []
  const inputs = new Map(
    [...rows.seeds(), ...rows.inputs(), ...rows.grown.candidates()].map(({ id, input }) => [id, input]),
  )
  return split.flatMap(({ row, split: of }) => {
    const input = inputs.get(row)
    return input === undefined ? [] : [relabelItem(of, row, input)]
  })
}

function relabelItem({ migration, from, into }: LabelSplit, row: string, input: Input): ReviewItem {
  const id = contentId("relabel", { migration, from, row })
  const revision = digest({ input, from, into })
  return {
    id,
    kind: relabel.name,
    input,
    output: undefined,
    current: from,
    note: `${from} was split into ${into.join(", ")}: which one is right? reject: none, the row is no example any more`,
    revision,
    rows: [{ row, check: id, output: from, revision }],
  }
}

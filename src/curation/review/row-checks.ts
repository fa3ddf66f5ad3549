import { consensusOf } from "./consensus.ts"
import { canonicalJson } from "../../core/canonical.ts"
import type { Decision, Example, Input, Output } from "../../core/rows/example.ts"
import { checkId } from "../../core/rows/row-identity.ts"

/** What was decided about a row's output after it became an example. */
export type RowCheck =
  | { readonly state: "open" | "disputed" | "confirmed" }
  | { readonly state: "corrected"; readonly output: Output; readonly by: string }

/**
 * How the question stands, by what each reviewer said last: `reject` confirms the output that the row has, `accept` and
 * `edit` replace it. Reviewers who say different things leave the row as it is.
 */
export function rowCheck(decisions: readonly Decision[], present: Output): RowCheck {
  const consensus = consensusOf(decisions, (decision) => rowOutcome(decision, present))
  if (consensus.state !== "agreed") return { state: consensus.state }
  const { output, reviewer } = consensus.decision
  return rowOutcome(consensus.decision, present) === canonicalJson(present)
    ? { state: "confirmed" }
    : { state: "corrected", output, by: reviewer }
}

/** What a decision on the question comes to: the output that the row is to have, as canonical JSON. */
export function rowOutcome({ verdict, output }: Decision, present: Output): string {
  return canonicalJson(verdict === "reject" ? present : (output ?? null))
}

/** Looks up what was decided about rows; costs nothing where nobody decided anything of the kind. */
export function rowChecks(
  decisions: ReadonlyMap<string, readonly Decision[]>,
): (row: string, input: Input, output: Output) => RowCheck {
  const hasAny = [...decisions.keys()].some((item) => item.startsWith("check_"))
  return (row, input, output) =>
    hasAny ? rowCheck(decisions.get(checkId(row, input, output)) ?? [], output) : { state: "open" }
}

/** The example with the output that experts gave it. */
export function corrected<Row extends Example>(example: Row, check: RowCheck): Row {
  return check.state === "corrected"
    ? { ...example, output: check.output, provenance: { ...example.provenance, correctedBy: check.by } }
    : example
}

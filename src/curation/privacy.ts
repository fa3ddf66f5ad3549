import type { DroppedExample, Example, Input, Output } from "../core/example.ts"
import type { TaskSpecification } from "../core/task.ts"
import { findPersonalData, type PersonalDataKind } from "./personal-data.ts"
import { pseudonymise } from "./pseudonyms.ts"
import type { CurationRow } from "./ranking.ts"
import { stringsIn } from "./validity.ts"

/** What was done about personal data in the rows of a version and of its holdout. */
export interface PrivacyReport {
  readonly policy: TaskSpecification["privacy"]["personalData"]
  /** Rows in which something was found. */
  readonly rows: number
  /** How many different things of each kind were found, counted a row. */
  readonly found: Readonly<Record<string, number>>
}

export interface ProtectedRows {
  readonly train: CurationRow[]
  readonly dropped: DroppedExample[]
  readonly validation: Example[]
  readonly test: Example[]
  readonly report: PrivacyReport
}

/** The rows as they may go into a version, by the policy of the specification: flag and refuse leave them as they are, drop drops train rows with a
 * finding, and pseudonymise replaces what was found. Held-out rows are never dropped: where train rows are, what is found in held-out rows is
 * replaced. Each row is judged by itself. */
export function protectRows(
  task: TaskSpecification,
  rows: { readonly train: readonly CurationRow[]; readonly validation: readonly Example[]; readonly test: readonly Example[] },
): ProtectedRows {
  const policy = task.privacy.personalData
  const found = new Map<string, number>()
  let count = 0
  const dropped: DroppedExample[] = []
  const protect = <Row extends Example>(row: Row, isTrain: boolean): Row[] => {
    const safe = withPseudonyms(task, row)
    const kinds = Object.entries(safe.replaced)
    if (kinds.length === 0) return [row]
    count++
    for (const [kind, number] of kinds) found.set(kind, (found.get(kind) ?? 0) + number)
    const changed = { ...row, input: safe.input, output: safe.output }
    if (policy === "flag" || policy === "refuse") return [row]
    if (policy === "pseudonymise" || !isTrain) return [changed]
    // The row is kept beside the version with pseudonyms: what must not be trained on should not lie about either.
    const { id, input, output, provenance } = changed
    dropped.push({
      id,
      input,
      output,
      provenance,
      reason: "personal-data",
      detail: kinds
        .map(([kind]) => kind)
        .sort()
        .join(", "),
    })
    return []
  }
  const train = rows.train.flatMap((row) => protect(row, true))
  const validation = rows.validation.flatMap((row) => protect(row, false))
  const test = rows.test.flatMap((row) => protect(row, false))
  return {
    train,
    dropped,
    validation,
    test,
    report: { policy, rows: count, found: Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1))) },
  }
}

/** The pair as it may leave the workspace: with pseudonyms where the policy is to replace or to drop, otherwise as it is. */
export function outbound<Pair extends { readonly input: Input; readonly output: Output }>(task: TaskSpecification, pair: Pair): Pair {
  if (task.privacy.personalData === "flag" || task.privacy.personalData === "refuse") return pair
  const { input, output } = withPseudonyms(task, pair)
  return { ...pair, input, output }
}

/** The kinds of personal data in the pair, sorted. */
export function personalDataKindsIn(
  task: TaskSpecification,
  { input, output }: { readonly input: unknown; readonly output: unknown },
): PersonalDataKind[] {
  const texts = [...stringsIn(input), ...(isFixed(task) ? [] : stringsIn(output))]
  return [...new Set(texts.flatMap((text) => findPersonalData(text, task.privacy.names).map(({ kind }) => kind)))].sort()
}

function withPseudonyms(task: TaskSpecification, pair: { readonly input: Input; readonly output: Output }) {
  return pseudonymise(pair, { names: task.privacy.names, isFixedOutput: isFixed(task) })
}

/** Labels are the specification's own words. */
function isFixed(task: TaskSpecification): boolean {
  return task.kind === "label" || task.kind === "multilabel"
}

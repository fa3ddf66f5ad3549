import type { DroppedExample, Example, Input, Output } from "../../core/rows/example.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { findPersonalData, type PersonalDataKind } from "../privacy/personal-data.ts"
import { pseudonymise } from "../privacy/pseudonyms.ts"
import { stringsIn } from "./validity.ts"

/** What was done about personal data in the rows of a version and of its holdout. */
export interface PrivacyReport {
  readonly policy: TaskSpecification["privacy"]["personalData"]
  /** Rows in which something was found. */
  readonly rows: number
  /** How many different things of each kind were found, counted a row. */
  readonly found: Readonly<Record<string, number>>
}

/** A row as it may go into a version, or why it may not. */
export interface ProtectedRow<Row extends Example> {
  readonly row: Row
  readonly why?: Pick<DroppedExample, "reason" | "detail">
}

/**
 * Makes rows fit for a version, by the policy of the specification: flag and refuse leave them as they are, drop drops
 * train rows with a finding, and pseudonymise replaces what was found. Held-out rows are never dropped: where train
 * rows are, what is found in held-out rows is replaced. Each row is judged by itself.
 */
export class Protection {
  readonly #task: TaskSpecification
  readonly #found = new Map<string, number>()
  #rows = 0

  constructor(task: TaskSpecification) {
    this.#task = task
  }

  protect<Row extends Example>(row: Row, { isTrain }: { readonly isTrain: boolean }): ProtectedRow<Row> {
    const policy = this.#task.privacy.personalData
    const safe = withPseudonyms(this.#task, row)
    const kinds = Object.entries(safe.replaced)
    if (kinds.length === 0) return { row }
    this.#rows++
    for (const [kind, number] of kinds) this.#found.set(kind, (this.#found.get(kind) ?? 0) + number)
    if (policy === "flag" || policy === "refuse") return { row }
    const changed = { ...row, input: safe.input, output: safe.output }
    if (policy === "pseudonymise" || !isTrain) return { row: changed }
    // The row is kept beside the version with pseudonyms: what must not be trained on should not lie about either.
    const names = kinds.map(([kind]) => kind).sort()
    return { row: changed, why: { reason: "personal-data", detail: names.join(", ") } }
  }

  /** Counts what was found in rows elsewhere. */
  add({ rows, found }: PrivacyReport): void {
    this.#rows += rows
    for (const [kind, number] of Object.entries(found)) this.#found.set(kind, (this.#found.get(kind) ?? 0) + number)
  }

  /** What was found in the rows so far. */
  report(): PrivacyReport {
    const found = Object.fromEntries([...this.#found].sort(([a], [b]) => (a < b ? -1 : 1)))
    return { policy: this.#task.privacy.personalData, rows: this.#rows, found }
  }
}

/**
 * The pair as it may leave the workspace: with pseudonyms where the policy is to replace or to drop, otherwise as it
 * is.
 */
export function outbound<Pair extends { readonly input: Input; readonly output: Output }>(
  task: TaskSpecification,
  pair: Pair,
): Pair {
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
  return [
    ...new Set(texts.flatMap((text) => findPersonalData(text, task.privacy.names).map(({ kind }) => kind))),
  ].sort()
}

function withPseudonyms(task: TaskSpecification, pair: { readonly input: Input; readonly output: Output }) {
  return pseudonymise(pair, { names: task.privacy.names, isFixedOutput: isFixed(task) })
}

/** Labels are the specification's own words. */
function isFixed(task: TaskSpecification): boolean {
  return task.kind === "label" || task.kind === "multilabel"
}

import { personalDataKindsIn } from "../curation/version/personal-data-policy.ts"
import { GateError } from "../core/errors.ts"
import type { Input, Output } from "../core/rows/example.ts"
import type { TaskSpecification } from "../core/task/task.ts"

/** A row as it would leave the workspace; one without an output says nothing but its input. */
export interface LeavingRow {
  readonly id: string
  readonly input: Input
  readonly output?: Output | undefined
}

/**
 * Throws a GateError where the policy of the specification keeps one of the rows here, whenever the row came in: under
 * `refuse` any with personal data or a secret. Rows of a frozen version or holdout were made fit for the policy of
 * their time: where it is to replace or to drop by now, such a row keeps them here as well. What stands in the task
 * goes out with pseudonyms then, and is not asked about here.
 */
export function requirePrivate(task: TaskSpecification, rows: Iterable<LeavingRow>, frozen?: string): void {
  for (const _ of privateRows(task, rows, frozen));
}

/** The same rows one by one; throws behind the last one. */
export function* privateRows<Row extends LeavingRow>(
  task: TaskSpecification,
  rows: Iterable<Row>,
  frozen?: string,
): Generator<Row> {
  const policy = task.privacy.personalData
  const isLookedAt = policy === "refuse" || (policy !== "flag" && frozen !== undefined)
  const [kinds, named] = [new Set<string>(), [] as string[]]
  let found = 0
  for (const row of rows) {
    const here = isLookedAt ? personalDataKindsIn(task, { input: row.input, output: row.output ?? null }) : []
    if (here.length > 0 && ++found <= mostNamed) named.push(row.id)
    for (const kind of here) kinds.add(kind)
    yield row
  }
  if (found === 0) return
  const more = found > named.length ? ` and ${found - named.length} more` : ""
  throw new GateError(
    `${found} rows${frozen === undefined ? "" : ` of ${frozen}`} have personal data or secrets ` +
      `(${[...kinds].sort().join(", ")}) and may not leave the workspace, for privacy.personalData is ${policy}: ` +
      `${named.join(", ")}${more}`,
    policy === "refuse"
      ? `Erase them (tuneloop dataset erase ${task.task} ${named[0]}), take it out of them, or set another policy.`
      : `They were frozen under another policy. Build again: tuneloop build ${task.task}`,
  )
}

const mostNamed = 5

import type { RowDialect, RowForm, RowLimits, TrainingPlan } from "../../core/contracts/backend.ts"
import { GateError } from "../../core/errors.ts"
import { howPreferencesAreMade } from "./preferences.ts"

const namedRows = 5

/**
 * The rows as a service takes them, a line each. After the last one it is a GateError that the service would refuse or
 * cut some, which names the first of them with each fault.
 */
export function* dialectLines<Row extends { readonly id: string }>(
  rows: Iterable<Row>,
  dialect: RowForm<Row>,
  limits: RowLimits = {},
): Generator<string> {
  const named: string[] = []
  let faulty = 0
  for (const row of rows) {
    const faults = dialect.faults(row, limits)
    if (faults.length === 0) yield `${JSON.stringify(dialect.row(row))}\n`
    else if (++faulty <= namedRows) named.push(`${row.id}: ${faults.join("; ")}`)
  }
  if (faulty > 0)
    throw new GateError(
      `${faulty === 1 ? "1 row" : `${faulty} rows`} would be refused or cut by the service\n  ${named.join("\n  ")}` +
        (faulty > named.length ? `\n  and ${faulty - named.length} more` : ""),
      `${lengthHint(limits)}Mend the prompt or those rows, or train elsewhere: nothing was sent.`,
    )
}

function lengthHint({ mostTokens }: RowLimits): string {
  return mostTokens === undefined
    ? ""
    : "Tokens are estimated: raise hyperparameters.maxLength in the job, or shorten a row that is too long.\n"
}

/** Throws a GateError for a training file with fewer rows than the service takes. */
export function requireRows({ files, objective, task }: TrainingPlan, dialect: RowDialect | undefined): void {
  if (dialect === undefined || files.train.rows >= dialect.fewestRows) return
  const [what, next] =
    objective === "dpo"
      ? ["preferences", `${howPreferencesAreMade(task)}.`]
      : ["train rows", "Import or grow more examples and build a new version."]
  throw new GateError(
    `the version has ${files.train.rows} ${what}; the service takes ${dialect.fewestRows} or more`,
    next,
  )
}

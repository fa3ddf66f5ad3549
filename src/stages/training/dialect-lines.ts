import type { RowDialect, TrainingPlan, TrainingRow } from "../../core/contracts/backend.ts"
import { GateError } from "../../core/errors.ts"

const namedRows = 5

/**
 * The rows as a service takes them, a line each. After the last one it is a GateError that the service would refuse or
 * cut some, which names the first of them with each fault.
 */
export function* dialectLines(rows: Iterable<TrainingRow>, dialect: RowDialect): Generator<string> {
  const named: string[] = []
  let faulty = 0
  for (const row of rows) {
    const faults = dialect.faults(row)
    if (faults.length === 0) yield `${JSON.stringify(dialect.row(row))}\n`
    else if (++faulty <= namedRows) named.push(`${row.id}: ${faults.join("; ")}`)
  }
  if (faulty > 0)
    throw new GateError(
      `${faulty === 1 ? "1 row" : `${faulty} rows`} would be refused or cut by the service\n  ${named.join("\n  ")}` +
        (faulty > named.length ? `\n  and ${faulty - named.length} more` : ""),
      "Mend the prompt or those rows, or train elsewhere: nothing was sent.",
    )
}

/** Throws a GateError for a training file with fewer rows than the service takes. */
export function requireRows({ files }: TrainingPlan, dialect: RowDialect | undefined): void {
  if (dialect === undefined || files.train.rows >= dialect.fewestRows) return
  throw new GateError(
    `the version has ${files.train.rows} train rows; the service takes ${dialect.fewestRows} or more`,
    "Import or grow more examples and build a new version.",
  )
}

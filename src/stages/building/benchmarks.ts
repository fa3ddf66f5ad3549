import type { HeldOutRow } from "../../curation/leaks/contamination.ts"
import { digestText } from "../../core/canonical.ts"
import { DataError, type Issue } from "../../core/errors.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { readBytes } from "../../store/files/files.ts"
import { readTable } from "../../store/tables/table.ts"
import type { Workspace } from "../../store/workspace.ts"
import { FileColumns } from "../arriving/file-columns.ts"
import { parseRow } from "../arriving/imported-row.ts"

export interface Benchmarks {
  /** The inputs, each named by its file and line. */
  readonly rows: readonly HeldOutRow[]
  /** The digest of each file, by its path as the specification has it. */
  readonly digests: Readonly<Record<string, string>>
}

/**
 * Every input of the benchmark files that the specification names. A row that is none is a DataError with its place: a
 * benchmark that is read in part would be trained on in part. No files, no rows.
 */
export function readBenchmarks(workspace: Workspace, task: TaskSpecification): Benchmarks {
  const issues: Issue[] = []
  const digests: Record<string, string> = {}
  const rows = task.build.benchmarks.flatMap((file) => {
    const path = workspace.absolute(file)
    digests[file] = digestText(readBytes(path, "benchmark file"))
    const table = readTable(path)
    issues.push(...table.issues)
    const columns = new FileColumns(task, table.format, { kind: "benchmark", file })
    const read = table.rows.flatMap((row): HeldOutRow[] => {
      const parsed = parseRow(task, row, columns.of(row), "benchmark")
      if ("issues" in parsed) {
        issues.push(...parsed.issues.map((issue) => ({ ...issue, file, line: row.line })))
        return []
      }
      return [{ id: `${file}:${row.line}`, input: parsed.row.input }]
    })
    columns.requireAll()
    return read
  })
  if (issues.length > 0)
    throw new DataError(
      "a benchmark file cannot be read",
      issues,
      `Mend those rows, or take the file out of build.benchmarks in specs/${task.task}.yaml.`,
    )
  return { rows, digests }
}

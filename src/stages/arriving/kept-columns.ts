import { canonicalText } from "../../core/canonical.ts"
import { DataError, type Issue } from "../../core/errors.ts"
import { show } from "../../core/parse.ts"
import { keptColumns, parseTime, timeForms } from "../../core/rows/kept-columns.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { TableRow } from "../../store/tables/table-rows.ts"

/**
 * Reads of the rows of one file the columns that are kept beside the input: `holdout.groupBy` and `holdout.newestBy`. A
 * column may be an input field as well.
 */
export class KeptColumns {
  readonly #names: readonly string[]
  readonly #newestBy: string | undefined
  readonly #renamed: ReadonlyMap<string, string>
  readonly #met = new Set<string>()

  constructor(task: TaskSpecification, renamed: ReadonlyMap<string, string>) {
    this.#names = keptColumns(task)
    this.#newestBy = task.holdout.newestBy
    this.#renamed = renamed
  }

  /** What the row says in them, undefined where it says nothing; or what is wrong with it. */
  of({ fields, values }: TableRow): { columns: Readonly<Record<string, string>> | undefined } | { issues: Issue[] } {
    const columns: Record<string, string> = {}
    const issues: Issue[] = []
    for (const name of this.#names) {
      // A date of a workbook is the day, however it is shown.
      const value = this.#valueIn(name === this.#newestBy ? { ...fields, ...values } : fields, name)
      if (value === undefined || value === null || value === "") continue
      const text = typeof value === "object" ? "" : canonicalText(String(value)).trim()
      if (typeof value === "object")
        issues.push({ path: name, message: `got ${show(value)}; allowed: a text or number` })
      else if (name === this.#newestBy && parseTime(text) === undefined)
        issues.push({ path: name, message: `got ${show(value)}; allowed: ${timeForms}` })
      else if (text !== "") columns[name] = text
    }
    if (issues.length > 0) return { issues }
    return { columns: Object.keys(columns).length === 0 ? undefined : columns }
  }

  /** The row of the form `{input, output}` without them: they are no part of what is imported. */
  without(row: TableRow): TableRow {
    if (this.#names.length === 0) return row
    const isOther = ([column, value]: readonly [string, unknown]) =>
      ownKeys.has(column) || !(this.isKept(column) || (column === "columns" && typeof value === "object"))
    return { ...row, fields: Object.fromEntries(Object.entries(row.fields).filter(isOther)) }
  }

  /** Whether the column of the file is one of them. */
  isKept(column: string): boolean {
    return this.#names.some((name) => this.#isColumn(name, column))
  }

  /** Throws a DataError where no row of the file has one of the columns: its rows could be held out anywhere. */
  requireAll(file: string, task: TaskSpecification): void {
    const missing = this.#names.filter((name) => !this.#met.has(name))
    if (missing.length === 0) return
    const keyOf = (name: string) => (name === task.holdout.groupBy ? "holdout.groupBy" : "holdout.newestBy")
    throw new DataError(
      `${file} lacks a column that decides where its rows are held`,
      missing.map((name) => ({ file, line: 1, message: `no column ${show(name)}, which ${keyOf(name)} names` })),
      `Add the column, or say which it is: --column ${missing[0]}=<column>`,
    )
  }

  #valueIn(fields: Readonly<Record<string, unknown>>, name: string): unknown {
    // Also as our own files have them.
    const inner = [fields["input"], fields["columns"]].filter((value) => typeof value === "object" && value !== null)
    for (const place of [fields, ...(inner as (typeof fields)[])])
      for (const [column, value] of Object.entries(place))
        if (this.#isColumn(name, column)) {
          this.#met.add(name)
          return value
        }
    return undefined
  }

  #isColumn(name: string, column: string): boolean {
    const renamed = this.#renamed.get(name)
    return renamed === undefined ? column.toLowerCase() === name.toLowerCase() : column === renamed
  }
}

// A key that a row has anyway may group its rows: it is still what it is.
const ownKeys = new Set(["id", "key", "input", "output", "source", "split", "messages", "prompt", "completion"])

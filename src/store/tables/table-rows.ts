import type { Issue } from "../../core/errors.ts"

/** A row of a user's file: its fields by name, and the line where it begins. */
export interface TableRow {
  readonly line: number
  readonly fields: Readonly<Record<string, unknown>>
  /** Of cells that show something else: the number as it is, and a date by ISO 8601. */
  readonly values?: Readonly<Record<string, string>>
}

export interface Table {
  readonly rows: readonly TableRow[]
  /** Lines that could not be read as rows at all. */
  readonly issues: readonly Issue[]
  readonly format: "jsonl" | "csv"
  /** What a reader of the rows ought to know: merged cells, dates that the file does not say how to show. */
  readonly notes?: readonly string[]
}

/** How a workbook is read. */
export interface WorkbookOptions {
  /** The sheet; default the only one with rows. */
  readonly sheet?: string | undefined
  /** Names of columns by which the header is found. */
  readonly columns?: readonly string[]
  /** Ends the reading of what is read in a thread. */
  readonly signal?: AbortSignal | undefined
}

/** The rows of a file that people import, read as they are asked for where each is a line of its own. */
export interface TableStream {
  readonly format: Table["format"]
  readonly notes?: readonly string[]
  /** Asked for once. Lines that could not be read as rows at all stand among the rows. */
  readonly rows: Iterable<TableRow | Issue>
}

import type { Issue } from "../../core/errors.ts"

/** A row of a user's file: its fields by name, and the line where it begins. */
export interface TableRow {
  readonly line: number
  readonly fields: Readonly<Record<string, unknown>>
}

export interface Table {
  readonly rows: readonly TableRow[]
  /** Lines that could not be read as rows at all. */
  readonly issues: readonly Issue[]
  readonly format: "jsonl" | "csv"
}

/** The rows of a file that people import, read as they are asked for where each is a line of its own. */
export interface TableStream {
  readonly format: Table["format"]
  /** Asked for once. Lines that could not be read as rows at all stand among the rows. */
  readonly rows: Iterable<TableRow | Issue>
}

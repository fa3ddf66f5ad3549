import type { Shown } from "./shown-number.ts"

/** A cell as the file holds it: the text of a number or date cell is the number, whatever the spreadsheet shows. */
export interface SheetCell {
  readonly text: string
  /** Of a number or date in a workbook: what the spreadsheet shows of it. */
  readonly shown?: Shown
  readonly kind: "text" | "number" | "date" | "boolean" | "error"
}

export interface SheetRow {
  /** As the spreadsheet counts, from 1. */
  readonly row: number
  /** A column without a cell is undefined. */
  readonly cells: readonly (SheetCell | undefined)[]
}

/** A sheet of a file: its rows are read once, in order, and never all held. */
export interface Sheet {
  /** Undefined for a CSV file, which has one sheet without a name. */
  readonly name: string | undefined
  readonly rows: AsyncIterable<SheetRow>
  /**
   * What a reader of the cells ought to know of the sheet: merged cells, a guessed encoding. Complete after the rows.
   */
  readonly notes: string[]
  /**
   * True where the texts may have lost characters on the way, because the file has an encoding that does not hold all
   * of them.
   */
  readonly isLossy: boolean
}

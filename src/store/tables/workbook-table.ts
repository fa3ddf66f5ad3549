import { DataError, type Issue } from "../../core/errors.ts"
import { readSheets } from "./sheet.ts"
import type { SheetCell, SheetRow } from "./sheet-rows.ts"
import type { Table, TableRow, WorkbookOptions } from "./table-rows.ts"

/**
 * The rows of one sheet of an Excel workbook, cells as the spreadsheet shows them: of the sheet that is named, else of
 * the only one with rows. Its header is the row that names most of the wanted columns; rows above it are not read. What
 * the file does not say how to show is noted. The line of a row is its number in the sheet. The sheet is held whole.
 */
export async function readWorkbookTable(path: string, { sheet, columns = [] }: WorkbookOptions): Promise<Table> {
  const wanted = new Set(columns.map((name) => name.toLowerCase()))
  const sheets: ReadSheet[] = []
  const names: string[] = []
  for await (const { name = "", rows, notes } of readSheets(path)) {
    names.push(name)
    if (sheet !== undefined && name !== sheet) continue
    const read: SheetRow[] = []
    // A row may have nothing but its last column: only the cells that are there are gone through.
    for await (const row of rows)
      if (Object.values(row.cells).some((cell) => cell !== undefined && cell.text.trim() !== "")) read.push(row)
    const header = headerOf(read, wanted)
    if (header !== undefined && (read.at(-1) as SheetRow).row > header.row)
      sheets.push({ name, rows: read, header, notes })
  }
  return tableOf(path, chosen(path, sheets, { sheet, names, wanted }))
}

interface ReadSheet {
  readonly name: string
  readonly rows: readonly SheetRow[]
  readonly header: SheetRow
  readonly notes: readonly string[]
}

/** Titles stand above a header, and remarks. */
const mostAbove = 50

function headerOf(rows: readonly SheetRow[], wanted: ReadonlySet<string>): SheetRow | undefined {
  const first = rows.slice(0, mostAbove)
  const named = first.map((row) => ({ row, count: namesIn(row).filter((name) => wanted.has(name)).length }))
  const best = named.toSorted((a, b) => b.count - a.count)[0]
  if (best !== undefined && best.count > 0) return best.row
  const widest = Math.max(0, ...first.map((row) => namesIn(row).length))
  return first.find((row) => namesIn(row).length > 0.6 * widest)
}

function namesIn({ cells }: SheetRow): string[] {
  return cells.flatMap((cell) =>
    cell === undefined || cell.text.trim() === "" ? [] : [cell.text.trim().toLowerCase()],
  )
}

function chosen(
  path: string,
  sheets: readonly ReadSheet[],
  { sheet, names, wanted }: { sheet: string | undefined; names: readonly string[]; wanted: ReadonlySet<string> },
): ReadSheet {
  const all = names.map((name) => JSON.stringify(name)).join(", ")
  if (sheet !== undefined && !names.includes(sheet))
    throw new DataError(
      `${path} has no sheet ${JSON.stringify(sheet)}; its sheets are: ${all}`,
      [],
      "Name one of them.",
    )
  // A guide or a list beside the data has none of its columns.
  const fitting = sheets.filter(({ header }) => namesIn(header).some((name) => wanted.has(name)))
  const [only, ...others] = fitting.length > 0 ? fitting : sheets
  if (only === undefined)
    throw new DataError(
      `${sheet === undefined ? path : `the sheet ${JSON.stringify(sheet)} of ${path}`} has no rows below a header`,
      [],
      names.length > 1 ? `Its sheets are: ${all}.` : "Write the names of the columns into the first row.",
    )
  if (others.length > 0)
    throw new DataError(
      `${path} has rows in several sheets: ${[only, ...others].map(({ name }) => JSON.stringify(name)).join(", ")}`,
      [],
      "Say which one: --sheet <name>.",
    )
  return only
}

function tableOf(path: string, { name, rows, header, notes }: ReadSheet): Table {
  // A row has no cell where nothing stands.
  const columns = Array.from(header.cells, (cell) => cell?.text.trim() ?? "")
  const repeated = columns.find((column, index) => column !== "" && columns.indexOf(column) !== index)
  if (repeated !== undefined)
    throw new DataError(
      `${path} has the column ${JSON.stringify(repeated)} twice`,
      [{ file: path, line: header.row, message: "a column is repeated" }],
      "Rename or remove one of them.",
    )
  const unclear = new Map<string, Set<string>>()
  const issues: Issue[] = []
  const read: TableRow[] = []
  for (const { row, cells } of rows) {
    if (row <= header.row) continue
    const fields: Record<string, string> = {}
    const values: Record<string, string> = {}
    let isWhole = true
    for (const [index, column] of columns.entries()) {
      if (column === "") continue
      const cell = cells[index]
      fields[column] = textOf(cell)
      if (cell?.kind === "error") {
        issues.push({
          file: path,
          line: row,
          path: column,
          message: `the spreadsheet has an error there: ${cell.text}`,
        })
        isWhole = false
      }
      if (cell?.shown === undefined) continue
      const value = cell.shown.date ?? cell.text
      if (value !== fields[column]) values[column] = value
      if (cell.shown.unclear === undefined) continue
      const about = unclear.get(cell.shown.unclear) ?? new Set()
      unclear.set(cell.shown.unclear, about.add(`${column} (row ${row}: ${fields[column]})`))
    }
    if (isWhole) read.push({ line: row, fields, ...(Object.keys(values).length > 0 ? { values } : {}) })
  }
  return { rows: read, issues, format: "csv", notes: [...notesOf(unclear), ...notes].map((note) => `${name}: ${note}`) }
}

function textOf(cell: SheetCell | undefined): string {
  if (cell === undefined) return ""
  if (cell.kind === "boolean") return cell.text.toLowerCase()
  return cell.shown?.text ?? cell.text
}

function notesOf(unclear: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return [...unclear].map(([why, cells]) => {
    const [first, ...others] = [...cells]
    return `${first}${others.length > 0 ? ` and ${others.length} more` : ""}: ${why}`
  })
}

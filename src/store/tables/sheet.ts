import { closeSync, openSync, readSync } from "node:fs"
import { extname } from "node:path"
import { DataError } from "../../core/errors.ts"
import type { Sheet } from "./sheet-rows.ts"

/**
 * The sheets of a CSV (`.csv`, `.tsv`, `.txt`) or XLSX file that people filled in, whatever spreadsheet wrote it. What
 * the file is follows from its first bytes, not from its name. Another kind of file is a DataError that says how to
 * save it.
 */
export async function* readSheets(path: string): AsyncGenerator<Sheet> {
  const first = firstBytes(path, 80)
  const hint = "Save it as an Excel workbook (.xlsx) or as CSV (UTF-8), and import that file."
  if (first.subarray(0, 4).toString("hex") === "d0cf11e0")
    throw new DataError(
      `${path} is an old Excel file (.xls), or a workbook with a password; .xlsx and .csv are read`,
      [],
      hint,
    )
  if (first.includes("application/vnd.oasis.opendocument"))
    throw new DataError(`${path} is an OpenDocument file; .xlsx and .csv are read`, [], hint)
  if (first.subarray(0, 4).toString("latin1") === "PK\u0003\u0004") {
    const { readWorkbook } = await import("./xlsx-reader.ts")
    yield* readWorkbook(path)
    return
  }
  if (![".csv", ".tsv", ".txt"].includes(extname(path).toLowerCase()))
    throw new DataError(`cannot read ${path} as a spreadsheet; allowed: .csv, .tsv, .txt and .xlsx`, [], hint)
  const { readCsvSheet } = await import("./csv.ts")
  yield readCsvSheet(path)
}

function firstBytes(path: string, length: number): Buffer {
  try {
    const descriptor = openSync(path, "r")
    try {
      const bytes = Buffer.alloc(length)
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, 0))
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === "ENOENT")
      throw new DataError(`there is no file ${path}`, [], "Check the path; relative paths start where you are.")
    throw new DataError(
      code === "EISDIR" ? `${path} is a folder, not a file` : `cannot read the file ${path}: ${code ?? String(error)}`,
      [],
      code === "EISDIR" ? "Name a file." : "Check the file's permissions.",
    )
  }
}

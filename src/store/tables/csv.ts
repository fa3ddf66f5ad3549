import { createReadStream } from "node:fs"
import { extname } from "node:path"
import { DataError, type Issue } from "../../core/errors.ts"
import { decodeText, readBytes } from "../files/files.ts"
import { decodedChunks, encodingOf, repairTwiceEncoded } from "../files/text-encoding.ts"
import { delimiterOf, QuoteError, RecordReader, recordsOf, type DelimitedRecord } from "./delimited.ts"
import type { Sheet, SheetRow } from "./sheet-rows.ts"
import type { Table, TableRow } from "./table-rows.ts"

/**
 * A CSV file as the spreadsheet shows it: rows by their number, empty ones and those above the header among them. Any
 * delimiter, `sep=` line and encoding that spreadsheets write is understood; a file that was read in the wrong encoding
 * and saved again is put right, cell by cell.
 */
export function readCsvSheet(path: string): Sheet {
  const encoding = encodingOf(path)
  const notes =
    encoding === "windows-1252"
      ? ["the file is not UTF-8; it was read as Windows-1252, as a spreadsheet's plain CSV is"]
      : []
  return { name: undefined, rows: rowsOf(path, encoding, notes), notes, isLossy: encoding === "windows-1252" }
}

async function* rowsOf(path: string, encoding: string, notes: string[]): AsyncGenerator<SheetRow> {
  const chunks = decodedChunks(createReadStream(path, { highWaterMark: 1 << 18 }), encoding)
  let head = ""
  while (head.length < 1 << 16) {
    const { value, done } = await chunks.next()
    if (done) break
    head += value
  }
  // A byte order mark that was read as Windows-1252 and saved as UTF-8.
  const isTwiceEncoded = head.startsWith("ï»¿")
  if (isTwiceEncoded) {
    head = head.slice(3)
    notes.push("the file was opened in the wrong encoding and saved; its letters were put right")
  }
  const { skipped, body, delimiter } = openText(path, head, (text) => text.replace(/^(?:[^,;\t"\r\n]*[\r\n]+)+/, ""))
  const reader = new RecordReader(delimiter)
  let row = skipped
  const cellsOf = ({ cells }: DelimitedRecord): SheetRow["cells"] =>
    cells.map((text) => ({ text: isTwiceEncoded ? repairTwiceEncoded(text) : text, kind: "text" }))
  try {
    for (const record of reader.push(body)) yield { row: ++row, cells: cellsOf(record) }
    for await (const chunk of chunks)
      for (const record of reader.push(chunk)) yield { row: ++row, cells: cellsOf(record) }
    for (const record of reader.end()) yield { row: ++row, cells: cellsOf(record) }
  } catch (error) {
    throw error instanceof QuoteError ? invalidCsv(path, row + 1, error.message) : error
  }
}

/** The rows of a CSV file of data, as `readTable` describes. */
export function readCsvTable(path: string): Table {
  const { skipped, body, delimiter } = openText(path, decodeText(readBytes(path), path))
  const issues: Issue[] = []
  const rows: TableRow[] = []
  let header: readonly string[] | undefined
  try {
    for (const { line: lineOfBody, cells, isBlank } of recordsOf(body, delimiter)) {
      if (isBlank) continue
      const line = lineOfBody + skipped
      if (header === undefined) header = headerOf(path, line, cells)
      else if (cells.length > header.length && cells.slice(header.length).some((cell) => cell !== ""))
        issues.push({
          file: path,
          line,
          message: `${cells.length} cells where the header has ${header.length}; quote cells that hold the delimiter`,
        })
      else
        rows.push({
          line,
          fields: Object.fromEntries(
            header.flatMap((name, index) => (name === "" ? [] : [[name, cells[index] ?? ""]])),
          ),
        })
    }
  } catch (error) {
    throw error instanceof QuoteError ? invalidCsv(path, error.line + skipped, error.message) : error
  }
  return { rows, issues, format: "csv" }
}

/**
 * The text without its `sep=` line, and the delimiter: what that line says, the tab of a `.tsv`, else the one that the
 * header has most of.
 */
function openText(path: string, text: string, headerIn = (body: string) => body) {
  const [line, separator] = /^sep=(.)\r?\n/.exec(text) ?? [""]
  const body = text.slice(line.length)
  const isTsv = extname(path).toLowerCase() === ".tsv"
  return {
    body,
    skipped: line === "" ? 0 : 1,
    delimiter: separator ?? (isTsv ? "\t" : delimiterOf(headerIn(body))),
  }
}

function headerOf(path: string, line: number, cells: readonly string[]): string[] {
  const header = cells.map((name) => name.trim())
  const repeated = header.find((name, index) => name !== "" && header.indexOf(name) !== index)
  if (repeated === undefined) return header
  throw new DataError(
    `${path} has the column ${JSON.stringify(repeated)} twice`,
    [{ file: path, line, message: "a column is repeated" }],
    "Rename or remove one of them.",
  )
}

function invalidCsv(path: string, line: number, message: string): DataError {
  return new DataError(
    `${path} is not valid CSV`,
    [{ file: path, line, message }],
    "Mend the quotes in that row, or save the file again as CSV (UTF-8).",
  )
}

import { createReadStream } from "node:fs"
import { extname } from "node:path"
import { pipeline } from "node:stream"
import { CsvError, parse, type Options } from "csv-parse"
import { parse as parseText } from "csv-parse/sync"
import { DataError, type Issue } from "../../core/errors.ts"
import { decodeText, readBytes } from "../files/files.ts"
import { decodedChunks, encodingOf, repairTwiceEncoded } from "../files/text-encoding.ts"
import { delimiterOf, swallowsLines, unenclosed } from "./delimited.ts"
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
  let start = body
  // Between tabs the whole text says what a quote is.
  if (delimiter === "\t") for await (const chunk of chunks) start += chunk
  let row = skipped
  const parser = parse(
    readingOf(
      delimiter,
      doQuotesEnclose(start, delimiter),
      (cells): SheetRow => ({
        row: ++row,
        cells: cells.map((text) => ({ text: isTwiceEncoded ? repairTwiceEncoded(text) : text, kind: "text" })),
      }),
    ),
  )
  const text = async function* () {
    yield start
    yield* chunks
  }
  try {
    // An error of either comes out of the loop.
    yield* pipeline(text(), parser, () => {}) as AsyncIterable<SheetRow>
  } catch (error) {
    throw error instanceof CsvError ? invalidCsv(path, row + 1, error) : error
  }
}

/** The rows of a CSV file of data, as `readTable` describes. */
export function readCsvTable(path: string): Table {
  const { skipped, body, delimiter } = openText(path, decodeText(readBytes(path), path))
  const issues: Issue[] = []
  const rows: TableRow[] = []
  let header: readonly string[] | undefined
  let nextLine = skipped + 1
  const take = (cells: readonly string[], raw: string) => {
    const line = nextLine
    nextLine += raw.match(/\r\n|\n|\r/g)?.length ?? 0
    if (/^[\r\n]*$/.test(raw)) return
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
        fields: Object.fromEntries(header.flatMap((name, index) => (name === "" ? [] : [[name, cells[index] ?? ""]]))),
      })
  }
  try {
    parseText(body, readingOf(delimiter, doQuotesEnclose(body, delimiter), take))
  } catch (error) {
    throw error instanceof CsvError ? invalidCsv(path, nextLine, error) : error
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

/**
 * The options by which csv-parse reads quotes as spreadsheets do: a cell that begins with one ends at the next single
 * one, any other is a letter. `take` makes of each record, and its text with the line end, what comes out. Records that
 * a quote may have joined are a CsvError.
 */
function readingOf(
  delimiter: string,
  quotesEnclose: boolean,
  take: (cells: readonly string[], raw: string) => unknown,
): Options {
  return {
    delimiter,
    quote: quotesEnclose ? '"' : false,
    raw: true,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    relax_quotes: true,
    on_record: (parsed: unknown) => {
      const { record, raw } = parsed as { record: string[]; raw: string }
      if (quotesEnclose && swallowsLines(record, raw, delimiter))
        throw new CsvError(
          "CSV_INVALID_CLOSING_QUOTE",
          "a cell of the row that begins here opens with a quote and goes on over several lines up to a quote within " +
            "a text; a quote in a quoted cell is written twice",
        )
      // The types know no other results than the records.
      return take(quotesEnclose ? record : record.map(unenclosed), raw) as never
    },
  }
}

/**
 * Whether quotes enclose cells that go on over delimiters and lines. Between tabs many writers mean a letter by them,
 * which csv-parse cannot tell: they enclose there only if the lines by themselves fit the header less often.
 */
function doQuotesEnclose(text: string, delimiter: string): boolean {
  if (delimiter !== "\t") return true
  const linesThatDoNotFit = misfits(text, false)
  if (linesThatDoNotFit === 0) return false
  try {
    return misfits(text, true) < linesThatDoNotFit
  } catch (error) {
    // Neither reading is right; reading with quotes names the line.
    if (error instanceof CsvError) return true
    throw error
  }
}

/** How many records between tabs have more or fewer cells than the header, the first record with more than one. */
function misfits(text: string, quotesEnclose: boolean): number {
  const records: (readonly string[])[] = []
  parseText(
    text,
    readingOf("\t", quotesEnclose, (cells) => void records.push(cells)),
  )
  const width = records.find((cells) => cells.length > 1)?.length ?? 1
  return records.filter((cells) => cells.length !== width && cells.some((cell) => cell !== "")).length
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

function invalidCsv(path: string, line: number, error: CsvError): DataError {
  const message =
    error.code === "CSV_QUOTE_NOT_CLOSED" ? "a quote opens in the row that begins here and never closes" : error.message
  return new DataError(
    `${path} is not valid CSV`,
    [{ file: path, line, message }],
    "Mend the quotes in that row, or save the file again as CSV (UTF-8).",
  )
}

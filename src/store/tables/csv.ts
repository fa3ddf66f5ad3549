import { createReadStream } from "node:fs"
import { CsvError, parse } from "csv-parse"
import { parse as parseText } from "csv-parse/sync"
import { DataError, type Issue } from "../../core/errors.ts"
import { decodeText, readBytes } from "../files/files.ts"
import type { Sheet, SheetRow } from "./sheet-rows.ts"
import { decodedChunks, encodingOf, repairTwiceEncoded } from "../files/text-encoding.ts"
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
  const [skipped, separator] = /^sep=(.)\r?\n/.exec(head) ?? [""]
  head = head.slice(skipped.length)
  const parser = parse({
    delimiter: separator ?? delimiterOf(head.replace(/^(?:[^,;\t"\r\n]*[\r\n]+)+/, "")),
    relax_column_count: true,
    record_delimiter: ["\r\n", "\n", "\r"],
  })
  parser.write(head)
  void feed(parser, chunks)
  let row = skipped === "" ? 0 : 1
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      row++
      yield {
        row,
        cells: record.map((text) => ({ text: isTwiceEncoded ? repairTwiceEncoded(text) : text, kind: "text" })),
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new DataError(
      `${path} is not valid CSV`,
      [{ file: path, line: row + 1, message: error.message.slice(0, 160) }],
      "Mend the quotes in that row, or save the file again as CSV (UTF-8).",
    )
  }
}

async function feed(parser: ReturnType<typeof parse>, chunks: AsyncGenerator<string>): Promise<void> {
  try {
    for await (const chunk of chunks)
      if (!parser.write(chunk)) await new Promise((resolve) => parser.once("drain", resolve))
    parser.end()
  } catch (error) {
    parser.destroy(error as Error)
  }
}

/** The rows of a CSV file of data, as `readTable` describes. */
export function readCsvTable(path: string): Table {
  const text = decodeText(readBytes(path), path)
  const [skipped, separator] = /^sep=(.)\r?\n/.exec(text) ?? [""]
  const body = text.slice(skipped.length)
  try {
    const records = parseText(body, {
      delimiter: separator ?? delimiterOf(body),
      raw: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as {
      record: string[]
      raw: string
    }[]
    const header = records[0]?.record.map((name) => name.trim())
    if (header === undefined) return { rows: [], issues: [], format: "csv" }
    const repeated = header.find((name, index) => name !== "" && header.indexOf(name) !== index)
    if (repeated !== undefined)
      throw new DataError(
        `${path} has the column ${JSON.stringify(repeated)} twice`,
        [{ file: path, line: 1, message: "a column is repeated" }],
        "Rename or remove one of them.",
      )
    const issues: Issue[] = []
    const rows: TableRow[] = []
    const lineAt = lineCounter(body, skipped === "" ? 1 : 2)
    for (const [index, { record, raw }] of records.entries()) {
      const line = lineAt(raw)
      if (index === 0) continue
      if (record.length > header.length && record.slice(header.length).some((cell) => cell !== ""))
        issues.push({
          file: path,
          line,
          message: `${record.length} cells where the header has ${header.length}; quote cells that hold the delimiter`,
        })
      else
        rows.push({
          line,
          fields: Object.fromEntries(
            header.flatMap((name, index) => (name === "" ? [] : [[name, record[index] ?? ""]])),
          ),
        })
    }
    return { rows, issues, format: "csv" }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const line = (error as unknown as { lines?: number }).lines
    throw new DataError(
      `${path} is not valid CSV`,
      [{ file: path, ...(line === undefined ? {} : { line }), message: error.message.slice(0, 160) }],
      "Mend the quotes at that line, or save the file again as CSV (UTF-8).",
    )
  }
}

/**
 * The line on which each record begins, asked for in order: the parser's own count is wrong where cells and rows end
 * their lines differently.
 */
function lineCounter(body: string, first: number): (raw: string) => number {
  let line = first
  let position = 0
  const pass = (end: number) => {
    line += body.slice(position, end).match(/\r\n|\n|\r/g)?.length ?? 0
    position = end
  }
  return (raw) => {
    const record = raw.replace(/^[\r\n]+|[\r\n]+$/g, "")
    pass(body.indexOf(record, position))
    const begin = line
    pass(position + record.length)
    return begin
  }
}

/** The delimiter that is most frequent outside quotes in the first line. */
function delimiterOf(text: string): string {
  const counts = new Map([",", ";", "\t"].map((delimiter) => [delimiter, 0]))
  let quoted = false
  for (const character of text) {
    if (character === '"') quoted = !quoted
    else if (!quoted && (character === "\n" || character === "\r")) break
    else if (!quoted && counts.has(character)) counts.set(character, (counts.get(character) ?? 0) + 1)
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? ","
}

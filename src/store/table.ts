import { extname } from "node:path"
import { parse, CsvError } from "csv-parse/sync"
import { stringify } from "csv-stringify/sync"
import { DataError, type Issue } from "../core/errors.ts"
import { decodeText, readBytes, readLines } from "./files.ts"

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

/** The rows of a file that people import: as `readTable`, and `.parquet`. */
export async function readAnyTable(path: string): Promise<Table> {
  if (extname(path).toLowerCase() !== ".parquet") return readTable(path, ", .parquet")
  const { readParquetTable } = await import("./parquet.ts")
  return readParquetTable(path)
}

/** The rows of a JSONL, JSON-array or CSV file, by its ending (`.jsonl`, `.ndjson`, `.json`, `.csv`, `.tsv`). CSV: a byte order mark, comma, semicolon or tab, quoted newlines and a `sep=` line are understood; the first row names the columns. */
export function readTable(path: string, otherEndings = ""): Table {
  const ending = extname(path).toLowerCase()
  if (ending === ".jsonl" || ending === ".ndjson") return readJsonTable(path)
  if (ending === ".json") return readJsonArray(path)
  if (ending === ".csv" || ending === ".tsv") return readCsvTable(path)
  throw new DataError(
    `cannot tell the format of ${path} from its ending ${JSON.stringify(ending)}; allowed: .jsonl, .ndjson, .json, .csv, .tsv${otherEndings}`,
    [],
    "Rename or convert the file.",
  )
}

/** The rows as text of the table's own format, CSV with its columns and commas, else JSON. */
export function tableText({ format, rows }: Table, wanted: readonly TableRow["fields"][]): string {
  return format === "csv"
    ? stringify([...wanted], { header: true, columns: Object.keys(rows[0]?.fields ?? {}) })
    : `${JSON.stringify(wanted, null, 2)}\n`
}

function readJsonTable(path: string): Table {
  readBytes(path)
  const rows: TableRow[] = []
  const issues: Issue[] = []
  for (const { text, number } of readLines(path)) {
    if (text.trim() === "") continue
    try {
      const value: unknown = JSON.parse(text)
      if (isRecord(value)) rows.push({ line: number, fields: value })
      else issues.push({ file: path, line: number, message: "expected a JSON object" })
    } catch (error) {
      issues.push({ file: path, line: number, message: `not valid JSON: ${shorten((error as Error).message)}` })
    }
  }
  return { rows, issues, format: "jsonl" }
}

function readJsonArray(path: string): Table {
  let value: unknown
  try {
    value = JSON.parse(decodeText(readBytes(path), path))
  } catch (error) {
    if (error instanceof DataError) throw error
    throw new DataError(
      `${path} is not valid JSON: ${shorten((error as Error).message)}`,
      [],
      "Mend the file, or give one JSON object a line in a .jsonl file.",
    )
  }
  if (!Array.isArray(value))
    throw new DataError(`${path} must hold a JSON array of objects`, [], "Give a .json file with an array, or a .jsonl file.")
  const issues: Issue[] = []
  const rows: TableRow[] = []
  value.forEach((item: unknown, index) => {
    if (isRecord(item)) rows.push({ line: index + 1, fields: item })
    else issues.push({ file: path, line: index + 1, message: "expected a JSON object" })
  })
  return { rows, issues, format: "jsonl" }
}

function readCsvTable(path: string): Table {
  const text = decodeText(readBytes(path), path)
  const [skipped, separator] = /^sep=(.)\r?\n/.exec(text) ?? [""]
  const body = text.slice(skipped.length)
  try {
    const records = parse(body, {
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
      else rows.push({ line, fields: Object.fromEntries(header.flatMap((name, index) => (name === "" ? [] : [[name, record[index] ?? ""]]))) })
    }
    return { rows, issues, format: "csv" }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const line = (error as unknown as { lines?: number }).lines
    throw new DataError(
      `${path} is not valid CSV`,
      [{ file: path, ...(line === undefined ? {} : { line }), message: shorten(error.message) }],
      "Mend the quotes at that line, or save the file again as CSV (UTF-8).",
    )
  }
}

/** The line on which each record begins, asked for in order: the parser's own count is wrong where cells and rows end their lines differently. */
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

function shorten(message: string): string {
  return message.length > 160 ? `${message.slice(0, 159)}…` : message
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

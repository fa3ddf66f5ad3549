import { extname } from "node:path"
import { stringify } from "csv-stringify/sync"
import { DataError, type Issue } from "../../core/errors.ts"
import { readCsvTable } from "./csv.ts"
import { repeatedKey } from "../../core/json-keys.ts"
import { asInRows, jsonProblem, type LongNumber, parseExact } from "../../core/json-text.ts"
import { decodeText, readBytes, readLines, requireFile } from "../files/files.ts"
import { isWide } from "../files/text-encoding.ts"
import { isWorkbook } from "./sheet-files.ts"
import type { Table, TableRow, TableStream, WorkbookOptions } from "./table-rows.ts"

export interface ReadOptions {
  /** Endings that the caller reads besides, for the error. */
  readonly otherEndings?: string
  /** What whole numbers beyond 2^53 become in a JSON array; default: texts. */
  readonly longNumber?: LongNumber | undefined
}

/** Opens what `readAnyTable` reads; a JSONL file is not held in memory. */
export async function openTable(path: string, options: WorkbookOptions = {}): Promise<TableStream> {
  if (isJsonLines(path)) {
    requireFile(path)
    return { format: "jsonl", rows: jsonRows(path) }
  }
  const { rows, issues, format, notes = [] } = await readAnyTable(path, options)
  return { format, rows: [...issues, ...rows], notes }
}

/** The rows of a file that people import: as `readTable`, `.xlsx` and `.parquet`. */
export async function readAnyTable(path: string, options: WorkbookOptions = {}): Promise<Table> {
  if (isWorkbook(path)) {
    const { readWorkbookTable } = await import("./workbook-table.ts")
    return readWorkbookTable(path, options)
  }
  if (options.sheet !== undefined)
    throw new DataError(`${path} has no sheets: --sheet is for workbooks (.xlsx)`, [], "Leave --sheet out.")
  if (extname(path).toLowerCase() !== ".parquet") return readTable(path, { otherEndings: ", .xlsx, .parquet" })
  const { readParquetTable } = await import("./parquet.ts")
  return readParquetTable(path, options.signal)
}

/**
 * The rows of a JSONL, JSON-array or CSV file, by its ending (`.jsonl`, `.ndjson`, `.json`, `.csv`, `.tsv`). CSV: a
 * byte order mark, comma, semicolon or tab, quoted newlines and a `sep=` line are understood; the first row names the
 * columns.
 */
export function readTable(path: string, { otherEndings = "", longNumber }: ReadOptions = {}): Table {
  const ending = extname(path).toLowerCase()
  if (isJsonLines(path)) return readJsonTable(path)
  if (ending === ".json") return readJsonArray(path, longNumber)
  if (ending === ".csv" || ending === ".tsv") return readCsvTable(path)
  throw new DataError(
    `cannot tell the format of ${path} from its ending ${JSON.stringify(ending)}; allowed: .jsonl, ` +
      `.ndjson, .json, .csv, .tsv${otherEndings}`,
    [],
    "Rename or convert the file.",
  )
}

/**
 * The rows as text of the table's own format, for a file of that name: CSV with its columns, with tabs for a `.tsv` and
 * else commas, or JSON.
 */
export function tableText({ format, rows }: Table, wanted: readonly TableRow["fields"][], path: string): string {
  if (format !== "csv") return `${JSON.stringify(wanted, null, 2)}\n`
  const delimiter = extname(path).toLowerCase() === ".tsv" ? "\t" : ","
  return stringify([...wanted], { header: true, columns: Object.keys(rows[0]?.fields ?? {}), delimiter })
}

/** Whether each line of the file is a row, by its ending. */
export function isJsonLines(path: string): boolean {
  return [".jsonl", ".ndjson"].includes(extname(path).toLowerCase())
}

function readJsonTable(path: string): Table {
  requireFile(path)
  const rows: TableRow[] = []
  const issues: Issue[] = []
  for (const row of jsonRows(path)) {
    if ("message" in row) issues.push(row)
    else rows.push(row)
  }
  return { rows, issues, format: "jsonl" }
}

function* jsonRows(path: string): Generator<TableRow | Issue> {
  let isFirst = true
  for (const { text, number } of isWide(path) ? wideLines(path) : readLines(path)) {
    if (text.trim() === "") continue
    if (isFirst && text.trimStart().startsWith("[")) throw arrayInLines(path)
    isFirst = false
    let value: unknown
    try {
      value = parseExact(text, asInRows)
    } catch (error) {
      yield { file: path, line: number, message: jsonProblem(error as Error) }
      continue
    }
    const message = isRecord(value) ? repeatedKeyProblem(text, value) : "expected a JSON object"
    if (message !== undefined) yield { file: path, line: number, message }
    else yield { line: number, fields: value as Record<string, unknown> }
  }
}

function repeatedKeyProblem(text: string, value: unknown): string | undefined {
  const key = repeatedKey(text, value)
  return key === undefined ? undefined : `the key ${JSON.stringify(key)} stands twice; only one value can count`
}

function arrayInLines(path: string): DataError {
  return new DataError(
    `${path} holds a JSON array, not a JSON object a line`,
    [{ file: path, line: 1, message: "an array begins here" }],
    "Give the file the ending .json, or write one object a line.",
  )
}

function* wideLines(path: string): Generator<{ readonly text: string; readonly number: number }> {
  for (const [index, text] of decodeText(readBytes(path), path).split(/\r?\n/).entries())
    yield { text, number: index + 1 }
}

function readJsonArray(path: string, longNumber?: LongNumber): Table {
  let text: string
  let value: unknown
  try {
    text = decodeText(readBytes(path), path)
    value = parseExact(text, longNumber ?? asInRows)
  } catch (error) {
    if (error instanceof DataError) throw error
    throw new DataError(
      `${path} is not valid JSON: ${shorten((error as Error).message)}`,
      [],
      "Mend the file, or give one JSON object a line in a .jsonl file.",
    )
  }
  if (!Array.isArray(value))
    throw new DataError(
      `${path} must hold a JSON array of objects`,
      [],
      "Give a .json file with an array, or a .jsonl file.",
    )
  const repeated = repeatedKeyProblem(text, value)
  if (repeated !== undefined) throw new DataError(`${path}: ${repeated}`, [], "Take one of the two out of the file.")
  const issues: Issue[] = []
  const rows: TableRow[] = []
  value.forEach((item: unknown, index) => {
    if (isRecord(item)) rows.push({ line: index + 1, fields: item })
    else issues.push({ file: path, line: index + 1, message: "expected a JSON object" })
  })
  return { rows, issues, format: "jsonl" }
}

function shorten(message: string): string {
  return message.length > 160 ? `${message.slice(0, 159)}…` : message
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

import { findPersonalData } from "../curation/personal-data.ts"
import { contentId, canonicalJson, canonicalText } from "../core/canonical.ts"
import { DataError, type Issue } from "../core/errors.ts"
import type { Input, RealInput, Seed } from "../core/example.ts"
import { formatOutput, inputIssues, inputText, outputIssues, parseOutput } from "../core/output.ts"
import { nearest, show } from "../core/parse.ts"
import type { TaskSpecification } from "../core/task.ts"
import { withLock } from "../store/lock.ts"
import { readTable, type Table, type TableRow } from "../store/table.ts"
import { TaskRows } from "../store/task-rows.ts"
import type { StageContext } from "./context.ts"
import { holdOut, type HoldOutCounts } from "./hold-out.ts"

export interface ImportResult {
  readonly read: number
  readonly added: number
  readonly corrected: number
  readonly unchanged: number
  readonly invalid: readonly Issue[]
  readonly personalData: readonly { readonly id: string; readonly place: string; readonly kinds: readonly string[] }[]
  readonly split: HoldOutCounts
  readonly untested: readonly string[]
}

/** The gold examples of the files are in the task's seeds, each once: importing a file again changes nothing, a row with a known key corrects that seed. Any invalid row stops the import before a byte is written, unless `skipInvalid` leaves such rows out. New seeds are scanned for personal data and held out. */
export function importSeeds(
  context: StageContext,
  task: TaskSpecification,
  files: readonly string[],
  options: { skipInvalid: boolean },
): ImportResult {
  return importRows(context, task, files, options, "seed")
}

/** The real inputs of the files are in the task's inputs, each once; otherwise like `importSeeds`. */
export function importInputs(
  context: StageContext,
  task: TaskSpecification,
  files: readonly string[],
  options: { skipInvalid: boolean },
): ImportResult {
  return importRows(context, task, files, options, "input")
}

type Kind = "seed" | "input"
type Row = Seed | RealInput

function importRows(
  context: StageContext,
  task: TaskSpecification,
  files: readonly string[],
  options: { skipInvalid: boolean },
  kind: Kind,
): ImportResult {
  const { read, valid, invalid, personalData } = readRows(task, files, kind)
  if (invalid.length > 0 && !options.skipInvalid)
    throw new DataError(
      `${invalid.length} of ${read} rows cannot be imported; nothing was written`,
      invalid,
      valid.length > 0 ? `Mend those rows, or import the other ${valid.length} with --skip-invalid.` : "Mend those rows.",
    )
  const { workspace } = context
  const store = new TaskRows(workspace, task.task)
  // Read and written under one lock: of two imports at once, neither may write over what the other added.
  const counts = withLock(workspace.lockFile(task.task), workspace.show(store.folder), () => merge(store, kind, valid))
  const held = holdOut(context, task)
  return { read, ...counts, invalid, personalData, split: held.counts, untested: held.untested }
}

interface ValidRow {
  readonly row: Row
  /** The canonical JSON of input and output: what makes a row with a known id a correction. */
  readonly content: string
}

function readRows(
  task: TaskSpecification,
  files: readonly string[],
  kind: Kind,
): { read: number; valid: ValidRow[]; invalid: Issue[]; personalData: { id: string; place: string; kinds: string[] }[] } {
  const valid: ValidRow[] = []
  const invalid: Issue[] = []
  const personalData: { id: string; place: string; kinds: string[] }[] = []
  const seen = new Map<string, { place: string; content: string }>()
  let read = 0
  for (const file of files) {
    const table = readTable(file)
    invalid.push(...table.issues)
    read += table.rows.length + table.issues.length
    if (table.rows.length === 0 && table.issues.length === 0)
      throw new DataError(
        `${file} has no rows`,
        [],
        kind === "seed" ? "Give a file with at least one example." : "Give a file with at least one input.",
      )
    const columns = columnsOf(task, table, kind, file)
    for (const tableRow of table.rows) {
      const place = `${file}:${tableRow.line}`
      const parsed = parseRow(task, tableRow, columns, kind)
      if ("issues" in parsed) {
        invalid.push(...parsed.issues.map((issue) => ({ ...issue, file, line: tableRow.line })))
        continue
      }
      const content = contentOf(parsed.row)
      const before = seen.get(parsed.row.id)
      if (before && before.content !== content) {
        invalid.push({
          file,
          line: tableRow.line,
          path: "id",
          message: `the id ${show(parsed.row.key ?? parsed.row.id)} is already that of ${before.place}, with other content`,
        })
        continue
      }
      seen.set(parsed.row.id, { place, content })
      const found = personalDataIn(task, parsed.row)
      if (found.length > 0 && task.privacy.personalData === "refuse") {
        invalid.push({ file, line: tableRow.line, message: `personal data or a secret (${found.join(", ")}); privacy.personalData is refuse` })
        continue
      }
      if (found.length > 0) personalData.push({ id: parsed.row.id, place, kinds: found })
      valid.push({ row: found.length > 0 ? { ...parsed.row, personalData: found } : parsed.row, content })
    }
  }
  return { read, valid, invalid, personalData }
}

function merge(store: TaskRows, kind: Kind, valid: readonly ValidRow[]): { added: number; corrected: number; unchanged: number } {
  const rows = new Map<string, Row>((kind === "seed" ? store.seeds() : store.inputs()).map((row) => [row.id, row]))
  const counts = { added: 0, corrected: 0, unchanged: 0 }
  for (const { row, content } of valid) {
    const known = rows.get(row.id)
    if (known !== undefined && contentOf(known) === content) {
      counts.unchanged++
      continue
    }
    counts[known === undefined ? "added" : "corrected"]++
    rows.set(row.id, row)
  }
  if (counts.added + counts.corrected > 0) {
    if (kind === "seed") store.writeSeeds([...rows.values()] as Seed[])
    else store.writeInputs([...rows.values()] as RealInput[])
  }
  return counts
}

function contentOf(row: Row): string {
  return canonicalJson({ input: row.input, output: "output" in row ? row.output : null })
}

function personalDataIn(task: TaskSpecification, row: Row): string[] {
  const text = inputText(task, row.input) + ("output" in row ? `\n${formatOutput(task, row.output)}` : "")
  return [...new Set(findPersonalData(text).map((finding) => finding.kind))].sort()
}

/** For CSV: which column feeds which input field, and the output, key and source columns. */
interface Columns {
  readonly fields: ReadonlyMap<string, string>
  readonly output: string | undefined
  readonly key: string | undefined
  readonly source: string | undefined
}

const outputColumns = ["output", "label", "labels", "answer"]
const keyColumns = ["id", "key"]

function columnsOf(task: TaskSpecification, table: Table, kind: Kind, file: string): Columns | undefined {
  if (table.format === "jsonl") return undefined
  const names = Object.keys(table.rows[0]?.fields ?? {})
  const find = (candidates: readonly string[]) => names.find((name) => candidates.includes(name.toLowerCase()))
  const wanted = task.kind === "chat" ? ["messages"] : Object.keys(task.input)
  const fields = new Map<string, string>()
  const issues: Issue[] = []
  for (const field of wanted) {
    const column = names.find((name) => [field.toLowerCase(), `input.${field.toLowerCase()}`].includes(name.toLowerCase()))
    if (column !== undefined) fields.set(field, column)
    else if (task.kind === "chat" || task.input[field]?.required) {
      const meant = nearest(field, names)
      issues.push({
        file,
        line: 1,
        message: `no column ${show(field)}; the columns are: ${names.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`,
      })
    }
  }
  const output = find(outputColumns)
  if (kind === "seed" && output === undefined)
    issues.push({ file, line: 1, message: `no column for the output; name one of the columns ${outputColumns.map(show).join(", ")}` })
  if (issues.length > 0) throw new DataError(`${file} lacks columns that the task needs`, issues, "Rename the columns in the first row.")
  return { fields, output, key: find(keyColumns), source: find(["source"]) }
}

function parseRow(task: TaskSpecification, row: TableRow, columns: Columns | undefined, kind: Kind): { row: Row } | { issues: Issue[] } {
  const read = columns === undefined ? readJsonRow(task, row, kind) : readCsvRow(task, row, columns)
  if ("issues" in read) return read
  const input = canonicalValue(read.input) as Input
  const issues = inputIssues(task, input)
  if (kind === "seed") issues.push(...outputIssues(task, read.output))
  if (issues.length > 0) return { issues }
  const output = canonicalValue(read.output)
  const key = read.key
  const prefix = kind === "seed" ? "seed" : "input"
  const isOurs = key !== undefined && new RegExp(`^${prefix}_[0-9a-f]{16}$`).test(key)
  const id = isOurs ? key : contentId(prefix, key === undefined ? (kind === "seed" ? { input, output } : { input }) : { key })
  return {
    row: {
      id,
      input,
      ...(kind === "seed" ? { output } : {}),
      ...(read.source === undefined ? {} : { source: read.source }),
      ...(key === undefined || isOurs ? {} : { key }),
    } as Row,
  }
}

interface ReadRow {
  readonly input: unknown
  readonly output: unknown
  readonly key: string | undefined
  readonly source: string | undefined
}

const jsonKeys = ["id", "key", "input", "output", "source", "personalData"]

function readJsonRow(task: TaskSpecification, row: TableRow, kind: Kind): ReadRow | { issues: Issue[] } {
  const { id, key, input, output, source, ...rest } = row.fields as Record<string, unknown>
  delete rest["personalData"]
  const unknown = Object.keys(rest).map((name) => {
    const meant = nearest(name, jsonKeys)
    return { path: name, message: `unknown key; allowed: ${jsonKeys.slice(0, 5).join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}` }
  })
  if (unknown.length > 0) return { issues: unknown }
  if (kind === "input" && output !== undefined)
    return {
      issues: [{ path: "output", message: `an input has no output; import examples with answers by: tuneloop seed import ${task.task} <file>` }],
    }
  // A single text field may be given as the text itself.
  const field = task.kind === "chat" ? undefined : Object.keys(task.input)
  const value = typeof input === "string" && field?.length === 1 ? { [field[0] as string]: input } : input
  const ownKey = id ?? key
  return {
    input: value,
    output,
    key: ownKey === undefined || ownKey === null || ownKey === "" ? undefined : String(ownKey),
    source: typeof source === "string" ? source : undefined,
  }
}

function readCsvRow(task: TaskSpecification, row: TableRow, columns: Columns): ReadRow | { issues: Issue[] } {
  const cell = (column: string | undefined) => (column === undefined ? undefined : (row.fields[column] as string | undefined))
  const input: Record<string, unknown> = {}
  for (const [field, column] of columns.fields) {
    const text = cell(column) ?? ""
    if (text !== "") input[field] = task.kind === "chat" ? parseJson(text) : typedCell(task.input[field]?.type ?? "string", text)
  }
  const text = cell(columns.output)
  const output =
    text === undefined ? undefined : (parseOutput(task, text) ?? (task.kind === "json" || task.kind === "chat" ? (parseJson(text) ?? text) : text))
  return { input, output, key: cell(columns.key) || undefined, source: cell(columns.source) || undefined }
}

function typedCell(type: "string" | "number" | "boolean", text: string): unknown {
  if (type === "number") return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text
  if (type === "boolean") return text.toLowerCase() === "true" ? true : text.toLowerCase() === "false" ? false : text
  return text
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The value with every string in NFC with LF. */
function canonicalValue(value: unknown): unknown {
  if (typeof value === "string") return canonicalText(value)
  if (Array.isArray(value)) return value.map(canonicalValue)
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, canonicalValue(item)]))
  return value
}

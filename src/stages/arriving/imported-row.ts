import { canonicalValue, contentDigits, contentId } from "../../core/canonical.ts"
import type { Issue } from "../../core/errors.ts"
import type { Input, RealInput, Seed, Split } from "../../core/rows/example.ts"
import { inputIssues, outputIssues, parseOutput } from "../../core/task/output.ts"
import { isExact, parseJson } from "../../core/json-text.ts"
import { nearest, show } from "../../core/parse.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { TableRow } from "../../store/tables/table-rows.ts"
import type { Columns, Kind } from "./file-columns.ts"

export type Row = Seed | RealInput

/**
 * The seed or input of a row of a user's file, by the specification, its `contentOf`, and the split it says; or every
 * issue with it.
 */
export function parseRow(
  task: TaskSpecification,
  row: TableRow,
  columns: Columns | undefined,
  kind: Kind,
): { row: Row; content: string; split: Split | undefined } | { issues: Issue[] } {
  if (columns?.ambiguous !== undefined && kind === "seed")
    return { issues: [{ path: "output", message: columns.ambiguous }] }
  const read =
    columns === undefined ? readJsonRow(task, conversationRow(task, row), kind) : readFlatRow(task, row, columns)
  if ("issues" in read) return read
  const input = canonicalValue(read.input) as Input
  const issues = inputIssues(task, input)
  if (kind === "seed") issues.push(...outputIssues(task, read.output))
  const split = read.split === undefined ? undefined : splitNames.get(read.split.trim().toLowerCase())
  if (read.split !== undefined && split === undefined)
    issues.push({ path: "split", message: `got ${show(read.split)}; allowed: ${[...splitNames.keys()].join(", ")}` })
  if (issues.length > 0) return { issues }
  const output = canonicalValue(read.output)
  const key = read.key
  const prefix = kind === "seed" ? "seed" : "input"
  const isOurs = key !== undefined && new RegExp(`^${prefix}_[0-9a-f]{16}$`).test(key)
  const content = contentDigits(kind === "seed" ? { input, output } : { input })
  return {
    content,
    row: {
      id: isOurs ? key : key === undefined ? `${prefix}_${content}` : contentId(prefix, { key }),
      input,
      ...(kind === "seed" ? { output } : {}),
      ...(read.source === undefined ? {} : { source: read.source }),
      ...(key === undefined || isOurs ? {} : { key }),
    } as Row,
    split,
  }
}

/**
 * What makes a row with a known id a correction where it is another: the first 64 bits of a digest of what the row
 * says.
 */
export function contentOf(row: Row): string {
  return contentDigits("output" in row ? { input: row.input, output: row.output } : { input: row.input })
}

/** How data sets call the parts of their split. */
const splitNames = new Map<string, Split>([
  ["train", "train"],
  ["training", "train"],
  ["validation", "validation"],
  ["valid", "validation"],
  ["val", "validation"],
  ["dev", "validation"],
  ["test", "test"],
])

interface ReadRow {
  readonly input: unknown
  readonly output: unknown
  readonly key: string | undefined
  readonly source: string | undefined
  readonly split: string | undefined
}

const jsonKeys = ["id", "key", "input", "output", "source", "split", "personalData"]

function readJsonRow(task: TaskSpecification, row: TableRow, kind: Kind): ReadRow | { issues: Issue[] } {
  const { id, key, input, output, source, split, ...rest } = row.fields as Record<string, unknown>
  delete rest["personalData"]
  const unknown = Object.keys(rest).map((name) => {
    const meant = nearest(name, jsonKeys)
    return {
      path: name,
      message:
        "unknown key; allowed: " +
        `${jsonKeys.slice(0, -1).join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`,
    }
  })
  // A benchmark of others has columns of its own; what is no input tells nothing here.
  if (unknown.length > 0 && kind !== "benchmark") return { issues: unknown }
  if (kind === "input" && output !== undefined)
    return {
      issues: [
        {
          path: "output",
          message: `an input has no output; import examples with answers by: tuneloop seed import ${task.task} <file>`,
        },
      ],
    }
  // A single text field may be given as the text itself.
  const field = task.kind === "chat" ? undefined : Object.keys(task.input)
  const value = typeof input === "string" && field?.length === 1 ? { [field[0] as string]: input } : input
  return {
    input: value,
    output,
    key: textOf(id ?? key),
    source: typeof source === "string" ? source : undefined,
    split: textOf(split),
  }
}

/**
 * A row in a shape that trainers read, `{messages}` or `{prompt, completion}`, as `{input, output}`; any other row as
 * it is. The system message is left out: the specification has its own.
 */
function conversationRow(task: TaskSpecification, row: TableRow): TableRow {
  const { messages, prompt, completion, tools, ...rest } = row.fields as Record<string, unknown>
  if (rest["input"] !== undefined || rest["output"] !== undefined) return row
  const turns = [messages, prompt, completion].flatMap((part, index) =>
    typeof part === "string"
      ? [{ role: index === 2 ? "assistant" : "user", content: part }]
      : Array.isArray(part)
        ? (part as unknown[])
        : [],
  ) as { role?: string; content?: unknown }[]
  const answer = turns.at(-1)
  if (answer?.role !== "assistant") return row
  if (task.kind === "chat") {
    const input = { messages: turns.slice(0, -1), ...(tools === undefined ? {} : { tools }) }
    const { role: _, ...output } = answer
    return { line: row.line, fields: { ...rest, input, output } }
  }
  const asked = turns.slice(0, -1).filter(({ role }) => role !== "system")
  if (asked.length !== 1 || Object.keys(task.input).length !== 1) return row
  const output = typeof answer.content === "string" ? outputOf(task, answer.content) : answer.content
  return { line: row.line, fields: { ...rest, input: asked[0]?.content, output } }
}

function readFlatRow(task: TaskSpecification, row: TableRow, columns: Columns): ReadRow {
  const cell = (column: string | undefined) => (column === undefined ? undefined : row.fields[column])
  const input: Record<string, unknown> = {}
  for (const [field, column] of columns.fields) {
    const value = cell(column) ?? ""
    if (value === "") continue
    if (typeof value !== "string") input[field] = value
    else input[field] = task.kind === "chat" ? parseJson(value) : typedCell(task.input[field]?.type ?? "string", value)
  }
  const value = cell(columns.output) ?? undefined
  return {
    input,
    output: typeof value === "string" ? outputOf(task, value) : value,
    key: textOf(cell(columns.key)),
    source: textOf(cell(columns.source)),
    split: textOf(cell(columns.split)),
  }
}

function outputOf(task: TaskSpecification, text: string): unknown {
  return parseOutput(task, text) ?? (task.kind === "json" || task.kind === "chat" ? (parseJson(text) ?? text) : text)
}

function textOf(value: unknown): string | undefined {
  return value === undefined || value === null || value === "" ? undefined : String(value)
}

function typedCell(type: "string" | "number" | "boolean", text: string): unknown {
  if (type === "number")
    return text.trim() !== "" && Number.isFinite(Number(text)) && isExact(text.trim()) ? Number(text) : text
  if (type === "boolean") return text.toLowerCase() === "true" ? true : text.toLowerCase() === "false" ? false : text
  return text
}

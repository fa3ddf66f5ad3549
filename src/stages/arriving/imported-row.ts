import { canonicalValue, contentDigits, contentId } from "../../core/canonical.ts"
import type { Issue } from "../../core/errors.ts"
import type { Input, RealInput, Seed, Split } from "../../core/rows/example.ts"
import { correctedValue } from "../../core/task/leaves.ts"
import { givenOutput, inputIssues, outputIssues } from "../../core/task/output.ts"
import { isExact, NumberBeyondAll, parseJson } from "../../core/json-text.ts"
import { nearest, show } from "../../core/parse.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { TableRow } from "../../store/tables/table-rows.ts"
import type { Columns, Kind } from "./file-columns.ts"
import { shapedFields, toolList } from "./row-shapes.ts"

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
  const read = columns === undefined ? readJsonRow(task, row, kind) : readFlatRow(task, row, columns)
  if ("issues" in read) return read
  const beyond = [...beyondAll(read.input, "input"), ...beyondAll(read.output, "output")]
  if (beyond.length > 0) return { issues: beyond }
  const input = canonicalValue(typedInput(task, read.input)) as Input
  const output = canonicalValue(givenOutput(task, read.output, input))
  const issues = inputIssues(task, input)
  if (kind === "seed") issues.push(...outputIssues(task, output, input))
  const split = read.split === undefined ? undefined : splitNames.get(read.split.trim().toLowerCase())
  if (read.split !== undefined && split === undefined)
    issues.push({ path: "split", message: `got ${show(read.split)}; allowed: ${[...splitNames.keys()].join(", ")}` })
  if (issues.length > 0) return { issues }
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

/** Every number of the value that is beyond all. */
function beyondAll(value: unknown, path: string): Issue[] {
  if (value instanceof NumberBeyondAll)
    return [{ path, message: `expected a number, got ${show(value)}: no number is so large` }]
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => beyondAll(item, `${path}.${key}`))
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
  const shaped = shapedFields(task, row.fields, kind)
  if ("issues" in shaped) return shaped
  const { id, key, input, output, source, split, personalData: _, ...rest } = shaped.fields as Record<string, unknown>
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
  const [field, ...others] = task.kind === "chat" ? [] : Object.keys(task.input)
  const value = field !== undefined && others.length === 0 && isScalar(input) ? { [field]: input } : input
  return {
    input: value,
    output,
    key: textOf(id ?? key),
    source: typeof source === "string" ? source : undefined,
    split: textOf(split),
  }
}

function readFlatRow(task: TaskSpecification, row: TableRow, columns: Columns): ReadRow | { issues: Issue[] } {
  const cell = (column: string | undefined) => (column === undefined ? undefined : row.fields[column])
  const input: Record<string, unknown> = {}
  for (const [field, column] of columns.fields) {
    const value = cell(column) ?? ""
    if (value === "") continue
    const isNumber = task.kind !== "chat" && task.input[field]?.type === "number"
    if (task.kind !== "chat") input[field] = (isNumber ? row.values?.[column] : undefined) ?? value
    else if (field === "tools") input[field] = toolList(value)
    else input[field] = typeof value === "string" ? parseJson(value) : value
  }
  const leaves = columns.leaves.size === 0 ? undefined : outputOfLeaves(task, row, columns)
  if (leaves !== undefined && "issues" in leaves) return leaves
  return {
    input,
    output: cell(columns.output) ?? leaves?.output,
    key: textOf(cell(columns.key)),
    source: textOf(cell(columns.source)),
    split: textOf(cell(columns.split)),
  }
}

/** The output whose leaves stand in columns of their own; of several columns of a leaf the first that is filled in. */
function outputOfLeaves(
  task: TaskSpecification,
  row: TableRow,
  { leaves }: Columns,
): { output: unknown } | { issues: Issue[] } {
  if (task.kind !== "json") return { output: undefined }
  const corrections = [...leaves].flatMap(([path, columns]) => {
    const column = columns.find((each) => (row.fields[each] ?? "") !== "")
    if (column === undefined) return []
    const value = row.fields[column]
    const text = typeof value === "string" ? value.trim() : JSON.stringify(value)
    return [{ part: "", path, text, value: row.values?.[column] ?? text }]
  })
  const { schema } = task.output
  const read = correctedValue(schema, undefined, corrections, [])
  if ("value" in read) return { output: read.value }
  // A number that is shown as 50 % is meant as the number where one is wanted.
  const isUnread = (path: string) => read.problems.some((problem) => problem.path === path)
  const asNumbers = corrections.map((leaf) => (isUnread(leaf.path) ? { ...leaf, text: leaf.value } : leaf))
  const again = correctedValue(schema, undefined, asNumbers, [])
  if ("value" in again) return { output: again.value }
  return { issues: read.problems.map(({ path, message }) => ({ path: `output.${path}`, message })) }
}

function isScalar(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
}

function textOf(value: unknown): string | undefined {
  return value === undefined || value === null || value === "" ? undefined : String(value)
}

/** The input with each value in the type of its field, where it can only be meant so. */
function typedInput(task: TaskSpecification, input: unknown): unknown {
  if (task.kind === "chat" || typeof input !== "object" || input === null || Array.isArray(input)) return input
  return Object.fromEntries(
    Object.entries(input).map(([field, value]) => [
      field,
      Object.hasOwn(task.input, field) ? typedValue(task.input[field]?.type ?? "string", value) : value,
    ]),
  )
}

function typedValue(type: "string" | "number" | "boolean", value: unknown): unknown {
  if (type === "string") return typeof value === "number" || typeof value === "boolean" ? String(value) : value
  if (typeof value !== "string") return value
  if (type === "number")
    return value.trim() !== "" && Number.isFinite(Number(value)) && isExact(value.trim()) ? Number(value) : value
  return value.toLowerCase() === "true" ? true : value.toLowerCase() === "false" ? false : value
}

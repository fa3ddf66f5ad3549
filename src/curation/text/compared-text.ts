import { canonicalJson } from "../../core/canonical.ts"
import { turnsOf, type Turn } from "../../core/rows/turns.ts"
import { roleOfNew, type ComparedFields } from "./compared-fields.ts"

/**
 * What of a row is compared, and the output that duplicates must agree in, as text; undefined where the row carries
 * none.
 */
export interface Compared {
  readonly text: string
  readonly output: string | undefined
}

/**
 * The text and the output of a row, by the fields, or what is wrong with it.
 *
 * Texts of several fields are joined, empty ones left out. Turns of a chat give their contents without the system's; an
 * assistant's last turn is of the output. Objects give the strings in them. Of several outputs all count.
 */
export function comparedText(
  row: Readonly<Record<string, unknown>>,
  fields: ComparedFields,
): Compared | { readonly problem: string } {
  const { text, output } = withNew(row, fields)
  const there = text.flatMap((name) => {
    const value = valueAt(row, name)
    return value === undefined || value === null ? [] : [{ name, value }]
  })
  if (there.length === 0)
    return text.length === 1
      ? { problem: `no field ${JSON.stringify(text[0])}; the row has ${fieldsOf(row)}` }
      : { problem: `no field to compare; looked for ${text.join(", ")}; the row has ${fieldsOf(row)}` }
  const texts: string[] = []
  const outputs: [string, unknown][] = []
  for (const { name, value } of there) {
    const turns = turnsOf(value)
    if (turns === undefined) texts.push(textOf(value))
    else {
      const hasAnswer = turns.at(-1)?.role === "assistant"
      texts.push(questionOf(hasAnswer ? turns.slice(0, -1) : turns))
      if (hasAnswer) outputs.push([name, answerOf(turns.at(-1) as Turn)])
    }
  }
  for (const name of output) {
    const value = valueAt(row, name)
    if (value !== undefined && value !== null) outputs.push([name, value])
  }
  return { text: texts.filter((each) => each !== "").join("\n"), output: outputText(outputs) }
}

/** The fields, and those of the row that are new to the file. */
function withNew(
  row: Readonly<Record<string, unknown>>,
  fields: ComparedFields,
): { text: readonly string[]; output: readonly string[] } {
  let { text, output } = fields
  for (const name of Object.keys(row)) {
    if (text.includes(name) || output.includes(name) || fields.ignored.includes(name)) continue
    if ([...text, ...output].some((path) => path.startsWith(`${name}.`))) continue
    const role = roleOfNew(name, fields)
    if (role === "text") text = [...text, name]
    if (role === "output") output = [...output, name]
  }
  return { text, output }
}

function questionOf(turns: readonly Turn[]): string {
  let text = ""
  for (const { role, content } of turns) {
    if (role === "system" || role === "developer") continue
    const said = textOf(content)
    text = text === "" ? said : `${text}\n${said}`
  }
  return text
}

/** A turn that calls tools, or is more than text, is compared whole. */
function answerOf(turn: Turn): unknown {
  return typeof turn.content === "string" && Object.keys(turn).length === 2 ? turn.content : turn
}

function outputText(outputs: readonly (readonly [string, unknown])[]): string | undefined {
  const [first, ...others] = outputs
  if (first === undefined) return undefined
  if (others.length > 0) return canonicalJson(Object.fromEntries(outputs))
  return typeof first[1] === "string" ? first[1] : canonicalJson(first[1])
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value
  return typeof value === "object" ? stringsIn(value).join("\n") : String(value)
}

function valueAt(row: Readonly<Record<string, unknown>>, path: string): unknown {
  if (row[path] !== undefined) return row[path]
  return path
    .split(".")
    .reduce<unknown>(
      (value, key) =>
        typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined,
      row,
    )
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value]
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(stringsIn) : []
}

function fieldsOf(row: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(row)
  return names.length === 0 ? "none" : `${names.slice(0, 8).join(", ")}${names.length > 8 ? ", …" : ""}`
}

import { canonicalJson } from "../../core/canonical.ts"

/**
 * What of a row is compared, and the output that duplicates must agree in, as text; undefined where the row carries
 * none.
 */
export interface Compared {
  readonly text: string
  readonly output: string | undefined
}

/** The fields that are looked for when none is named, in this order. */
export const textFields = ["messages", "prompt", "text", "input"] as const
export const outputFields = ["output", "completion", "response", "answer", "label"] as const

/**
 * The text and the output of a row of any usual shape, or what is wrong with it.
 *
 * The text is that of the field (a dotted path), else of the first of `textFields` that is there. Turns of a chat give
 * their contents without the system's; an assistant's last turn is the output. Objects give the strings in them.
 * Otherwise the output is the first of output, completion, response, answer and label that is there.
 */
export function comparedText(
  row: Readonly<Record<string, unknown>>,
  field: string | undefined,
): Compared | { readonly problem: string } {
  const name = field ?? textFields.find((candidate) => row[candidate] !== undefined && row[candidate] !== null)
  if (name === undefined)
    return { problem: `no field to compare; looked for ${textFields.join(", ")}; the row has ${fieldsOf(row)}` }
  const value = valueAt(row, name)
  if (value === undefined || value === null)
    return { problem: `no field ${JSON.stringify(name)}; the row has ${fieldsOf(row)}` }
  if (isTurns(value)) return chatText(value, row, name)
  const text =
    typeof value === "string" ? value : typeof value === "object" ? stringsIn(value).join("\n") : String(value)
  return { text, output: outputOf(row, name) }
}

interface Turn {
  readonly role?: unknown
  readonly content?: unknown
}

function chatText(turns: readonly Turn[], row: Readonly<Record<string, unknown>>, name: string): Compared {
  const last = turns.at(-1)
  const hasAnswer = last?.role === "assistant"
  let text = ""
  for (let index = 0; index < turns.length - Number(hasAnswer); index += 1) {
    const turn = turns[index] as Turn
    if (turn.role === "system" || turn.role === "developer") continue
    const content = typeof turn.content === "string" ? turn.content : stringsIn(turn.content).join("\n")
    text = text === "" ? content : `${text}\n${content}`
  }
  if (!hasAnswer) return { text, output: outputOf(row, name) }
  const { content } = last
  // A turn that calls tools, or is more than text, is compared whole.
  const isPlain = typeof content === "string" && Object.keys(last).length === 2
  return { text, output: isPlain ? content : canonicalJson(last) }
}

function outputOf(row: Readonly<Record<string, unknown>>, compared: string): string | undefined {
  for (const name of outputFields) {
    const value = row[name]
    if (name !== compared && value !== undefined && value !== null)
      return typeof value === "string" ? value : canonicalJson(value)
  }
  return undefined
}

function isTurns(value: unknown): value is readonly Turn[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((turn) => typeof turn === "object" && turn !== null && "role" in turn)
  )
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

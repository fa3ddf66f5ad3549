import { canonicalText } from "../../core/canonical.ts"

/**
 * What a spreadsheet would read as a formula, or writes instead of one, whatever apostrophes, blanks and characters
 * without a look stand before it (OWASP, CSV injection; full-width signs are formulas in Japanese and Chinese
 * spreadsheets). A negative number is none.
 */
const formulaLike =
  /^['\s\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2060\ufeff]*(?!-\d+(?:\.\d+)?$)(?:[=+\-@|%\t\r\n＝＋－＠]|#(?:N\/A|NAME\?|REF!|VALUE!|DIV\/0!|NUM!|NULL!|SPILL!|CALC!)$|Err:\d{3}$)/u

/** A text that a spreadsheet would read as a formula gets an apostrophe before it; any other text stays. */
export function neutralise(text: string): string {
  return formulaLike.test(text) ? `'${text}` : text
}

/**
 * The text that `neutralise` was given, for any text; also the text of a cell from which a person took the apostrophe
 * away.
 */
export function restore(text: string): string {
  return text.startsWith("'") && formulaLike.test(text) ? text.slice(1) : text
}

/**
 * Longer texts are shown by their beginning: a cell of Excel ends at 32,767 characters, and nobody reads that many in
 * one.
 */
const longestText = 8000
const previewLength = 4000

export function isLong(text: string): boolean {
  return text.length > longestText
}

/** What a cell shows of the text; `file` has all of it where it is long. */
export function shownText(text: string, file: string): string {
  return neutralise(
    isLong(text)
      ? `${text.slice(0, previewLength).toWellFormed()}\n… ${text.length} characters; all of them: ${file}`
      : text,
  )
}

/** The name of the file that has the whole text of a cell. */
export function textFile(id: string, part: string, column: string): string {
  return `${[id, part, column]
    .filter((name) => name !== "")
    .join(".")
    .replace(/[^A-Za-z0-9._-]+/g, "_")}.txt`
}

/**
 * Whether a cell still says what was exported, but for what spreadsheets do to every text: line ends, control
 * characters, an apostrophe, white space around it, TRUE for true.
 */
export function isSameCell(found: string, exported: string): boolean {
  return found === exported || comparable(found) === comparable(exported)
}

function comparable(text: string): string {
  const plain = restore(canonicalText(text).replace(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/g, "")).trim()
  return /^(true|false)$/i.test(plain) ? plain.toLowerCase() : plain
}

/** The value of an input's field as text. */
export function fieldText(value: unknown): string {
  return value === undefined || value === null
    ? ""
    : typeof value === "string"
      ? canonicalText(value)
      : JSON.stringify(value)
}

/** A conversation, turn by turn: who speaks, what they say, what they call. */
export function conversationText(input: Readonly<Record<string, unknown>>): string {
  const messages = Array.isArray(input["messages"]) ? (input["messages"] as Readonly<Record<string, unknown>>[]) : []
  const tools = Array.isArray(input["tools"]) ? [`tools: ${toolNames(input["tools"]).join(", ")}`] : []
  return [
    ...tools,
    ...messages.map((message, index) => {
      const calls = Array.isArray(message["tool_calls"])
        ? (message["tool_calls"] as unknown[]).map((call) => `→ ${callText(call)}`)
        : []
      const content = message["content"]
      const said =
        typeof content === "string"
          ? [canonicalText(content)]
          : content === undefined || content === null
            ? []
            : [JSON.stringify(content)]
      return [`${index + 1}. ${String(message["role"])}:`, ...said, ...calls].join("\n")
    }),
  ].join("\n\n")
}

function callText(call: unknown): string {
  const called = (call as { function?: { name?: unknown; arguments?: unknown } } | null)?.function
  if (called === undefined) return JSON.stringify(call)
  return (
    `${String(called.name)} ` +
    `${typeof called.arguments === "string" ? called.arguments : JSON.stringify(called.arguments ?? {})}`
  )
}

function toolNames(tools: readonly unknown[]): string[] {
  return tools.map((tool) => {
    const { name, function: called } = (tool ?? {}) as { name?: unknown; function?: { name?: unknown } }
    return String(name ?? called?.name ?? "?")
  })
}

import { canonicalValue } from "../canonical.ts"
import { parseJson } from "../json-text.ts"

/** The JSON objects in an answer, in their order, and what began like one and cannot be read. */
export interface FoundObjects {
  readonly values: readonly Record<string, unknown>[]
  readonly broken: readonly string[]
}

/**
 * The outermost JSON objects in an answer: in a code fence, with prose around them, cut at the end. Of an object that
 * is no JSON those inside it, and what `isWhole` says stands for something by itself is broken, never left out.
 */
export function objectsIn(text: string, isWhole: (body: string) => boolean, depth = 0): FoundObjects {
  const { bodies, rest } = balanced(text)
  const found = bodies.map((body): FoundObjects => {
    const value = canonicalValue(readJson(body))
    if (isRecord(value)) return { values: [value], broken: [] }
    return depth === 2 || isWhole(body)
      ? { values: [], broken: isWhole(body) ? [body] : [] }
      : objectsIn(body.slice(1, -1), isWhole, depth + 1)
  })
  const cut = rest !== undefined && isWhole(rest) ? [rest] : []
  return { values: found.flatMap(({ values }) => values), broken: [...found.flatMap(({ broken }) => broken), ...cut] }
}

/**
 * The value of a JSON text, also of one with what models write and JSON does not know, where it can mean one thing
 * only: commas before a closing bracket, comments, line breaks within strings, Python's `True`, `False` and `None`,
 * `\'`, and a backslash before a letter that makes no escape. Undefined for anything else.
 */
export function readJson(text: string): unknown {
  const value = parseJson(text)
  if (value !== undefined) return value
  const again = withoutLastCommas(mended(text))
  return again === text ? undefined : parseJson(again)
}

function mended(text: string): string {
  return text.replace(/"(?:[^"\\]|\\[\s\S])*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|\b(?:True|False|None)\b/g, (found) => {
    if (found.startsWith('"')) return mendedString(found)
    return { True: "true", False: "false", None: "null" }[found] ?? ""
  })
}

function withoutLastCommas(text: string): string {
  return text.replace(/"(?:[^"\\]|\\[\s\S])*"|,(?=\s*[}\]])/g, (found) => (found === "," ? "" : found))
}

function mendedString(text: string): string {
  return text.replace(/\\u[\da-f]{4}|\\[\s\S]|\p{Cc}/giu, (found) => {
    if (!found.startsWith("\\")) return JSON.stringify(found).slice(1, -1)
    if (found === "\\'") return "'"
    // \x41 and \v are escapes elsewhere: what they mean here is anyone's guess.
    return /^\\[ac-eg-mo-qsuwyz]$/i.test(found) ? `\\${found}` : found
  })
}

/**
 * The outermost runs from a brace to the brace that closes it, in one pass; of a run that is not closed those inside
 * it, and what is left after them.
 */
function balanced(text: string): { readonly bodies: string[]; readonly rest: string | undefined } {
  const open: number[] = []
  const closed: { from: number; to: number }[] = []
  let isString = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    // Quotes in the prose around JSON mean nothing.
    if (isString) {
      if (character === "\\") at++
      else if (character === '"') isString = false
    } else if (character === '"') isString = open.length > 0
    else if (character === "{") open.push(at)
    else if (character === "}") {
      const from = open.pop()
      if (from === undefined) continue
      while ((closed.at(-1)?.from ?? -1) > from) closed.pop()
      closed.push({ from, to: at + 1 })
    }
  }
  const unclosed = open.find((from) => from >= (closed.at(-1)?.to ?? 0))
  return {
    bodies: closed.map(({ from, to }) => text.slice(from, to)),
    rest: unclosed === undefined ? undefined : text.slice(unclosed),
  }
}

/** The object with `Score` as `score`, but where it has both. */
export function withKeysInLowerCase(value: Record<string, unknown>): Record<string, unknown> {
  return { ...Object.fromEntries(Object.entries(value).map(([key, member]) => [key.toLowerCase(), member])), ...value }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

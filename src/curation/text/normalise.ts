import { canonicalText, isAscii } from "../../core/canonical.ts"

/**
 * The text in NFC with LF line ends, without control characters (tab and line end stay; vertical tab and form feed
 * become line ends) and without white space at the ends of lines and of the text. Idempotent.
 */
export function normaliseText(text: string): string {
  if (isNormalText(text)) return text
  const printable = text.replace(/\r\n?|[\v\f]/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "")
  return canonicalText(printable)
    .replace(/[^\S\n]+(?=\n|$)/g, "")
    .trim()
}

/** True only for a text that is normal; ASCII that is needs no more than this look. */
function isNormalText(text: string): boolean {
  return (
    text === "" || (text.charCodeAt(0) > space && text.charCodeAt(text.length - 1) > space && !maybeUnnormal.test(text))
  )
}

const space = 32
const maybeUnnormal = /[^\t\n\x20-\x7e]|[ \t]\n/

/**
 * The value with every string in it normalised; structure and keys stay. Where that changes nothing it is the value
 * itself.
 */
export function normaliseStrings<Value>(value: Value): Value
export function normaliseStrings(value: unknown): unknown {
  if (typeof value === "string") return normaliseText(value)
  if (typeof value !== "object" || value === null || isNormal(value)) return value
  if (Array.isArray(value)) return value.map((item) => normaliseStrings(item))
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, normaliseStrings(member)]))
}

/** The value like `normaliseStrings`, and its JSON. */
export function normalisedJson<Value>(value: Value): { readonly value: Value; readonly json: string } {
  const json = JSON.stringify(value)
  // Then no look at every character is needed.
  if (isAscii(json) && !json.includes("\x7f") && areEscapesNormal(json) && isTrimmed(value)) return { value, json }
  const normal = normaliseStrings(value)
  return { value: normal, json: normal === value ? json : JSON.stringify(normal) }
}

/**
 * False where JSON of normal strings would have something else: an escaped control character, or white space before the
 * end of a line. May be false otherwise.
 */
function areEscapesNormal(json: string): boolean {
  for (let at = json.indexOf("\\"); at >= 0; at = json.indexOf("\\", at + 2)) {
    const escaped = json.charCodeAt(at + 1)
    if (escaped === quote || escaped === backslash || escaped === letterT) continue
    // What looks like a tab before it may be a backslash and a letter.
    const before = json.charCodeAt(at - 1)
    if (escaped !== letterN || before === space || (before === letterT && json.charCodeAt(at - 2) === backslash))
      return false
  }
  return true
}

const [quote, backslash, letterN, letterT] = [34, 92, 110, 116] as const

function isTrimmed(value: unknown): boolean {
  if (typeof value === "string")
    return value === "" || (value.charCodeAt(0) > space && value.charCodeAt(value.length - 1) > space)
  if (typeof value !== "object" || value === null) return true
  for (const key in value) if (!isTrimmed((value as Record<string, unknown>)[key])) return false
  return true
}

function isNormal(value: unknown): boolean {
  if (typeof value === "string") return isNormalText(value)
  if (typeof value !== "object" || value === null) return true
  for (const key in value) if (!isNormal((value as Record<string, unknown>)[key])) return false
  return true
}

/**
 * What two texts share when they differ only in case, punctuation, white space, invisible characters or compatibility
 * forms (NFKC): equal here means an exact duplicate. Symbols such as `+` and emoji count. A text of punctuation alone
 * keeps it, so that `?` and `!` stay apart.
 */
export function foldForComparison(text: string): string {
  if (plain.test(text)) {
    const lower = text.toLowerCase()
    const words = lower.replace(plainSeparators, " ").trim()
    return words === "" ? lower.replace(/\s+/g, " ").trim() : words
  }
  const lower = normaliseText(text)
    .replace(/\p{Cf}/gu, "")
    .normalize("NFKC")
    .toLowerCase()
    .normalize("NFKC")
  const words = lower.replace(/[\p{P}\s]+/gu, " ").trim()
  return words === "" ? lower.replace(/\s+/g, " ").trim() : words
}

// Most texts of most data sets: all that the longer way does to them is done by these two, in a third of the time.
const plain = /^[\t\n\x20-\x7e]*$/
const plainSeparators = /[!-#%-*,-/:;?@[-\]_{}\s]+/g

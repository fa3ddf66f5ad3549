import { canonicalText, isAscii } from "../core/canonical.ts"

/** The text in NFC with LF line ends, without control characters (tab and line end stay; vertical tab and form feed become line ends) and without
 * white space at the ends of lines and of the text. Idempotent. */
export function normaliseText(text: string): string {
  if (isNormalText(text)) return text
  const printable = text.replace(/\r\n?|[\v\f]/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "")
  return canonicalText(printable)
    .replace(/[^\S\n]+(?=\n|$)/g, "")
    .trim()
}

/** True only for a text that is normal; ASCII that is needs no more than this look. */
function isNormalText(text: string): boolean {
  return text === "" || (text.charCodeAt(0) > space && text.charCodeAt(text.length - 1) > space && !maybeUnnormal.test(text))
}

const space = 32
const maybeUnnormal = /[^\t\n\x20-\x7e]|[ \t]\n/

/** The value with every string in it normalised; structure and keys stay. Where that changes nothing it is the value itself. */
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
  // What is ASCII and has nothing escaped needs no look at every character.
  if (isAscii(json) && !json.includes("\\") && !json.includes("\x7f") && isTrimmed(value)) return { value, json }
  const normal = normaliseStrings(value)
  return { value: normal, json: normal === value ? json : JSON.stringify(normal) }
}

function isTrimmed(value: unknown): boolean {
  if (typeof value === "string") return value === "" || (value.charCodeAt(0) > space && value.charCodeAt(value.length - 1) > space)
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

/** What two texts share when they differ only in case, punctuation, white space, invisible characters or compatibility forms (NFKC): equal here
 * means an exact duplicate. Symbols such as `+` and emoji count. A text of punctuation alone keeps it, so that `?` and `!` stay apart. */
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

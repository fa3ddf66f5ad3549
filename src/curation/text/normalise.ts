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
 * What two texts share when they differ only in case, white space and typography: equal here means an exact duplicate.
 * Words and signs are parted by single spaces, a sign being one character of punctuation or a symbol: `-5` gives `- 5`,
 * and is not `5`. Typography is what `typographic` names, half and full width, ligatures and fonts (NFKC), invisible
 * characters and the digits of any script. What NFKC makes of raised, lowered, circled and squared characters and of
 * fractions is another text: `2³` is not `23`.
 */
export function foldForComparison(text: string): string {
  const lower = isPlain(text) ? text.toLowerCase() : foldForms(text)
  return lower.replace(signs, " $& ").replace(/\s+/g, " ").trim()
}

/** Whether the text is printable ASCII: its words are the runs of letters and digits. */
export function isPlain(text: string): boolean {
  return plain.test(text)
}

/** Whether what stands between two spaces of a folded text is a sign, and no word. */
export function isSign(token: string): boolean {
  return oneSign.test(token)
}

const plain = /^[\t\n\x20-\x7e]*$/
const signs = /[\p{P}\p{S}]/gu
const oneSign = /^[\p{P}\p{S}]$/u

function foldForms(text: string): string {
  return normaliseText(text)
    .replace(invisible, "")
    .replace(typographic, (character) => plainForms.get(character) as string)
    .replace(withoutMeaning, (run) => run.normalize("NFKC"))
    .toLowerCase()
    .normalize("NFC")
    .replace(otherDigits, plainDigit)
}

// Variation selectors are invisible too.
const invisible = /\p{Cf}|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/gu

const plainForms = new Map(
  (
    [
      ["'", "‘’‚‛‹›′´ʼ"],
      ['"', "“”„‟«»″"],
      ["-", "‐‑‒–—―−﹘"],
      ["/", "⁄∕"],
      ["~", "〜∼"],
      ["*", "∗"],
      [":", "∶"],
      ["|", "∣"],
      ["·", "⋅∙"],
    ] as const
  ).flatMap(([form, others]) => [...others].map((other) => [other, form] as const)),
)
/** Characters that are written for one another. */
const typographic = new RegExp(`[${[...plainForms.keys()].join("")}]`, "gu")

// All but numbers, symbols and letters that are raised, lowered, circled, squared or fractions; the letters are
// modifiers, but for three of half width. A run without a limit overflows the stack of the engine in a text of many
// megabytes; where it is cut says nothing, for NFC composes across.
const withoutMeaning = /[^[\p{No}\p{So}[\p{Lm}--[\uff70\uff9e\uff9f]]ªº⁺-⁾₊-₎]]{1,4096}/gv

const otherDigits = /[\p{Nd}--[0-9]]/gv

/** The digits of a script follow one another from zero to nine. */
function plainDigit(character: string): string {
  const point = character.codePointAt(0) as number
  let value = 0
  while (value < 9 && /^\p{Nd}$/u.test(String.fromCodePoint(point - value - 1))) value += 1
  return String(value)
}

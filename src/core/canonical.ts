import { hash } from "node:crypto"

/** Any value JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/**
 * Canonical JSON (RFC 8785) of the value, every string in NFC with LF line ends: equal content gives equal text,
 * whatever the order of keys. Throws on NaN and infinities, which JSON cannot carry. Keys that are `undefined` are left
 * out.
 */
export function canonicalJson(value: unknown): string {
  return plainJson(value) ?? canonicalMembers(value)
}

/**
 * `JSON.stringify` of an object or array, where that is canonical already: ASCII throughout, nothing escaped that
 * canonical text has otherwise, keys in order. Undefined where it is not. Most values are so, and this takes a third of
 * the time.
 */
export function plainJson(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !hasOrderedKeys(value)) return undefined
  const json = JSON.stringify(value)
  // A carriage return or a lone surrogate stands in it as \r or \ud800. What only looks like one goes the longer way.
  return isAscii(json) && !json.includes("\\r") && !json.includes("\\u") ? json : undefined
}

/** Whether the text is ASCII, without looking at each character in JavaScript. */
export function isAscii(text: string): boolean {
  return Buffer.byteLength(text, "utf8") === text.length
}

/** Whether `JSON.stringify` writes all keys, and in the order of RFC 8785; numbers are written alike by both. */
function hasOrderedKeys(value: object): boolean {
  if (Array.isArray(value)) {
    for (const item of value) if (!isPlain(item)) return false
    return true
  }
  let before: string | undefined
  // Keys that are whole numbers come first in an object, whatever their order as texts: compared like the others, they
  // fail where that differs.
  for (const key in value) {
    if ((before !== undefined && before >= key) || !isPlain((value as Record<string, unknown>)[key])) return false
    before = key
  }
  return true
}

function isPlain(value: unknown): boolean {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true
  return typeof value === "number" ? Number.isFinite(value) : typeof value === "object" && hasOrderedKeys(value)
}

function canonicalMembers(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value)
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`JSON cannot carry ${value}`)
    return JSON.stringify(value)
  }
  if (typeof value === "string") return JSON.stringify(canonicalText(value))
  if (Array.isArray(value)) return `[${value.map((item) => canonicalMembers(item ?? null)).join(",")}]`
  if (typeof value === "object") {
    // RFC 8785 orders keys by UTF-16 code units, which is what JavaScript's default sort does.
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => [canonicalText(key), member] as const)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalMembers(member)}`).join(",")}}`
  }
  throw new TypeError(`JSON cannot carry a ${typeof value}`)
}

/** The text in Unicode NFC, well-formed and with LF line ends. */
export function canonicalText(text: string): string {
  if (isAscii(text) && !text.includes("\r")) return text
  return text.toWellFormed().replace(/\r\n?/g, "\n").normalize("NFC")
}

/** The value with every text in it, keys as well, as `canonicalText`. Of keys that become equal the last one counts. */
export function canonicalValue(value: unknown): unknown {
  if (typeof value === "string") return canonicalText(value)
  if (Array.isArray(value)) return value.map(canonicalValue)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [canonicalText(key), canonicalValue(member)]))
}

/** `sha256:` and 64 hex digits of the value's canonical JSON. */
export function digest(value: unknown): string {
  return digestText(canonicalJson(value))
}

/** `sha256:` and 64 hex digits of the text's UTF-8 bytes, as they are. */
export function digestText(text: string | Uint8Array): string {
  return `sha256:${hash("sha256", text, "hex")}`
}

/**
 * A prefix, `_` and the first 16 hex digits of the value's digest: 64 bits, so that a million rows meet by chance once
 * in 40 million datasets. Starts with a letter and survives spreadsheets.
 */
export function contentId<Prefix extends string>(prefix: Prefix, value: unknown): `${Prefix}_${string}` {
  return `${prefix}_${contentDigits(value)}`
}

/** The digits of a content id. */
export function contentDigits(value: unknown): string {
  return digest(value).slice("sha256:".length, "sha256:".length + 16)
}

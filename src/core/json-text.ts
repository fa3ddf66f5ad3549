import { mostNested, tooDeep } from "./plain-value.ts"

/** The value of a JSON text, as `parseExact`; undefined for a text that is none. */
export function parseJson(text: string): unknown {
  try {
    return parseExact(text)
  } catch {
    return undefined
  }
}

/** What becomes of a whole number that a number cannot hold exactly, by its digits. */
export type LongNumber = (digits: string) => unknown

/** The digits as a text. */
const asText: LongNumber = (digits) => digits

/** The digits as they are: what is written as JSON again is what was read. */
export const asItStands: LongNumber = (digits) =>
  // In ES2026 and in Node 24; the library of types does not have it yet.
  (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits)

/**
 * The value of a JSON text in which no whole number is rounded: one that a number cannot hold exactly (beyond 2^53) is
 * a text of its digits, or what `longNumber` makes of them; so is a number beyond all (`1e400`). Throws a SyntaxError
 * for a text that is no JSON, or one that is too deep to be gone through.
 */
export function parseExact(text: string, longNumber: LongNumber = asText): unknown {
  const value: unknown = JSON.parse(text)
  if (text.length > 2 * mostNested && isTooDeep(value)) throw new SyntaxError(tooDeep)
  if (!mayBeInexact.test(text)) return value
  const reviver = (_key: string, item: unknown, context?: { readonly source?: string }) =>
    typeof item === "number" && context?.source !== undefined && !isExact(context.source)
      ? longNumber(context.source)
      : item
  return JSON.parse(text, reviver as (key: string, item: unknown) => unknown)
}

/** A number that no number can be (`1e400`), where a row of somebody's file has it: an error if it is read. */
export class NumberBeyondAll {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toJSON(): string {
    return this.text
  }
}

/** The digits of a whole number as a text; any other is beyond all. */
export const asInRows: LongNumber = (digits) => (/^-?\d+$/.test(digits) ? digits : new NumberBeyondAll(digits))

/** Whether lists and objects lie within each other deeper than whatever goes through values can go. */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; depth <= mostNested; depth += 1) {
    level = level.flatMap((item) => (typeof item === "object" && item !== null ? Object.values(item) : []))
    if (level.length === 0) return false
  }
  return true
}

/** Whether a number holds every digit of a whole number, and any other number at all: `1e400` is none. */
export function isExact(text: string): boolean {
  const value = Number(text)
  return /^-?\d+$/.test(text) ? Number.isSafeInteger(value) || String(value) === text : Number.isFinite(value)
}

/** Such a number, or a text that reads like one. A number follows what parts values; the digits of a digest do not. */
const mayBeInexact = /(?:^|[:,[\s])-?(?:\d{16}|\d[\d.]*e\+?\d{3})/i

/** What is wrong with a text of one line that is no JSON: the parser names a line that is always the first. */
export function jsonProblem({ message }: Error): string {
  const plain = message.replace(/(?: in JSON)? at position \d+ \(line 1 column (\d+)\)/, " at column $1")
  return `not valid JSON: ${plain.length > 160 ? `${plain.slice(0, 159)}…` : plain}`
}

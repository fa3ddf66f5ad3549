import { canonicalText } from "../core/canonical.ts"

/** The text that a spreadsheet shows for a value. */
export function cellOf(value: unknown): string {
  return value === undefined || value === null ? "" : typeof value === "string" ? canonicalText(value) : JSON.stringify(value)
}

/** A cell that a spreadsheet would read as a formula gets an apostrophe before it (OWASP, CSV injection). */
export function neutralise(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
}

/** The text that `neutralise` was given. */
export function restore(text: string): string {
  return /^'[=+\-@\t\r]/.test(text) ? text.slice(1) : text
}

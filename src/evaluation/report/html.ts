/** A piece of HTML that is safe to put in a page. */
export interface Html {
  readonly html: string
}
type Part = string | number | Html | readonly Html[] | undefined

/**
 * HTML from a template: every text put into it is escaped, pieces of HTML are kept, and undefined gives nothing. The
 * template itself is trusted.
 */
export function html(template: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: template.reduce((text, fixed, position) => text + render(parts[position - 1]) + fixed) }
}

/**
 * The text with `& < > " '` escaped, for text and for quoted attributes; control characters that HTML forbids become
 * U+FFFD.
 */
export function escapeHtml(text: string): string {
  return text.replace(forbidden, "\uFFFD").replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

const forbidden =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Markup that this package wrote itself. */
export function trusted(markup: string): Html {
  return { html: markup }
}

/** The sentence with every number and its per cent sign kept on one line. */
export function unbroken(sentence: string): string {
  return sentence.replace(/(\d) %/g, "$1\u00A0%")
}

function render(part: Part): string {
  if (part === undefined) return ""
  if (typeof part === "string") return escapeHtml(part)
  if (typeof part === "number") return String(part)
  return "html" in part ? part.html : part.map((piece) => piece.html).join("")
}

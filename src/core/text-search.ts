/**
 * Looks for texts in whatever we write: as they are, in any case and form of Unicode, and as they stand in JSON, in
 * JSON within JSON, and in HTML.
 */
export class TextSearch {
  readonly #needles: readonly string[]

  constructor(texts: Iterable<string>) {
    const needles = new Set<string>()
    for (const text of texts) {
      const plain = foldedText(text)
      if (plain.trim() === "") continue
      const json = inJson(plain)
      for (const needle of [plain, json, inJson(json), inHtml(plain), inAsciiJson(plain)]) needles.add(needle)
    }
    this.#needles = [...needles]
  }

  get isEmpty(): boolean {
    return this.#needles.length === 0
  }

  /** Whether one of the texts stands in it. */
  isIn(said: string): boolean {
    if (this.isEmpty) return false
    const folded = foldedText(said)
    return this.#needles.some((needle) => folded.includes(needle))
  }
}

/** The value with `[erased]` in the place of every string in it, but for keys, that says one of the texts. */
export function withoutTexts(value: unknown, search: TextSearch): unknown {
  if (typeof value === "string") return search.isIn(value) ? "[erased]" : value
  if (Array.isArray(value)) return value.map((item) => withoutTexts(item, search))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutTexts(item, search)]))
}

/** Every string in the value, but for keys. */
export function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value]
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : []
}

function foldedText(text: string): string {
  return text.normalize("NFC").toLowerCase()
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** As our reports write it. */
function inHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** As Python writes JSON. */
function inAsciiJson(text: string): string {
  return inJson(text).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
}

/** A record of a delimited text. */
export interface DelimitedRecord {
  /** Where it begins, from 1. */
  readonly line: number
  readonly cells: readonly string[]
  /** Whether it is a line with nothing on it at all. */
  readonly isBlank: boolean
}

/** A quote that nobody can read one way: where its cell begins, and what is wrong with it. */
export class QuoteError extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/**
 * The records of a text whose cells stand between delimiters, for a text that comes in pieces. A cell that begins with
 * a quote ends at the next single one; any other quote is a letter, as Excel, pandas and Python read it. Between tabs a
 * quote is a letter unless a cell has one at both ends, or only a cell over several lines makes rows of them.
 */
export class RecordReader {
  readonly #delimiter: string
  readonly #plainCell: RegExp
  #text = ""
  #at = 0
  #line = 1
  #isWhole = false
  /** The cells of the header, the first record with more than one. */
  #width = 1

  constructor(delimiter: string) {
    this.#delimiter = delimiter
    this.#plainCell = new RegExp(`[^\\r\\n${delimiter.replace(/[\\\]^-]/g, "\\$&")}]*`, "y")
  }

  /** The records that end in the text so far. */
  *push(piece: string): Generator<DelimitedRecord> {
    this.#text = this.#text.slice(this.#at) + piece
    this.#at = 0
    yield* this.#records()
  }

  /** The records that are left. Throws a QuoteError where the text ends within a quote. */
  *end(): Generator<DelimitedRecord> {
    this.#isWhole = true
    yield* this.#records()
  }

  *#records(): Generator<DelimitedRecord> {
    while (this.#at < this.#text.length) {
      const read = this.#delimiter === "\t" ? this.#tabbed() : this.#quoted(this.#at, true)
      if (read === "more") return
      const { cells, end } = read as Read
      const raw = this.#text.slice(this.#at, end)
      const line = this.#line
      this.#line += raw.match(/\r\n|\n|\r/g)?.length ?? 0
      const isBlank = /^[\r\n]*$/.test(raw)
      this.#at = end
      if (this.#width === 1) this.#width = cells.length
      yield { line, cells, isBlank }
    }
  }

  /** The record of a line between tabs. */
  #tabbed(): Read | "more" {
    const lineEnd = this.#lineEnd(this.#at)
    if (lineEnd === "more") return "more"
    const cells = this.#text.slice(this.#at, lineEnd.from).split("\t")
    const plain = { cells: cells.map(unenclosed), end: lineEnd.to }
    if (!cells.some((cell) => cell.startsWith('"') && !enclosed.test(cell))) return plain
    const quoted = this.#quoted(this.#at, false)
    if (quoted === "more" && this.#text.length - this.#at < longestCell) return "more"
    if (quoted === undefined || quoted === "more" || quoted.cells.length !== this.#width) return plain
    const lines = this.#text.slice(this.#at, quoted.end).replace(/[\r\n]+$/, "")
    const areRows = lines.split(/\r\n|\n|\r/).every((line) => line.split("\t").length === this.#width)
    return areRows ? plain : quoted
  }

  /**
   * The record by its quotes. What stands behind a closing quote belongs to the cell, if it is one of a single line and
   * `isLenient`; otherwise it is undefined, or an error.
   */
  #quoted(start: number, isLenient: boolean): Read | "more" | undefined {
    const text = this.#text
    const cells: string[] = []
    for (let at = start; ; at += 1) {
      let cell = ""
      if (text[at] === '"') {
        const close = this.#closingQuote(at)
        if (close === undefined) {
          if (!this.#isWhole) return "more"
          if (!isLenient) return undefined
          throw new QuoteError(this.#lineAt(start, at), "a quote opens in the cell that begins here and never closes")
        }
        if (close === "more") return "more"
        cell = text.slice(at + 1, close).replaceAll('""', '"')
        const next = text[close + 1]
        const isClosed = next === undefined || next === this.#delimiter || next === "\n" || next === "\r"
        if (!isClosed && !isLenient) return undefined
        if (!isClosed && /[\r\n]/.test(cell))
          throw new QuoteError(
            this.#lineAt(start, at),
            "a cell begins here with a quote and goes on over several lines up to a quote within a text; a quote in " +
              "a quoted cell is written twice",
          )
        at = close + 1
      }
      this.#plainCell.lastIndex = at
      const rest = (this.#plainCell.exec(text) as RegExpExecArray)[0]
      at += rest.length
      cells.push(cell + rest)
      if (at >= text.length) return this.#isWhole ? { cells, end: at } : "more"
      if (text[at] === this.#delimiter) continue
      const end = this.#lineEnd(at)
      return end === "more" ? "more" : { cells, end: end.to }
    }
  }

  /** Where the quote is that closes the one there; undefined where none does in the text so far. */
  #closingQuote(open: number): number | "more" | undefined {
    for (let at = open + 1; ; at += 2) {
      at = this.#text.indexOf('"', at)
      if (at < 0) return undefined
      if (at + 1 === this.#text.length && !this.#isWhole) return "more"
      if (this.#text[at + 1] !== '"') return at
    }
  }

  /** Where the next line ends and the one after it begins, from there. */
  #lineEnd(start: number): { from: number; to: number } | "more" {
    newline.lastIndex = start
    const found = newline.exec(this.#text)
    if (found === null) return this.#isWhole ? { from: this.#text.length, to: this.#text.length } : "more"
    const to = found.index + found[0].length
    // Half of a line end may still come.
    return found[0] === "\r" && to === this.#text.length && !this.#isWhole ? "more" : { from: found.index, to }
  }

  #lineAt(start: number, at: number): number {
    return this.#line + (this.#text.slice(start, at).match(/\r\n|\n|\r/g)?.length ?? 0)
  }
}

/** All records of a whole text. */
export function* recordsOf(text: string, delimiter: string): Generator<DelimitedRecord> {
  const reader = new RecordReader(delimiter)
  yield* reader.push(text)
  yield* reader.end()
}

/** The delimiter that is most frequent outside quotes in the first line. */
export function delimiterOf(text: string): string {
  const counts = new Map([",", ";", "\t"].map((delimiter) => [delimiter, 0]))
  let isQuoted = false
  let isCellStart = true
  for (const character of text) {
    if (character === '"' && (isQuoted || isCellStart)) isQuoted = !isQuoted
    else if (!isQuoted && (character === "\n" || character === "\r")) break
    else if (!isQuoted && counts.has(character)) counts.set(character, (counts.get(character) ?? 0) + 1)
    isCellStart = !isQuoted && (counts.has(character) || character === '"')
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? ","
}

interface Read {
  readonly cells: readonly string[]
  /** Where the next record begins. */
  readonly end: number
}

const newline = /\r\n|\n|\r/g
const enclosed = /^"(?:[^"]|"")*"$/
// No spreadsheet writes a longer one.
const longestCell = 1 << 20

function unenclosed(cell: string): string {
  return enclosed.test(cell) ? cell.slice(1, -1).replaceAll('""', '"') : cell
}

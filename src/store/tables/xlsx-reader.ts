import { posix } from "node:path"
import type { SaxesTagPlain } from "saxes"
import type yauzl from "yauzl"
import { DataError } from "../../core/errors.ts"
import type { Sheet, SheetCell, SheetRow } from "./sheet-rows.ts"
import { cellFormats, general, type CellFormat } from "./xlsx-styles.ts"
import { columnOf, decodeEscapes, excelLimits } from "./xlsx-text.ts"
import { damagedPart, elements, localName, openBook, tagsOf, tooLarge, type Book, type XmlEvent } from "./xlsx-zip.ts"

/**
 * The sheets of an Excel workbook in its order (ECMA-376, transitional and strict; strings shared, inline or rich).
 * Sheets are streamed: held are the distinct texts that they share, once, as UTF-8. Of a formula the value counts that
 * was last computed.
 */
export async function* readWorkbook(path: string): AsyncGenerator<Sheet> {
  const book = await openBook(path)
  try {
    const root = typed(await targetsOf(book, ""), "officeDocument") ?? "xl/workbook.xml"
    if (!book.entries.has(root))
      throw new DataError(
        `${path} is no Excel workbook: it has no ${root}`,
        [],
        "Save it as an Excel workbook (.xlsx).",
      )
    const targets = await targetsOf(book, root)
    const parts: SaxesTagPlain[] = []
    for await (const tag of tagsOf(book, root)) parts.push(tag)
    const is1904 = parts.some(({ attributes }) => /^(1|true)$/.test(attributes["date1904"] ?? ""))
    const formats = await cellFormats(book, typed(targets, "styles") ?? "", is1904)
    const strings = new TextArena()
    const shared = book.entries.get(typed(targets, "sharedStrings") ?? "")
    if (shared !== undefined) await readSharedStrings(book, shared, strings)
    for (const { name, attributes } of parts) {
      if (localName(name) !== "sheet") continue
      const relation = Object.entries(attributes).find(([key]) => localName(key) === "id" && key !== "id")?.[1] ?? ""
      const target = targets.get(relation)
      const entry = target?.type === "worksheet" ? book.entries.get(target.target) : undefined
      if (entry === undefined) continue
      const notes: string[] = []
      const sheet = attributes["name"] ?? ""
      yield { name: sheet, rows: soundRows(book, entry, sheet, { strings, formats, notes }), notes, isLossy: false }
    }
  } finally {
    book.zip.close()
  }
}

/** What a part refers to, by the id of the relationship. */
async function targetsOf(book: Book, part: string): Promise<Map<string, Target>> {
  const folder = posix.dirname(part)
  const targets = new Map<string, Target>()
  for await (const { name, attributes } of tagsOf(book, posix.join(folder, "_rels", `${posix.basename(part)}.rels`))) {
    const { Id = "", Target = "", Type = "" } = attributes
    const target = Target.startsWith("/") ? Target.slice(1) : posix.join(folder, Target)
    if (localName(name) === "Relationship") targets.set(Id, { target, type: posix.basename(Type) })
  }
  return targets
}

interface Target {
  readonly target: string
  readonly type: string
}

function typed(targets: ReadonlyMap<string, Target>, type: string): string | undefined {
  return [...targets.values()].find((relation) => relation.type === type)?.target
}

/** Texts by their number, as UTF-8 in large pieces: a million texts are no million objects. */
class TextArena {
  readonly #pieces: Buffer[] = []
  #filled = 0
  /** Piece, start and end of each text. */
  #places = new Uint32Array(3 * 1024)
  #count = 0

  add(text: string): void {
    const length = Buffer.byteLength(text)
    let piece = this.#pieces.at(-1)
    if (piece === undefined || this.#filled + length > piece.length) {
      piece = Buffer.allocUnsafeSlow(Math.max(1 << 20, length))
      this.#pieces.push(piece)
      this.#filled = 0
    }
    piece.write(text, this.#filled)
    if (3 * this.#count + 3 > this.#places.length) {
      const longer = new Uint32Array(2 * this.#places.length)
      longer.set(this.#places)
      this.#places = longer
    }
    this.#places.set([this.#pieces.length - 1, this.#filled, this.#filled + length], 3 * this.#count)
    this.#filled += length
    this.#count++
  }

  at(index: number): string {
    if (!(index >= 0 && index < this.#count))
      throw new Error(`a cell has the text number ${index} of the ${this.#count} that the cells share`)
    const [piece = 0, start, end] = this.#places.subarray(3 * index, 3 * index + 3)
    return this.#pieces[piece]?.toString("utf8", start, end) ?? ""
  }
}

async function readSharedStrings(book: Book, entry: yauzl.Entry, strings: TextArena): Promise<void> {
  const text = new RunsOfText()
  try {
    for await (const events of elements(book, entry))
      for (const event of events) {
        text.take(event)
        if (event.end === "si") strings.add(text.flush())
      }
  } catch (error) {
    throw damagedPart(book.path, "the texts of its cells", error)
  }
}

/** The text of a string item: that of its `t` elements, without the phonetic ones. */
class RunsOfText {
  #text = ""
  #isInside = false
  #isPhonetic = false

  take({ tag, text, end }: XmlEvent): void {
    if (text !== undefined) {
      if (this.#isInside && !this.#isPhonetic) this.#text += text
      return
    }
    const name = tag === undefined ? end : localName(tag.name)
    if (name === "t") this.#isInside = tag !== undefined
    else if (name === "rPh") this.#isPhonetic = tag !== undefined
  }

  flush(): string {
    const text = decodeEscapes(this.#text)
    this.#text = ""
    return text
  }
}

/** What the cells of a sheet are read by, and what is to be noted of it. */
interface SheetContext {
  readonly strings: TextArena
  readonly formats: readonly CellFormat[]
  readonly notes: string[]
}

/** So many cells, empty ones between others too, are few enough to be gone through. */
const mostCells = 1 << 25

/** The rows of the sheet; what is wrong in it is a DataError that names the file and the sheet. */
async function* soundRows(
  book: Book,
  entry: yauzl.Entry,
  sheet: string,
  context: SheetContext,
): AsyncGenerator<SheetRow> {
  const name = `the sheet ${JSON.stringify(sheet)}`
  let cells = 0
  try {
    for await (const row of sheetRows(book, entry, context)) {
      cells += row.cells.length
      if (cells > mostCells)
        throw tooLarge(book.path, `more than ${mostCells} cells in ${name}, with the empty ones between others`)
      yield row
    }
  } catch (error) {
    throw damagedPart(book.path, name, error)
  }
}

async function* sheetRows(
  book: Book,
  entry: yauzl.Entry,
  { strings, formats, notes }: SheetContext,
): AsyncGenerator<SheetRow> {
  const inline = new RunsOfText()
  let row = 0
  let cells: (SheetCell | undefined)[] = []
  let column = -1
  let type = "n"
  let format: CellFormat | undefined
  let value = ""
  let isValue = false
  const merged: string[] = []
  let mergedCells = 0
  for await (const events of elements(book, entry)) {
    for (const event of events) {
      const { tag, text, end } = event
      if (text !== undefined) {
        if (isValue) value += text
        else inline.take(event)
      } else if (tag !== undefined) {
        const { attributes } = tag
        switch (localName(tag.name)) {
          case "row":
            row = within("row", attributes["r"] === undefined ? row + 1 : Number(attributes["r"]), excelLimits.rows)
            cells = []
            column = -1
            break
          case "c":
            column = attributes["r"] === undefined ? column + 1 : columnOf(attributes["r"])
            within("column", column + 1, excelLimits.columns)
            type = attributes["t"] ?? "n"
            format = formats[Number(attributes["s"] ?? 0)]
            value = ""
            break
          case "v":
            isValue = true
            break
          case "mergeCell":
            if (++mergedCells <= 5) merged.push(attributes["ref"] ?? "")
            break
          default:
            inline.take(event)
        }
      } else if (end === "v") isValue = false
      else if (end === "c") {
        const cell = cellOf(type, value, inline.flush(), format ?? general, strings)
        if (cell !== undefined) cells[column] = cell
      } else if (end === "row") yield { row, cells }
      else inline.take(event)
    }
  }
  if (merged.length > 0)
    notes.push(
      `merged cells (${merged.join(", ")}${mergedCells > 5 ? ", …" : ""}): what stands in ` +
        "them counts for the first of their rows only",
    )
}

/** The number of a row or column, from 1. */
function within(what: string, number: number, most: number): number {
  if (Number.isInteger(number) && number >= 1 && number <= most) return number
  throw new Error(`a ${what} is number ${number}; a sheet has ${what}s 1 to ${most}`)
}

function cellOf(
  type: string,
  value: string,
  inline: string,
  format: CellFormat,
  strings: TextArena,
): SheetCell | undefined {
  switch (type) {
    case "s":
      return value === "" ? undefined : { text: strings.at(Number(value)), kind: "text" }
    case "inlineStr":
      return inline === "" ? undefined : { text: inline, kind: "text" }
    case "str":
      return value === "" ? undefined : { text: decodeEscapes(value), kind: "text" }
    case "b":
      return { text: value === "1" || value === "true" ? "TRUE" : "FALSE", kind: "boolean" }
    case "e":
      return { text: value, kind: "error" }
    case "d":
      return { text: value, kind: "date" }
    default:
      if (value === "") return undefined
      return { text: value, kind: format.isDate ? "date" : "number", shown: format.show(value) }
  }
}

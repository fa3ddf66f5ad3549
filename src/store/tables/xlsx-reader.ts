import { posix } from "node:path"
import { promisify } from "node:util"
import type { Readable } from "node:stream"
import { SaxesParser, type SaxesTagPlain } from "saxes"
import yauzl from "yauzl"
import { DataError } from "../../core/errors.ts"
import type { Sheet, SheetCell, SheetRow } from "./sheet-rows.ts"
import { builtInCodes, isDateCode, numberFormat, type Shown } from "./shown-number.ts"
import { columnOf, decodeEscapes } from "./xlsx-text.ts"

/**
 * The sheets of an Excel workbook in its order (ECMA-376, transitional and strict; strings shared, inline or rich).
 * Sheets are streamed: held are the distinct texts that they share, once, as UTF-8. Of a formula the value counts that
 * was last computed.
 */
export async function* readWorkbook(path: string): AsyncGenerator<Sheet> {
  const { zip, entries } = await openZip(path)
  const book = { zip, entries }
  try {
    const root = typed(await targetsOf(book, ""), "officeDocument") ?? "xl/workbook.xml"
    if (!entries.has(root))
      throw new DataError(
        `${path} is no Excel workbook: it has no ${root}`,
        [],
        "Save it as an Excel workbook (.xlsx).",
      )
    const targets = await targetsOf(book, root)
    const parts = await tagsOf(book, root)
    const is1904 = parts.some(({ attributes }) => /^(1|true)$/.test(attributes["date1904"] ?? ""))
    const formats = cellFormats(await tagsOf(book, typed(targets, "styles") ?? ""), is1904)
    const strings = new TextArena()
    const shared = entries.get(typed(targets, "sharedStrings") ?? "")
    if (shared !== undefined) await readSharedStrings(zip, shared, strings)
    for (const { name, attributes } of parts) {
      if (localName(name) !== "sheet") continue
      const relation = Object.entries(attributes).find(([key]) => localName(key) === "id" && key !== "id")?.[1] ?? ""
      const target = targets.get(relation)
      const entry = target?.type === "worksheet" ? entries.get(target.target) : undefined
      if (entry === undefined) continue
      const notes: string[] = []
      const rows = sheetRows(zip, entry, strings, formats, notes)
      yield { name: attributes["name"] ?? "", rows, notes, isLossy: false }
    }
  } catch (error) {
    if (error instanceof DataError) throw error
    throw new DataError(
      `${path} cannot be read as an Excel workbook: ${(error as Error).message}`,
      [],
      "Open it in the spreadsheet and save it again.",
    )
  } finally {
    zip.close()
  }
}

interface Book {
  readonly zip: yauzl.ZipFile
  readonly entries: ReadonlyMap<string, yauzl.Entry>
}

/** The tags of a part; none where the book has no such part. */
async function tagsOf({ zip, entries }: Book, name: string): Promise<SaxesTagPlain[]> {
  const tags: SaxesTagPlain[] = []
  const entry = entries.get(name)
  if (entry !== undefined)
    for await (const events of elements(zip, entry)) for (const event of events) if (event.tag) tags.push(event.tag)
  return tags
}

/** What a part refers to, by the id of the relationship. */
async function targetsOf(book: Book, part: string): Promise<Map<string, Target>> {
  const folder = posix.dirname(part)
  const tags = await tagsOf(book, posix.join(folder, "_rels", `${posix.basename(part)}.rels`))
  return new Map(
    tags
      .filter(({ name }) => localName(name) === "Relationship")
      .map(({ attributes: { Id = "", Target = "", Type = "" } }) => [
        Id,
        {
          target: Target.startsWith("/") ? Target.slice(1) : posix.join(folder, Target),
          type: posix.basename(Type),
        },
      ]),
  )
}

interface Target {
  readonly target: string
  readonly type: string
}

function typed(targets: ReadonlyMap<string, Target>, type: string): string | undefined {
  return [...targets.values()].find((relation) => relation.type === type)?.target
}

async function openZip(path: string): Promise<{ zip: yauzl.ZipFile; entries: Map<string, yauzl.Entry> }> {
  try {
    const zip = await promisify<string, yauzl.Options, yauzl.ZipFile>(yauzl.open)(path, {
      lazyEntries: true,
      autoClose: false,
    })
    const entries = new Map<string, yauzl.Entry>()
    await new Promise<void>((resolve, reject) => {
      zip.on("entry", (entry: yauzl.Entry) => {
        entries.set(entry.fileName, entry)
        zip.readEntry()
      })
      zip.on("end", resolve).on("error", reject)
      zip.readEntry()
    })
    return { zip, entries }
  } catch (error) {
    throw new DataError(
      `${path} is damaged: ${(error as Error).message}`,
      [],
      "Take the file once more from where it came, or save it again.",
    )
  }
}

interface XmlEvent {
  /** An element begins; `text` and `end` are absent. */
  readonly tag?: SaxesTagPlain
  readonly text?: string
  /** The local name of an element that ends. */
  readonly end?: string
}

/** What a part of the workbook says, in the pieces in which it is unpacked. */
async function* elements(zip: yauzl.ZipFile, entry: yauzl.Entry): AsyncGenerator<XmlEvent[]> {
  const stream = await promisify<yauzl.Entry, Readable>(zip.openReadStream.bind(zip))(entry)
  const parser = new SaxesParser({ position: false })
  const decoder = new TextDecoder()
  let events: XmlEvent[] = []
  parser.on("opentag", (tag) => events.push({ tag: tag as SaxesTagPlain }))
  parser.on("text", (text) => events.push({ text }))
  parser.on("cdata", (text) => events.push({ text }))
  parser.on("closetag", ({ name }) => events.push({ end: localName(name) }))
  for await (const piece of stream as AsyncIterable<Buffer>) {
    parser.write(decoder.decode(piece, { stream: true }))
    yield events
    events = []
  }
  parser.close()
  yield events
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1)
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
    if (!(index >= 0 && index < this.#count)) return ""
    const [piece = 0, start, end] = this.#places.subarray(3 * index, 3 * index + 3)
    return this.#pieces[piece]?.toString("utf8", start, end) ?? ""
  }
}

async function readSharedStrings(zip: yauzl.ZipFile, entry: yauzl.Entry, strings: TextArena): Promise<void> {
  const text = new RunsOfText()
  for await (const events of elements(zip, entry))
    for (const event of events) {
      text.take(event)
      if (event.end === "si") strings.add(text.flush())
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

async function* sheetRows(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
  strings: TextArena,
  formats: readonly CellFormat[],
  notes: string[],
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
  for await (const events of elements(zip, entry)) {
    for (const event of events) {
      const { tag, text, end } = event
      if (text !== undefined) {
        if (isValue) value += text
        else inline.take(event)
      } else if (tag !== undefined) {
        const { attributes } = tag
        switch (localName(tag.name)) {
          case "row":
            row = attributes["r"] === undefined ? row + 1 : Number(attributes["r"])
            cells = []
            column = -1
            break
          case "c":
            column = attributes["r"] === undefined ? column + 1 : columnOf(attributes["r"])
            type = attributes["t"] ?? "n"
            format = formats[Number(attributes["s"] ?? 0)]
            value = ""
            break
          case "v":
            isValue = true
            break
          case "mergeCell":
            merged.push(attributes["ref"] ?? "")
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
      `merged cells (${merged.slice(0, 5).join(", ")}${merged.length > 5 ? ", …" : ""}): what stands in ` +
        "them counts for the first of their rows only",
    )
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

const general: CellFormat = { isDate: false, show: (value) => numberFormat("General")(value, false) }

/** How the numbers of a style are shown. */
interface CellFormat {
  readonly isDate: boolean
  readonly show: (value: string) => Shown
}

/** The formats of the styles, by their numbers. */
function cellFormats(tags: readonly SaxesTagPlain[], is1904: boolean): readonly CellFormat[] {
  const codes: Record<number, string> = { ...builtInCodes }
  const known = new Map<string, CellFormat>()
  const formats: CellFormat[] = []
  let isCellStyle = false
  for (const { name, attributes } of tags) {
    const local = localName(name)
    if (local === "numFmt") codes[Number(attributes["numFmtId"])] = attributes["formatCode"] ?? ""
    else if (local === "cellXfs") isCellStyle = true
    else if (local === "cellStyles" || local === "dxfs") isCellStyle = false
    else if (local === "xf" && isCellStyle) {
      const code = codes[Number(attributes["numFmtId"] ?? 0)] ?? "General"
      const show = numberFormat(code)
      const format = known.get(code) ?? { isDate: isDateCode(code), show: (value: string) => show(value, is1904) }
      known.set(code, format)
      formats.push(format)
    }
  }
  return formats
}

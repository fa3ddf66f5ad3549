import { promisify } from "node:util"
import type { Readable } from "node:stream"
import { SaxesParser, type SaxesTagPlain } from "saxes"
import yauzl from "yauzl"
import { DataError } from "../../core/errors.ts"

/** A workbook as the zip of parts that it is. */
export interface Book {
  readonly path: string
  readonly zip: yauzl.ZipFile
  readonly entries: ReadonlyMap<string, yauzl.Entry>
}

/** A workbook has few parts; a sheet of a million rows is packed to a twentieth of its size, or less than that. */
const limits = { parts: 10_000, ratio: 200, smallBytes: 1 << 24, indexBytes: 1 << 25 } as const

/** The workbook's parts; a DataError for one that is damaged, or that is much larger than its file. */
export async function openBook(path: string): Promise<Book> {
  let zip: yauzl.ZipFile | undefined
  try {
    zip = await promisify<string, yauzl.Options, yauzl.ZipFile>(yauzl.open)(path, {
      lazyEntries: true,
      autoClose: false,
    })
    if (zip.entryCount > limits.parts) throw tooLarge(path, `${zip.entryCount} parts; at most ${limits.parts} are read`)
    const entries = new Map<string, yauzl.Entry>()
    await new Promise<void>((resolve, reject) => {
      zip?.on("entry", (entry: yauzl.Entry) => {
        entries.set(entry.fileName, entry)
        zip?.readEntry()
      })
      zip?.on("end", resolve).on("error", reject)
      zip?.readEntry()
    })
    for (const entry of entries.values()) requireRatio(path, entry)
    return { path, zip, entries }
  } catch (error) {
    zip?.close()
    throw error instanceof DataError ? error : damaged(path, error as Error)
  }
}

/** What went wrong in a part of the workbook, with the file and what the part is. */
export function damagedPart(path: string, what: string, error: unknown): DataError {
  if (error instanceof DataError) return error
  return new DataError(
    `${path} cannot be read as an Excel workbook: ${what}: ${(error as Error).message}`,
    [],
    "Open it in the spreadsheet and save it again.",
  )
}

export function tooLarge(path: string, what: string): DataError {
  return new DataError(
    `${path} has ${what}`,
    [],
    "Save the sheet alone, without empty rows, columns and styles, or as CSV (UTF-8).",
  )
}

export interface XmlEvent {
  /** An element begins; `text` and `end` are absent. */
  readonly tag?: SaxesTagPlain
  readonly text?: string
  /** The local name of an element that ends. */
  readonly end?: string
}

/** What a part of the workbook says, in the pieces in which it is unpacked. */
export async function* elements({ zip }: Book, entry: yauzl.Entry): AsyncGenerator<XmlEvent[]> {
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

/** The tags of a part that says what is in the others; none where the book has no such part. */
export async function* tagsOf(book: Book, name: string): AsyncGenerator<SaxesTagPlain> {
  const entry = book.entries.get(name)
  if (entry === undefined) return
  if (entry.uncompressedSize > limits.indexBytes)
    throw tooLarge(book.path, `${entry.uncompressedSize} bytes in ${name}; at most ${limits.indexBytes} are read`)
  try {
    for await (const events of elements(book, entry)) for (const { tag } of events) if (tag) yield tag
  } catch (error) {
    throw damagedPart(book.path, name, error)
  }
}

export function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1)
}

/** Unpacking stops at the size that a part says it has: what it says is enough to judge it by. */
function requireRatio(path: string, { fileName, uncompressedSize, compressedSize }: yauzl.Entry): void {
  if (uncompressedSize > limits.smallBytes && uncompressedSize > limits.ratio * compressedSize)
    throw tooLarge(
      path,
      `${uncompressedSize} bytes in ${fileName}, packed into ${compressedSize}: no spreadsheet writes that`,
    )
}

function damaged(path: string, { message }: Error): DataError {
  return new DataError(
    `${path} is damaged: ${message}`,
    [],
    "Take the file once more from where it came, or save it again.",
  )
}

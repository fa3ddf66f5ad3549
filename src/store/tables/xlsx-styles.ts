import { damagedPart, localName, tagsOf, tooLarge, type Book } from "./xlsx-zip.ts"
import { builtInCodes, isDateCode, numberFormat, type Shown } from "./shown-number.ts"

/** How the numbers of a style are shown. */
export interface CellFormat {
  readonly isDate: boolean
  readonly show: (value: string) => Shown
}

/** As many as Excel can have. */
const mostStyles = 65_490
const longestCode = 255

export const general: CellFormat = { isDate: false, show: (value) => numberFormat("General")(value, false) }

/** The formats of the styles, by their numbers. */
export async function cellFormats(book: Book, part: string, is1904: boolean): Promise<readonly CellFormat[]> {
  try {
    return await readFormats(book, part, is1904)
  } catch (error) {
    throw damagedPart(book.path, part, error)
  }
}

async function readFormats(book: Book, part: string, is1904: boolean): Promise<readonly CellFormat[]> {
  const codes: Record<number, string> = { ...builtInCodes }
  const known = new Map<string, CellFormat>()
  const formats: CellFormat[] = []
  let isCellStyle = false
  let count = 0
  for await (const { name, attributes } of tagsOf(book, part)) {
    const local = localName(name)
    if (local === "cellXfs") isCellStyle = true
    else if (local === "cellStyles" || local === "dxfs") isCellStyle = false
    else if (local === "numFmt" || (local === "xf" && isCellStyle)) {
      if (++count > 2 * mostStyles) throw tooLarge(book.path, `more styles than Excel can have (${mostStyles})`)
      const code = attributes["formatCode"] ?? ""
      if (local === "numFmt") codes[Number(attributes["numFmtId"])] = code.length > longestCode ? "General" : code
      else formats.push(formatOf(codes[Number(attributes["numFmtId"] ?? 0)] ?? "General", known, is1904))
    }
  }
  return formats
}

function formatOf(code: string, known: Map<string, CellFormat>, is1904: boolean): CellFormat {
  const before = known.get(code)
  if (before !== undefined) return before
  const show = numberFormat(code)
  const format = { isDate: isDateCode(code), show: (value: string) => show(value, is1904) }
  known.set(code, format)
  return format
}

import { Readable } from "node:stream"
import { ZipFile } from "yazl"
import { UsageError } from "../../core/errors.ts"
import { AtomicWriter } from "../files/atomic-writer.ts"
import {
  contentTypes,
  relationships,
  rootRelationships,
  stylesXml,
  styleOf,
  workbookXml,
  xmlHeader,
} from "./xlsx-parts.ts"
import { encodeAttribute, encodeText, excelLimits, lettersOf } from "./xlsx-text.ts"

type Tint = "good" | "changed" | "bad"

/** A column of a table that people fill in. */
export interface FormColumn {
  /** Stands in a hidden row above the header, so that the column is known whatever people call it. */
  readonly key: string
  readonly title: string
  /** In characters. */
  readonly width: number
  /** `open` is filled in; all others are locked. `quiet` is of no interest to people. */
  readonly look: "open" | "context" | "proposal" | "quiet"
  readonly isHidden?: boolean
  /** What may be chosen; with `isOnlyChoice` nothing else may be typed. */
  readonly choices?: readonly string[]
  readonly isOnlyChoice?: boolean
  /** Colours of cells that hold these words. */
  readonly tints?: Readonly<Record<string, Tint>>
}

/** A line of the sheet that says how to fill in the other one. */
export interface GuideLine {
  readonly look: "title" | "heading" | "text"
  readonly cells: readonly string[]
}

export interface Form {
  readonly name: string
  readonly columns: readonly FormColumn[]
  /** So many columns stay in sight at the left. */
  readonly frozen: number
  readonly rows: Iterable<readonly string[]>
  readonly guideName: string
  readonly guide: readonly GuideLine[]
}

/**
 * The workbook is at its place, whole, or what was there before is: text cells only, the header in sight, choices as
 * lists, all but the open columns locked (without a password). Rows are streamed; the same form gives the same bytes.
 * Returns how many rows it has.
 */
export async function writeWorkbook(path: string, form: Form): Promise<number> {
  const zip = new ZipFile()
  const options = {
    mtime: new Date(Date.UTC(1980, 0, 1)),
    mode: 0o100644,
    forceDosTimestamp: true,
    compressionLevel: 4,
  }
  const add = (name: string, text: string) => zip.addBuffer(Buffer.from(text), name, options)
  const written = { rows: 0 }
  add("[Content_Types].xml", contentTypes)
  add("_rels/.rels", rootRelationships)
  add("xl/_rels/workbook.xml.rels", relationships)
  add("xl/styles.xml", stylesXml)
  zip.addReadStream(Readable.from(pieces(formXml(form, written))), "xl/worksheets/sheet1.xml", options)
  add("xl/worksheets/sheet2.xml", guideXml(form.guide))
  add("xl/worksheets/sheet3.xml", listsXml(form))
  // The number of rows is known when it is this part's turn.
  zip.addReadStreamLazy("xl/workbook.xml", options, (give) =>
    give(
      null,
      Readable.from([
        Buffer.from(
          workbookXml(form.name, form.guideName, `$A$2:$${lettersOf(form.columns.length - 1)}$${written.rows + 2}`),
        ),
      ]),
    ),
  )
  zip.end()
  const writer = new AtomicWriter(path)
  try {
    await new Promise<void>((resolve, reject) => {
      zip.on("error", reject)
      zip.outputStream.on("error", reject).on("end", resolve)
      zip.outputStream.on("data", (piece: Buffer) => {
        try {
          writer.write(piece)
        } catch (error) {
          reject(error as Error)
        }
      })
    })
    writer.commit()
    return written.rows
  } catch (error) {
    writer.abandon()
    throw error
  }
}

/** The texts joined to pieces of some size, so that neither compression nor writing works on single rows. */
function* pieces(texts: Iterable<string>): Generator<Buffer> {
  let joined = ""
  for (const text of texts) {
    joined += text
    if (joined.length < 1 << 17) continue
    yield Buffer.from(joined)
    joined = ""
  }
  yield Buffer.from(joined)
}

const worksheet = `${xmlHeader}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">`

/** The sheet of a form, piece by piece; `written` counts its rows while they come. */
function* formXml(
  { columns, rows, frozen, guideName: _, ...form }: Form,
  written: { rows: number },
): Generator<string> {
  const letters = columns.map((_column, index) => lettersOf(index))
  yield `${worksheet}<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>`
  yield viewXml(lettersOf(frozen), frozen)
  yield `<cols>${columns.map(columnXml).join("")}</cols><sheetData>`
  yield* rowsXml(columns, rows, letters, written)
  const last = Math.max(3, written.rows + 2)
  const place = (index: number) => `${letters[index]}3:${letters[index]}${last}`
  yield `</sheetData><sheetProtection sheet="1" formatColumns="0" formatRows="0" insertRows="0" sort="0" ` +
    `autoFilter="0"/>`
  yield `<autoFilter ref="A2:${letters.at(-1)}${last}"/>`
  yield tintsXml(columns, place)
  yield choicesXml(columns, place)
  yield `<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.5" header="0.3" footer="0.3"/><pageSetup ` +
    `orientation="landscape" fitToWidth="1" ` +
    `fitToHeight="0"/><headerFooter><oddFooter>&amp;L${encodeText(form.name)}&amp;R&amp;P / ` +
    "&amp;N</oddFooter></headerFooter></worksheet>"
}

/** Two rows and some columns stay in view. */
function viewXml(letter: string, frozen: number): string {
  return (
    `<sheetViews><sheetView tabSelected="1" workbookViewId="0" showGridLines="0"><pane xSplit="${frozen}" ` +
    `ySplit="2" topLeftCell="${letter}3" activePane="bottomRight" state="frozen"/><selection ` +
    `pane="bottomRight" activeCell="${letter}3" ` +
    `sqref="${letter}3"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>`
  )
}

function columnXml({ width, isHidden }: FormColumn, index: number): string {
  const hidden = isHidden === true ? ' hidden="1"' : ""
  return `<col min="${index + 1}" max="${index + 1}" width="${width}" customWidth="1"${hidden}/>`
}

/** The hidden row of keys, the header, and the rows. */
function* rowsXml(
  columns: readonly FormColumn[],
  rows: Form["rows"],
  letters: readonly string[],
  written: { rows: number },
): Generator<string> {
  const keys = columns.map(({ key }) => key)
  const titles = columns.map(({ title }) => title)
  const quiet = columns.map(() => styleOf.quiet)
  const headers = columns.map(({ look }) => (look === "open" ? styleOf.openHeader : styleOf.header))
  yield rowXml(1, keys, letters, quiet, ' hidden="1"')
  yield rowXml(2, titles, letters, headers, ' ht="32" customHeight="1"')
  const styles = columns.map(({ look }) => styleOf[look])
  const widths = columns.map(({ width, look, isHidden }) => (look === "quiet" || isHidden === true ? Infinity : width))
  for (const cells of rows) {
    if (++written.rows + 2 > excelLimits.rows)
      throw new UsageError(
        `more rows than a sheet of Excel holds (${excelLimits.rows})`,
        "Export fewer with --limit, or export CSV.",
      )
    yield rowXml(written.rows + 2, cells, letters, styles, ` ht="${15 * linesOf(cells, widths)}" customHeight="1"`)
  }
}

/** Cells that say one of some words have its colour. */
function tintsXml(columns: readonly FormColumn[], place: (index: number) => string): string {
  let priority = 0
  const rule = ([word, tint]: [string, Tint]) =>
    `<cfRule type="cellIs" dxfId="${{ good: 0, changed: 1, bad: 2 }[tint]}" priority="${++priority}" ` +
    `operator="equal"><formula>"${encodeText(word)}"</formula></cfRule>`
  return columns
    .map(({ tints = {} }, index) => {
      const rules = Object.entries(tints).map(rule).join("")
      return rules === "" ? "" : `<conditionalFormatting sqref="${place(index)}">${rules}</conditionalFormatting>`
    })
    .join("")
}

/** Cells that are chosen from a list have it. */
function choicesXml(columns: readonly FormColumn[], place: (index: number) => string): string {
  const lists = columns.flatMap((column, index) => (column.choices === undefined ? [] : [{ column, index }]))
  if (lists.length === 0) return ""
  const validations = lists.map(({ column, index }, list) => {
    const style = column.isOnlyChoice === true ? "stop" : "warning"
    const letter = lettersOf(list)
    return (
      `<dataValidation type="list" allowBlank="1" showErrorMessage="1" errorStyle="${style}" ` +
      `errorTitle="${encodeAttribute(column.title)}" error="${encodeAttribute(`Choose one from the list.`)}" ` +
      `sqref="${place(index)}"><formula1>Lists!$${letter}$1:$${letter}$${column.choices?.length ?? 1}</formula1>` +
      "</dataValidation>"
    )
  })
  return `<dataValidations count="${lists.length}">${validations.join("")}</dataValidations>`
}

function rowXml(
  row: number,
  cells: readonly string[],
  letters: readonly string[],
  styles: readonly number[],
  attributes: string,
): string {
  let xml = `<row r="${row}"${attributes}>`
  for (let column = 0; column < letters.length; column++) {
    const text = cells[column] ?? ""
    xml +=
      text === ""
        ? `<c r="${letters[column]}${row}" s="${styles[column]}"/>`
        : `<c r="${letters[column]}${row}" s="${styles[column]}" t="inlineStr"><is><t ` +
          `xml:space="preserve">${encodeText(text)}</t></is></c>`
  }
  return `${xml}</row>`
}

const mostLines = 20

/** How many lines the row needs, roughly: spreadsheets do not measure rows that they open, or take long to. */
function linesOf(cells: readonly string[], widths: readonly number[]): number {
  let most = 1
  for (const [index, text] of cells.entries()) {
    const width = widths[index] ?? Infinity
    if (width === Infinity || (text.length < 0.5 * width && !text.includes("\n"))) continue
    let lines = 0
    for (const paragraph of text.split("\n", mostLines)) {
      let columns = 0
      for (let at = 0; at < paragraph.length && columns < mostLines * width; at++)
        columns += paragraph.charCodeAt(at) > 0x2e7f ? 2 : 1
      lines += Math.max(1, Math.ceil(columns / (1.05 * width)))
    }
    most = Math.max(most, Math.min(mostLines, lines))
  }
  return most
}

function guideXml(lines: readonly GuideLine[]): string {
  const styles = { title: styleOf.guideTitle, heading: styleOf.guideHeading, text: styleOf.guideText }
  const rows = lines.map(({ look, cells }, index) => {
    const height = look === "title" ? 26 : 15 * linesOf(cells, [28, 110])
    return rowXml(
      index + 1,
      cells,
      cells.map((_cell, column) => lettersOf(column)),
      cells.map((_cell, column) =>
        look === "text" && column === 0 && cells.length > 1 ? styleOf.guideName : styles[look],
      ),
      ` ht="${height}" customHeight="1"`,
    )
  })
  return (
    `${worksheet}<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView workbookViewId="0" ` +
    `showGridLines="0"/></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols><col min="1" max="1" ` +
    `width="28" customWidth="1"/><col min="2" max="2" width="110" ` +
    `customWidth="1"/></cols><sheetData>${rows.join("")}</sheetData><sheetProtection sheet="1" ` +
    `formatColumns="0" formatRows="0"/><pageSetup orientation="landscape" fitToWidth="1" ` +
    `fitToHeight="0"/></worksheet>`
  )
}

/**
 * A column for each list of choices, in a hidden sheet: a list in the validation itself ends at 255 characters, and at
 * a comma.
 */
function listsXml({ columns }: Form): string {
  const lists = columns.flatMap(({ choices }) => (choices === undefined ? [] : [choices]))
  const letters = lists.map((_list, index) => lettersOf(index))
  const rows = Array.from({ length: Math.max(0, ...lists.map(({ length }) => length)) }, (_, row) =>
    rowXml(
      row + 1,
      lists.map((list) => list[row] ?? ""),
      letters,
      lists.map(() => styleOf.context),
      "",
    ),
  )
  return `${worksheet}<sheetData>${rows.join("")}</sheetData></worksheet>`
}

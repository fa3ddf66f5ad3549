import { createWriteStream, mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { finished } from "node:stream/promises"
import yazl from "yazl"

/** A cell of a made workbook: a text, a number with the code of its format, or XML of its own. */
export type MadeCell = string | { readonly value: number | string; readonly code: string } | { readonly xml: string }

const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")

/** Writes a workbook of the sheets as Excel does, and returns its path. */
export async function workbook(sheets: Readonly<Record<string, readonly (readonly MadeCell[])[]>>): Promise<string> {
  const codes = [
    ...new Set(
      Object.values(sheets).flatMap((rows) => rows.flat().flatMap((cell) => (isNumber(cell) ? [cell.code] : []))),
    ),
  ]
  const names = Object.keys(sheets)
  const zip = new yazl.ZipFile()
  const add = (name: string, xml: string) => zip.addBuffer(Buffer.from(`<?xml version="1.0"?>${xml}`), name)
  const rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
  const relationships = (all: readonly (readonly [type: string, target: string])[]) =>
    `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${all
      .map(([type, target], n) => `<Relationship Id="rId${n + 1}" Type="${rel}/${type}" Target="${target}"/>`)
      .join("")}</Relationships>`
  add("_rels/.rels", relationships([["officeDocument", "xl/workbook.xml"]]))
  const named = names.map((name, n) => `<sheet name="${escaped(name)}" sheetId="${n + 1}" r:id="rId${n + 1}"/>`)
  add("xl/workbook.xml", `<workbook ${main} xmlns:r="${rel}"><sheets>${named.join("")}</sheets></workbook>`)
  const targets = names.map((_, n) => ["worksheet", `worksheets/sheet${n + 1}.xml`] as const)
  add("xl/_rels/workbook.xml.rels", relationships([...targets, ["styles", "styles.xml"]]))
  const formats = codes.map((code, n) => `<numFmt numFmtId="${200 + n}" formatCode="${escaped(code)}"/>`).join("")
  const styles = codes.map((_, n) => `<xf numFmtId="${200 + n}"/>`).join("")
  add(
    "xl/styles.xml",
    `<styleSheet ${main}><numFmts>${formats}</numFmts><cellXfs><xf numFmtId="0"/>${styles}</cellXfs></styleSheet>`,
  )
  const rowXml = (cells: readonly MadeCell[]) => `<row>${cells.map((cell) => xmlOf(cell, codes)).join("")}</row>`
  for (const [n, rows] of Object.values(sheets).entries()) {
    const data = rows.map(rowXml).join("")
    add(`xl/worksheets/sheet${n + 1}.xml`, `<worksheet ${main}><sheetData>${data}</sheetData></worksheet>`)
  }
  const path = join(mkdtempSync(join(tmpdir(), "tuneloop-workbook-")), "gold.xlsx")
  zip.end()
  await finished(zip.outputStream.pipe(createWriteStream(path)))
  return path
}

function isNumber(cell: MadeCell): cell is Exclude<MadeCell, string | { readonly xml: string }> {
  return typeof cell === "object" && "code" in cell
}

function xmlOf(cell: MadeCell, codes: readonly string[]): string {
  if (typeof cell === "string") return cell === "" ? "<c/>" : `<c t="inlineStr"><is><t>${escaped(cell)}</t></is></c>`
  return isNumber(cell) ? `<c s="${codes.indexOf(cell.code) + 1}"><v>${cell.value}</v></c>` : cell.xml
}

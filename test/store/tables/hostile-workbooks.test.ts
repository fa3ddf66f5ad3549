import { createWriteStream, mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { finished } from "node:stream/promises"
import { expect, it } from "vitest"
import yazl from "yazl"
import { readAnyTable } from "../../../src/store/tables/table.ts"
import { workbook } from "./workbooks.ts"

const rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
const head = '<row><c t="inlineStr"><is><t>body</t></is></c></row>'
const sheetOf = (rows: string) => `<worksheet><sheetData>${rows}</sheetData></worksheet>`

/** A workbook of one sheet, Gold, with the XML that is given for its parts. */
async function madeOf(parts: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const zip = new yazl.ZipFile()
  const all: Readonly<Record<string, string | Buffer>> = {
    "xl/workbook.xml": `<workbook xmlns:r="${rel}"><sheets><sheet name="Gold" r:id="r1"/></sheets></workbook>`,
    "xl/_rels/workbook.xml.rels":
      `<Relationships><Relationship Id="r1" Type="${rel}/worksheet" Target="worksheets/sheet1.xml"/>` +
      `<Relationship Id="r2" Type="${rel}/styles" Target="styles.xml"/>` +
      `<Relationship Id="r3" Type="${rel}/sharedStrings" Target="sharedStrings.xml"/></Relationships>`,
    ...parts,
  }
  for (const [name, content] of Object.entries(all)) zip.addBuffer(Buffer.from(content), name)
  const path = join(mkdtempSync(join(tmpdir(), "tuneloop-workbook-")), "gold.xlsx")
  zip.end()
  await finished(zip.outputStream.pipe(createWriteStream(path)))
  return path
}

const read = (path: string) => readAnyTable(path, { columns: ["body"] })
const sheet1 = "xl/worksheets/sheet1.xml"

it.each([
  ["XML that is cut short", { [sheet1]: sheetOf(head).slice(0, -20) }, /the sheet "Gold": unclosed tag/],
  [
    "a column that no sheet has",
    { [sheet1]: sheetOf(`${head}<row><c r="ZZZZZZ1"><v>1</v></c></row>`) },
    /"Gold".*16384/,
  ],
  ["a row that no sheet has", { [sheet1]: sheetOf(`${head}<row r="1e9"><c><v>1</v></c></row>`) }, /"Gold".*1048576/],
  ["a row that is no number", { [sheet1]: sheetOf(`${head}<row r="x"/>`) }, /"Gold".*row is number NaN/],
  [
    "a text that its cells do not share",
    { "xl/sharedStrings.xml": "<sst><si><t>one</t></si></sst>", [sheet1]: sheetOf('<row><c t="s"><v>7</v></c></row>') },
    /"Gold".*text number 7 of the 1/,
  ],
  [
    "shared texts that are no XML",
    { "xl/sharedStrings.xml": "<sst><si>", [sheet1]: sheetOf(head) },
    /texts of its cells/,
  ],
  ["styles that are no XML", { "xl/styles.xml": "<a", [sheet1]: sheetOf(head) }, /styles\.xml/],
  [
    "more styles than Excel has",
    { "xl/styles.xml": `<s><cellXfs>${'<xf numFmtId="1"/>'.repeat(140_000)}</cellXfs></s>`, [sheet1]: sheetOf(head) },
    /more styles than Excel can have/,
  ],
  [
    "rows of nothing but their last column",
    { [sheet1]: sheetOf(head + '<row><c r="XFD1"><v>1</v></c></row>'.repeat(2100)) },
    /more than \d+ cells in the sheet "Gold"/,
  ],
  [
    "a part that is packed as no spreadsheet packs it",
    { [sheet1]: sheetOf(head + Buffer.alloc(40 << 20, " ").toString()) },
    /41943\d+ bytes in xl\/worksheets\/sheet1\.xml, packed into/,
  ],
])("a workbook with %s is refused with its file and place", async (_name, parts, message) => {
  const path = await madeOf(parts)
  const error = await read(path).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  expect(error?.message).toMatch(message)
  expect(error?.message).toContain(path)
  expect(error?.name).toBe("DataError")
})

it("the last cell that a sheet can have is read", async () => {
  const path = await workbook({ Gold: [["body"], ["a"], [{ xml: '<c r="XFD3" t="str"><v>far</v></c>' }]] })
  const { rows } = await read(path)
  expect(rows.map(({ fields }) => fields["body"])).toEqual(["a", ""])
})

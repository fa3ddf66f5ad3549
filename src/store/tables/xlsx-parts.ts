import { encodeAttribute, encodeText } from "./xlsx-text.ts"

export const xmlHeader = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
const officeRelations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
const packageRelations = "http://schemas.openxmlformats.org/package/2006/relationships"

export const contentTypes =
  `${xmlHeader}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default ` +
  `Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default ` +
  `Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ` +
  `ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>${[1, 2, 3].map((sheet) => `<Override PartName="/xl/worksheets/sheet${sheet}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`).join("")}<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>`

export const rootRelationships =
  `${xmlHeader}<Relationships xmlns="${packageRelations}"><Relationship Id="rId1" ` +
  `Type="${officeRelations}/officeDocument" Target="xl/workbook.xml"/></Relationships>`

export const relationships =
  `${xmlHeader}<Relationships ` +
  `xmlns="${packageRelations}">${[1, 2, 3].map((sheet) => `<Relationship Id="rId${sheet}" Type="${officeRelations}/worksheet" Target="worksheets/sheet${sheet}.xml"/>`).join("")}<Relationship Id="rId4" Type="${officeRelations}/styles" Target="styles.xml"/></Relationships>`

/** The workbook's own part; `filtered` is the place of the table with its header. */
export function workbookXml(name: string, guideName: string, filtered: string): string {
  const quoted = encodeText(`'${name.replaceAll("'", "''")}'`)
  return (
    `${xmlHeader}<workbook xmlns="${main}" xmlns:r="${officeRelations}"><bookViews><workbookView ` +
    `activeTab="0"/></bookViews><sheets><sheet name="${encodeAttribute(name)}" sheetId="1" ` +
    `r:id="rId1"/><sheet name="${encodeAttribute(guideName)}" sheetId="2" r:id="rId2"/><sheet name="Lists" ` +
    `sheetId="3" state="hidden" r:id="rId3"/></sheets><definedNames><definedName ` +
    `name="_xlnm._FilterDatabase" localSheetId="0" ` +
    `hidden="1">${quoted}!${filtered}</definedName><definedName name="_xlnm.Print_Titles" ` +
    `localSheetId="0">${quoted}!$2:$2</definedName></definedNames></workbook>`
  )
}

/** The number of each style, in the order of `cellXfs` below. */
export const styleOf = {
  plain: 0,
  header: 1,
  openHeader: 2,
  context: 3,
  open: 4,
  quiet: 5,
  proposal: 6,
  guideTitle: 7,
  guideHeading: 8,
  guideText: 9,
  guideName: 10,
} as const

const fonts = [
  '<sz val="11"/><name val="Calibri"/>',
  '<b/><sz val="11"/><color rgb="FFFFFFFF"/><name val="Calibri"/>',
  '<b/><sz val="11"/><color rgb="FF3D2F00"/><name val="Calibri"/>',
  '<sz val="8"/><color rgb="FF8A8A8A"/><name val="Calibri"/>',
  '<b/><sz val="11"/><name val="Calibri"/>',
  '<b/><sz val="16"/><name val="Calibri"/>',
  '<b/><sz val="13"/><name val="Calibri"/>',
]
const fills = ["FF33475B", "FFF2C94C", "FFFFFBEA"]
const side = (name: string) => `<${name} style="thin"><color rgb="FFD9D9D9"/></${name}>`

// Number format 49 is text: what is typed stays what was typed.
const look = (font: number, fill: number, border: number, alignment: string, protection = "") =>
  `<xf numFmtId="49" fontId="${font}" fillId="${fill}" borderId="${border}" xfId="0" ` +
  `applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1" ` +
  `applyProtection="1"><alignment ${alignment}/>${protection}</xf>`
const top = 'vertical="top" wrapText="1"'

export const stylesXml = `${xmlHeader}<styleSheet xmlns="${main}"><fonts count="${fonts.length}">${fonts.map((font) => `<font>${font}</font>`).join("")}</fonts><fills count="${fills.length + 2}"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>${fills.map((colour) => `<fill><patternFill patternType="solid"><fgColor rgb="${colour}"/><bgColor indexed="64"/></patternFill></fill>`).join("")}</fills><borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border><border>${side("left")}${side("right")}${side("top")}${side("bottom")}<diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="11"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>${[
  look(1, 2, 1, 'vertical="center" wrapText="1"'),
  look(2, 3, 1, 'vertical="center" wrapText="1"'),
  look(0, 0, 1, top),
  look(0, 4, 1, top, '<protection locked="0"/>'),
  look(3, 0, 1, 'vertical="top"'),
  look(4, 0, 1, top),
  look(5, 0, 0, 'vertical="center"'),
  look(6, 0, 0, 'vertical="center"'),
  look(0, 0, 0, top),
  look(4, 0, 0, top),
].join(
  "",
)}</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles><dxfs count="3">${["FFD5F0DA", "FFFFE3B3", "FFF8D0CD"].map((colour) => `<dxf><fill><patternFill patternType="solid"><fgColor rgb="${colour}"/><bgColor rgb="${colour}"/></patternFill></fill></dxf>`).join("")}</dxfs></styleSheet>`

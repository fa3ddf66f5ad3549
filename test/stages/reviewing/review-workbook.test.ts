import { readFileSync, writeFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { fillIn, ReviewWorkspace, sheetPart, unzipped, zipTo } from "./review-workspace.ts"
import { failure, filled, grown, ids, labelTask } from "./saved-sheets.ts"

describe("a workbook", () => {
  const change = async (file: string, work: (xml: string) => string) => {
    const parts = await unzipped(file)
    parts.set(sheetPart, Buffer.from(work(parts.get(sheetPart)?.toString() ?? "")))
    await zipTo(file, parts)
  }
  /** The row of an item, and the reference of its cell in a column. */
  const rowOf = (xml: string, id = "") =>
    Number(/r="A(\d+)"/.exec(xml.slice(xml.lastIndexOf("<row", xml.indexOf(id))))?.[1])
  const put = (xml: string, cell: string, written: string) =>
    xml.replace(new RegExp(`<c r="${cell}" s="(\\d+)"(?:/>|[^>]*>.*?</c>)`), (_, style: string) =>
      written.replace("STYLE", style),
    )

  it("has the decisions as a list, all other columns locked, the header in sight, and the guideline beside it", async () => {
    const { file } = await filled("review.xlsx")
    const xml = (await unzipped(file)).get(sheetPart)?.toString() ?? ""
    expect(xml).toContain('state="frozen"')
    expect(xml).toMatch(/<sheetProtection sheet="1"/)
    expect(xml).toMatch(/<dataValidation type="list"[^>]*errorStyle="stop"/)
    expect(await review(file)).toMatchObject({ added: 2 })
    async function review(of: string) {
      return new ReviewWorkspace(labelTask, grown).imported(of)
    }
  })

  it("without its hidden row is read by the titles", async () => {
    const { review, file } = await filled("review.xlsx")
    await change(file, (xml) => xml.replace(/<row r="1".*?<\/row>/, ""))
    expect(await review.imported(file)).toMatchObject({ added: 2, differences: [] })
  })

  it("with renamed titles is read by its hidden row", async () => {
    const { review, file } = await filled("review.xlsx")
    await change(file, (xml) => xml.replace(">Decision<", ">Was tun?<").replace(">Corrected output<", ">Besser<"))
    expect(await review.imported(file)).toMatchObject({ added: 2, notes: [] })
  })

  it(
    "with numbers and dates where texts were exported tells it; in a decision column a date or an error is " +
      "refused",
    async () => {
      const { review, file } = await filled("review.xlsx")
      const original = readFileSync(file)
      await change(file, (xml) =>
        put(xml, `C${rowOf(xml, ids[2])}`, '<c r="C5" s="STYLE"><v>12</v></c>'.replace("C5", `C${rowOf(xml, ids[2])}`)),
      )
      expect(await review.imported(file, { dryRun: true })).toMatchObject({
        added: 2,
        differences: [{ item: ids[2], column: "input.body", found: "12" }],
      })
      for (const [written, said] of [
        ['t="e"><v>#NAME?</v></c>', "has an error there"],
        ['t="d"><v>2026-02-01</v></c>', "made a date of it"],
      ]) {
        writeFileSync(file, original)
        await change(file, (xml) =>
          put(xml, `E${rowOf(xml, ids[1])}`, `<c r="E${rowOf(xml, ids[1])}" s="STYLE" ${written}`),
        )
        expect((await failure(review.imported(file))).issues[0]).toMatchObject({
          path: "corrected_output",
          message: expect.stringContaining(said as string),
        })
      }
    },
  )

  it("with merged cells counts the first of their rows and says so", async () => {
    const { review, file } = await filled("review.xlsx")
    await change(file, (xml) =>
      xml.replace("<autoFilter", '<mergeCells count="1"><mergeCell ref="B3:B4"/></mergeCells><autoFilter'),
    )
    expect((await review.imported(file)).notes.join()).toContain("B3:B4")
  })

  it("that is none, or of another format, is refused with what to do", async () => {
    const review = new ReviewWorkspace(labelTask, grown)
    for (const [bytes, said] of [
      [Buffer.from("d0cf11e0a1b11ae1", "hex"), "old Excel file"],
      [Buffer.from("PK\u0003\u0004 nothing"), "damaged"],
      [Buffer.from("hello"), "cannot read"],
    ] as const) {
      writeFileSync(review.path("x.xlsx"), bytes)
      expect((await failure(review.imported(review.path("x.xlsx")))).message).toContain(said)
    }
  })

  it("cut off at 32,767 characters is not taken for an edit", async () => {
    const review = new ReviewWorkspace({ kind: "text", input: { body: {} }, output: { maxLength: 100_000 } }, [
      { input: { body: "x" }, output: "y" },
    ])
    const file = await review.exported("review.xlsx")
    await fillIn(file, () => ({ decision: "edit", corrected_output: "z".repeat(32_767) }))
    expect((await failure(review.imported(file))).issues).toMatchObject([
      { path: "corrected_output", message: expect.stringContaining("may be cut off") },
    ])
  })
})

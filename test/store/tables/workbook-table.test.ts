import { expect, test } from "vitest"
import { readAnyTable } from "../../../src/store/tables/table.ts"
import { workbook } from "./workbooks.ts"

const number = (value: number | string, code = "General") => ({ value, code })
const columns = ["body", "label", "output"]

test("cells of a workbook are as the spreadsheet shows them, with the numbers beside", async () => {
  const file = await workbook({
    Gold: [
      ["body", "code", "share", "day", "flag"],
      ["a", number(12, "00000"), number(0.5, "0%"), number(46356, "dd.mm.yyyy"), { xml: '<c t="b"><v>1</v></c>' }],
      ["b", number(7), number(0.25), "", ""],
    ],
  })
  const { rows, issues, notes, format } = await readAnyTable(file, { columns })
  expect([issues, notes, format]).toEqual([[], [], "csv"])
  expect(rows).toEqual([
    {
      line: 2,
      fields: { body: "a", code: "00012", share: "50%", day: "30.11.2026", flag: "true" },
      values: { code: "12", share: "0.5", day: "2026-11-30" },
    },
    { line: 3, fields: { body: "b", code: "7", share: "0.25", day: "", flag: "" } },
  ])
})

test("what the file does not say how to show is noted, and an error of a formula is an issue", async () => {
  const file = await workbook({
    Gold: [
      ["body", "day", "big"],
      ["a", number(46356, "d-mmm-yy"), number("7.40245381351497E+17")],
      ["b", number(46357, "d-mmm-yy"), { xml: '<c t="e"><v>#REF!</v></c>' }],
    ],
  })
  const { rows, issues, notes } = await readAnyTable(file, { columns })
  expect(rows.map(({ fields: { day } }) => day)).toEqual(["2026-11-30"])
  expect(issues).toMatchObject([{ line: 3, path: "big", message: expect.stringContaining("#REF!") }])
  expect(notes?.join("\n")).toMatch(/day \(row 2: 2026-11-30\) and 1 more: .*country/)
  expect(notes?.join("\n")).toMatch(/big \(row 2: 740245381351497000\): .*15 digits/)
})

test("the header is found below titles, and without names that are known as the first full row", async () => {
  const rows = [["Gold examples of June"], [], ["", "body", "label"], ["", "a", "x"]]
  expect((await readAnyTable(await workbook({ S: rows }), { columns })).rows).toEqual([
    { line: 4, fields: { body: "a", label: "x" } },
  ])
  const others = [["My title"], ["one", "two", "three"], ["1", "2", "3"]]
  expect((await readAnyTable(await workbook({ S: others }), { columns })).rows).toEqual([
    { line: 3, fields: { one: "1", two: "2", three: "3" } },
  ])
})

test("the sheet is the named one, or the only one with rows", async () => {
  const gold = [
    ["body", "label"],
    ["a", "x"],
  ]
  const guide = [["How to fill this in"], ["Choose a label"]]
  const read = async (sheets: Record<string, string[][]>, sheet?: string) =>
    (await readAnyTable(await workbook(sheets), { columns, sheet })).rows.map(({ fields }) => fields)
  expect(await read({ Guide: guide, Gold: gold, Empty: [["body"]] })).toEqual([{ body: "a", label: "x" }])
  expect(await read({ A: gold, B: [["body"], ["b"]] }, "B")).toEqual([{ body: "b" }])
  await expect(read({ A: gold, B: gold })).rejects.toMatchObject({
    message: expect.stringContaining('"A", "B"'),
    hint: expect.stringContaining("--sheet"),
  })
  await expect(read({ A: gold }, "C")).rejects.toThrow('no sheet "C"; its sheets are: "A"')
  await expect(read({ A: [["body", "label"]] })).rejects.toThrow("no rows below a header")
  await expect(
    read({
      A: [
        ["body", "body"],
        ["a", "b"],
      ],
    }),
  ).rejects.toThrow('the column "body" twice')
  await expect(readAnyTable("/tmp/none.csv", { sheet: "A" })).rejects.toThrow("has no sheets")
})

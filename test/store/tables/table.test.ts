import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { stringify } from "csv-stringify/sync"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { DataError } from "../../../src/core/errors.ts"
import { readTable } from "../../../src/store/tables/table.ts"
import type { TableRow } from "../../../src/store/tables/table-rows.ts"

const folder = mkdtempSync(join(tmpdir(), "tuneloop-table-"))
const read = (text: string | Buffer, name = "a.csv") => {
  const file = join(folder, name)
  writeFileSync(file, text)
  return readTable(file)
}
const fields = (rows: readonly TableRow[]) => rows.map((row) => row.fields)

describe("a CSV from a spreadsheet", () => {
  it.each([
    ["commas", "a,b\n1,2\n"],
    ["semicolons", "a;b\n1;2\n"],
    ["tabs", "a\tb\n1\t2\n"],
    ["a byte order mark", "\ufeffa,b\n1,2\n"],
    ["Windows line ends", "a,b\r\n1,2\r\n"],
    ["old Macintosh line ends", "a,b\r1,2\r"],
    ["no line end at its end", "a,b\n1,2"],
    ["empty lines", "a,b\n\n1,2\n\n"],
    ["quotes around everything", '"a","b"\n"1","2"\n'],
    ["spaces around the names of columns", " a , b \n1,2\n"],
    ["a sep= line", "sep=;\na;b\n1;2\n"],
    ["a sep= line and a byte order mark", "\ufeffsep=;\r\na;b\r\n1;2\r\n"],
    ["a separator that only the sep= line tells", "sep=|\na|b\n1|2\n"],
    ["empty columns at its right", "a,b,,\n1,2,,\n"],
  ])("with %s has the same row", (_name, text) => {
    expect(read(text)).toMatchObject({ issues: [], rows: [{ fields: { a: "1", b: "2" } }] })
  })

  it("is split at the delimiter of its header, not at one in a quoted name or a cell", () => {
    expect(fields(read('"a, b, c";d\n1,5;2\n').rows)).toEqual([{ "a, b, c": "1,5", d: "2" }])
  })

  it("that lacks a cell has an empty one; with one too many the row is named", () => {
    expect(fields(read("a,b\n1\n").rows)).toEqual([{ a: "1", b: "" }])
    const { rows, issues } = read("a,b\n1,2\n3,4,5\n6,7\n")
    expect(issues).toMatchObject([{ line: 3, message: expect.stringContaining("3 cells") }])
    expect(fields(rows)).toHaveLength(2)
  })

  it("names each row by the line on which it begins, whatever stands in the cells", () => {
    const cell = fc
      .array(fc.constantFrom("x", "é", ",", ";", '"', "\n", "\r\n", " ", "="), { maxLength: 6 })
      .map((parts) => parts.join(""))
      .filter((text) => text.trim() !== "")
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell), { maxLength: 5 }),
        fc.constantFrom("\n", "\r\n"),
        fc.constantFrom(",", ";", "\t"),
        (cells, end, delimiter) => {
          const text = stringify([["a", "b"], ...cells], { record_delimiter: end, delimiter, quoted: true })
          const { rows, issues } = read(text)
          expect(issues).toEqual([])
          expect(fields(rows)).toEqual(cells.map(([a, b]) => ({ a, b })))
          let line = 2
          for (const [index, row] of cells.entries()) {
            expect(rows[index]?.line).toBe(line)
            line += 1 + (row.join("").match(/\n/g)?.length ?? 0)
          }
        },
      ),
    )
  })

  it("with an open quote is refused with its line", () => {
    const error = failure(() => read('a,b\n1,2\n"3,4\n5,6\n'))
    expect(error.issues[0]).toMatchObject({ file: join(folder, "a.csv"), line: expect.any(Number) })
    expect(error.hint).toContain("quotes")
  })

  it("that is not UTF-8 is refused with the line of the first wrong byte", () => {
    const error = failure(() =>
      read(Buffer.concat([Buffer.from("a,b\n1,2\nna"), Buffer.from([0xef]), Buffer.from("ve,4\n")])),
    )
    expect(error.issues).toMatchObject([{ line: 3 }])
  })
})

describe("JSON", () => {
  it("one object a line: broken lines are named, the others are read", () => {
    const { rows, issues } = read('\ufeff{"a":1}\r\n\n[2]\n{"a":\n{"a":3}', "a.jsonl")
    expect(rows).toEqual([
      { line: 1, fields: { a: 1 } },
      { line: 5, fields: { a: 3 } },
    ])
    expect(issues.map(({ line }) => line)).toEqual([3, 4])
  })

  it("as a list of objects is read as well", () => {
    expect(fields(read('[{"a":1},{"a":2}]', "a.json").rows)).toEqual([{ a: 1 }, { a: 2 }])
    expect(read('[{"a":1},2]', "a.json").issues).toMatchObject([{ line: 2 }])
    expect(failure(() => read('{"a":1}', "a.json")).message).toContain("array")
    expect(failure(() => read("[", "a.json")).message).toContain("not valid JSON")
  })
})

function failure(work: () => unknown): DataError {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(DataError)
    return error as DataError
  }
  throw new Error("nothing was refused")
}

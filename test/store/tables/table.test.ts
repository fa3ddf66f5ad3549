import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { stringify } from "csv-stringify/sync"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { DataError } from "../../../src/core/errors.ts"
import { readCsvSheet } from "../../../src/store/tables/csv.ts"
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

  it("that comes as a sheet, in pieces, has the cells of the whole one, and its errors the row", async () => {
    const file = join(folder, "sheet.csv")
    const text = `a,b\r\n${'"x ""é"",\r\n",y 19"\r\n'.repeat(20_000)}`
    const sheet = async (content: string) => {
      writeFileSync(file, content)
      const rows: unknown[] = []
      for await (const { cells } of readCsvSheet(file).rows) rows.push(cells.map((cell) => cell?.text))
      return rows
    }
    expect((await sheet(text)).slice(1)).toEqual(read(text).rows.map(({ fields: { a, b } }) => [a, b]))
    await expect(sheet(`${text}"open,z\r\n`)).rejects.toMatchObject({ issues: [{ line: 20_002 }] })
  })

  it("with an open quote is refused with its line", () => {
    const error = failure(() => read('a,b\n1,2\n"3,4\n5,6\n'))
    expect(error.issues[0]).toMatchObject({ file: join(folder, "a.csv"), line: 3 })
    expect(error.hint).toContain("quotes")
  })

  it("that is not UTF-8 is refused with the line of the first wrong byte", () => {
    const error = failure(() =>
      read(Buffer.concat([Buffer.from("a,b\n1,2\nna"), Buffer.from([0xef]), Buffer.from("ve,4\n")])),
    )
    expect(error.issues).toMatchObject([{ line: 3 }])
  })
})

describe("quotes that are letters", () => {
  it.each([
    ["an inch sign in a cell", 'a,b\nThe 19" rim,x\n', { a: 'The 19" rim', b: "x" }],
    ["quotes within a cell", 'a;b\nmy screen "flickers";x\n', { a: 'my screen "flickers"', b: "x" }],
    ["doubled quotes within a cell", 'a,b\nsay ""hi"" to them,x\n', { a: 'say ""hi"" to them', b: "x" }],
    ["a quote behind a space", 'a,b\n "x",y\n', { a: ' "x"', b: "y" }],
    // Excel, pandas and Python's csv drop two of the quotes.
    ["a quote within a quoted cell", 'a,b\n"He said "hello" to me",x\n', { a: '"He said "hello" to me"', b: "x" }],
    ["a text behind a quoted word", 'a,b\n"19" screen",x\n', { a: '"19" screen"', b: "x" }],
    ["an inch sign in the header", 'size 19",b\n1,2\n', { 'size 19"': "1", b: "2" }],
  ])("%s is kept as it is written", (_name, text, row) => {
    expect(read(text)).toMatchObject({ issues: [], rows: [{ line: 2, fields: row }] })
  })

  it("that swallow lines are an error with the line on which they begin", () => {
    const error = failure(() => read('a,b\n1,2\n"He left,x\nmiddle,y\n"She left,z\n'))
    expect(error.issues).toMatchObject([{ line: 3, message: expect.stringContaining("several lines") }])
    // Cells over lines that begin with a quote of their own are none.
    const { rows } = read('a,b\r\n"""q""\r\nl",2\r\n\r\n"x""\ny",4\r')
    expect(rows).toEqual([
      { line: 2, fields: { a: '"q"\r\nl', b: "2" } },
      { line: 5, fields: { a: 'x"\ny', b: "4" } },
    ])
  })
})

describe("a TSV", () => {
  const tsv = (text: string) => read(text, "a.tsv")

  it.each([
    ["opens a quote and ends it in another line", 'a\tb\n"Go on, he\tx\nmiddle\ty\nhe said: go"\tz\n', '"Go on, he'],
    ["begins with a word in quotes", 'a\tb\n"Go on" he said\tx\nmiddle\ty\nlast\tz\n', '"Go on" he said'],
    ["has inch signs", 'a\tb\nThe 19" rim\tx\nmiddle\ty\nlast 20"\tz\n', 'The 19" rim'],
    ["never closes a quote", 'a\tb\n"He left\tx\nmiddle\ty\nlast\tz\n', '"He left'],
  ])("whose cell %s has a row a line", (_name, text, first) => {
    const { rows, issues } = tsv(text)
    expect(issues).toEqual([])
    expect(rows.map(({ line }) => line)).toEqual([2, 3, 4])
    expect(rows[0]?.fields).toEqual({ a: first, b: "x" })
    expect(rows.map(({ fields: { b } }) => b)).toEqual(["x", "y", "z"])
  })

  it("has quotes around a cell taken off, and lines and tabs within them, as spreadsheets write them", () => {
    expect(fields(tsv('a\tb\n"Whole ""one"""\tx\n"two\nlines"\ty\n"a\ttab"\tz\n').rows)).toEqual([
      { a: 'Whole "one"', b: "x" },
      { a: "two\nlines", b: "y" },
      { a: "a\ttab", b: "z" },
    ])
    expect(fields(tsv('b\ta\nx\t"two\nlines"\ny\tplain\n').rows)).toEqual([
      { b: "x", a: "two\nlines" },
      { b: "y", a: "plain" },
    ])
  })

  it("that has cells over lines and a quote that joins two rows, or never closes, is refused with the line", () => {
    const cells = 'a\tb\n"two\nlines"\ty\n'
    for (const rest of ['"Go on, he\tx\nsaid"\tz\n', '"Go on, he\tx\nsaid\tz\n'])
      expect(failure(() => tsv(cells + rest)).issues).toMatchObject([{ line: 4 }])
    expect(fields(tsv(`${cells}"Go on" he\tx\n`).rows)[1]).toEqual({ a: '"Go on" he', b: "x" })
  })

  it("is split at tabs, with one column too", () => {
    expect(fields(tsv("text\nHello, world, how are you\nI am fine; thanks\n").rows)).toEqual([
      { text: "Hello, world, how are you" },
      { text: "I am fine; thanks" },
    ])
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

  it("that is a list in a file of lines is called one, whatever its rows are", () => {
    for (const text of ['[{"a":1},{"a":2}]', '\n[\n{"a":1},\n{"a":2}\n]\n'])
      expect(failure(() => read(text, "a.jsonl"))).toMatchObject({
        message: expect.stringContaining("holds a JSON array"),
        hint: expect.stringContaining(".json"),
      })
  })

  it("with a key that stands twice is named, by its line or its file", () => {
    const { rows, issues } = read('{"a":1}\n{"a":1,"b":{"c":1,"c":2}}\n', "a.jsonl")
    expect([rows.length, issues]).toMatchObject([
      1,
      [{ line: 2, message: expect.stringContaining('the key "c" stands twice') }],
    ])
    expect(failure(() => read('[{"a":1,"a":2}]', "a.json")).message).toContain('"a" stands twice')
  })

  it("in UTF-16 with its mark is read, as CSV is", () => {
    const wide = (text: string) => Buffer.from(`\ufeff${text}`, "utf16le")
    expect(fields(read(wide('{"a":"é"}\n{"a":"b"}\n'), "a.jsonl").rows)).toEqual([{ a: "é" }, { a: "b" }])
    expect(fields(read(wide('[{"a":"é"}]'), "a.json").rows)).toEqual([{ a: "é" }])
    expect(fields(read(wide("a,b\né,1\n").swap16()).rows)).toEqual([{ a: "é", b: "1" }])
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

import fc from "fast-check"
import { expect, it } from "vitest"
import { fittedTable, table } from "../../src/cli/terminal.ts"

const header = ["what", "id", "name", "run"]
const rows = [["file", "file-0123456789", "train.jsonl", "mood-20261130T120000Z-0123ab"]]

it("a table that fits, or that no terminal shows, is a table", () => {
  for (const width of [undefined, 200]) expect(fittedTable(header, rows, { width })).toBe(table(header, rows))
})

it("one that does not fit has each row on lines of its own, under what it is known by", () => {
  expect(fittedTable(header, rows, { width: 45, headings: 2 })).toBe(
    ["file file-0123456789", "  name  train.jsonl", "  run   mood-20261130T120000Z-0123ab"].join("\n"),
  )
})

it("nothing is cut at any width, and no line is wider unless one word is", () => {
  const cell = fc.stringMatching(/^[a-z]{1,9}( [a-z]{1,9}){0,9}$/)
  fc.assert(
    fc.property(
      fc.array(fc.tuple(cell, cell, cell), { minLength: 1 }),
      fc.integer({ min: 40, max: 90 }),
      (given, width) => {
        const text = fittedTable(["model", "at", "used by"], given, { width })
        const words = (line: string) => line.split(/\s+/).filter((word) => word !== "")
        for (const word of given.flat().flatMap(words)) expect(words(text)).toContain(word)
        if (text === table(["model", "at", "used by"], given)) return
        for (const line of text.split("\n").filter((each) => each.startsWith(" ")))
          expect(line.length).toBeLessThanOrEqual(width)
      },
    ),
  )
})

import { parse } from "csv-parse/sync"
import fc from "fast-check"
import { expect, test } from "vitest"
import { QuoteError, RecordReader, recordsOf } from "../../../src/store/tables/delimited.ts"

const piece = fc.constantFrom("x", "é ", ",", ";", "\t", '"', '""', "\n", "\r\n", "\r")
const anyText = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""))

function outcome(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof QuoteError)) throw error
    return { line: error.line, message: error.message }
  }
}

test("a text that comes in pieces has the records of the whole one", () => {
  fc.assert(
    fc.property(anyText, fc.constantFrom(",", "\t"), fc.nat(5), (text, delimiter, size) => {
      const inPieces = outcome(() => {
        const reader = new RecordReader(delimiter)
        const records = []
        for (let at = 0; at < text.length; at += size + 1) records.push(...reader.push(text.slice(at, at + size + 1)))
        return [...records, ...reader.end()]
      })
      expect(inPieces).toEqual(outcome(() => [...recordsOf(text, delimiter)]))
    }),
    { numRuns: 2000 },
  )
})

test("what another parser reads without leniency is read the same", () => {
  let read = 0
  fc.assert(
    fc.property(anyText, fc.constantFrom(",", ";"), (text, delimiter) => {
      let other: string[][]
      try {
        const options = { delimiter, relax_column_count: true, record_delimiter: ["\r\n", "\n", "\r"] }
        other = parse(text, options) as unknown as string[][]
      } catch {
        return
      }
      read += 1
      expect([...recordsOf(text, delimiter)].map(({ cells }) => cells)).toEqual(other)
    }),
    { numRuns: 2000, seed: 7 },
  )
  expect(read).toBeGreaterThan(200)
})

test("the lines of the records are those on which they begin", () => {
  const records = [...recordsOf('a,b\r\n"1\n2",3\r\rx,"\r\n"\n', ",")]
  expect(records.map(({ line, isBlank }) => [line, isBlank])).toEqual([
    [1, false],
    [2, false],
    [4, true],
    [5, false],
  ])
})

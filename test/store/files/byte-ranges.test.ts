import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { expect, test } from "vitest"
import { ByteRanges } from "../../../src/store/files/byte-ranges.ts"

// Some lines are longer than what is read at once beyond a range.
const line = fc
  .tuple(fc.string({ unit: fc.constantFrom("a", "é", "\r"), maxLength: 9 }), fc.constantFrom(1, 1, 1, 700))
  .map(([text, times]) => text.repeat(times))

test("a line that passes through many ranges is read once, not once for each", () => {
  const file = join(mkdtempSync(join(tmpdir(), "tuneloop-ranges-")), "lines")
  const long = "x".repeat(32 * 2 ** 20)
  writeFileSync(file, `${long}\nshort\n`)
  const ranges = new ByteRanges(file, 1 << 14)
  const start = performance.now()
  const read: number[] = []
  for (let range = 0; range < ranges.count; range += 1)
    ranges.visitLines(range, (bytes) => void read.push(bytes.length))
  expect(read).toEqual([long.length, 5])
  expect(performance.now() - start).toBeLessThan(5000)
  ranges.close()
})

test("the ranges of a file have each of its lines once, wherever they cut it", () => {
  const file = join(mkdtempSync(join(tmpdir(), "tuneloop-ranges-")), "lines")
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 20 }),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 9000 }),
      (lines, isEnded, isMarked, size) => {
        const text = `${isMarked ? "\ufeff" : ""}${lines.join("\n")}${isEnded ? "\n" : ""}`
        writeFileSync(file, text)
        const ranges = new ByteRanges(file, size)
        const read: string[] = []
        const starts: [number, string][] = []
        for (let range = 0; range < ranges.count; range += 1) {
          const bytes = Buffer.from(ranges.lines(range))
          if (bytes.length > 0)
            starts.push([ranges.start, bytes.subarray(0, bytes.indexOf(10) + 1 || bytes.length).toString()])
          read.push(bytes.toString())
        }
        expect(read.join("")).toBe(isMarked ? text.slice(1) : text)
        // A range has no half of a line.
        for (const part of read.filter((some) => some !== "").slice(0, -1)) expect(part.endsWith("\n")).toBe(true)
        for (const [start, first] of starts) expect(Buffer.from(ranges.line(start)).toString()).toBe(first)
        ranges.close()
      },
    ),
    { seed: 6, numRuns: 400 },
  )
})

import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { readLines } from "../../../src/store/files/files.ts"

it("a line of 96 MB is read once, not once more for each of its megabytes", () => {
  const file = join(mkdtempSync(join(tmpdir(), "tuneloop-lines-")), "rows.jsonl")
  writeFileSync(file, Buffer.concat([Buffer.from("a\n"), Buffer.alloc(96 << 20, "x"), Buffer.from("\nb\nc")]))
  const start = process.cpuUsage().user
  expect(Array.from(readLines(file), ({ text, number }) => [number, text.length])).toEqual([
    [1, 1],
    [2, 96 << 20],
    [3, 1],
    [4, 1],
  ])
  expect((process.cpuUsage().user - start) / 1e6).toBeLessThan(1.5)
})

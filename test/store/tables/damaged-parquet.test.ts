import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parquetWriteFile } from "hyparquet-writer"
import { expect, it } from "vitest"
import { readAnyTable } from "../../../src/store/tables/table.ts"

const file = join(mkdtempSync(join(tmpdir(), "tuneloop-parquet-")), "rows.parquet")
const texts = Array.from({ length: 12 }, (_, row) => `the text of row ${row}`)
parquetWriteFile({
  filename: file,
  columnData: [
    { name: "body", data: texts, type: "STRING" },
    ...[1, 2].map((column) => ({
      name: `n${column}`,
      data: texts.map((_, row) => row / column),
      type: "DOUBLE" as const,
    })),
  ],
})
const whole = readFileSync(file)

it("reads every row of a whole file", async () => {
  const { rows } = await readAnyTable(file)
  expect(rows.map(({ line, fields }) => `${line} ${String(fields["body"])}`)).toEqual(
    texts.map((text, index) => `${index + 1} ${text}`),
  )
})

it("ends at once when it is told to, also where the reader of a damaged file never would", async () => {
  const damaged = Buffer.from(whole)
  // How many values the first page has: more than there are in the world.
  damaged[14] = 0x80
  writeFileSync(file, damaged)
  const start = performance.now()
  const signal = AbortSignal.timeout(500)
  const ended = await readAnyTable(file, { signal }).catch((error: Error) => error)
  expect(ended).toMatchObject({ name: "TimeoutError" })
  expect(performance.now() - start).toBeLessThan(5000)
}, 10_000)

it("gives up by itself on a file whose reading does not end, and names it", async () => {
  await expect(readAnyTable(file)).rejects.toThrow(/rows\.parquet cannot be read as Parquet: reading it does not end/)
}, 30_000)

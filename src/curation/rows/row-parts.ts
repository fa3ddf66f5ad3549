import type { Example } from "../../core/rows/example.ts"
import type { SpillReader } from "../../core/spill.ts"
import type { RowGroups } from "./key-groups.ts"
import { lineParts } from "./row-batch.ts"
import { exampleOf } from "./row-lines.ts"
import type { RowRecords } from "./row-records.ts"

/** The rows by the parts of the spill that have their lines, a group for each part. */
export function rowsByPart(records: RowRecords, rows: Uint32Array): RowGroups {
  const ends = new Uint32Array(lineParts)
  for (const row of rows) ends[records.part(row)] = (ends[records.part(row)] as number) + 1
  for (let part = 1; part < lineParts; part += 1) ends[part] = (ends[part] as number) + (ends[part - 1] as number)
  const sorted = new Uint32Array(rows.length)
  const next = Uint32Array.from(ends, (_, part) => (part === 0 ? 0 : (ends[part - 1] as number)))
  for (const row of rows) {
    const part = records.part(row)
    sorted[next[part] as number] = row
    next[part] = (next[part] as number) + 1
  }
  return { rows: sorted, ends }
}

/** The rows of one part of the spill as they are in their lines, which are read together. */
export function* partExamples(
  records: RowRecords,
  spill: SpillReader,
  part: number,
  rows: Uint32Array,
): Generator<{ readonly row: number; readonly example: Example }> {
  if (rows.length === 0) return
  const bytesAt = spill.readPart(part)
  for (const row of rows) {
    const { place, bytes } = records.line(row)
    yield { row, example: exampleOf(bytesAt(place, bytes)) }
  }
}

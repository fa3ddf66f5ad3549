import { isUtf8 } from "node:buffer"
import { existsSync } from "node:fs"
import { realInputSchema, seedSchema } from "../../core/rows/example.ts"
import { parseJson } from "../../core/json-text.ts"
import { ByteRanges } from "../files/byte-ranges.ts"
import { bitsOf, hexAt, IdTable } from "../../core/id-table.ts"
import { stampOf } from "../files/files.ts"
import type { RowKind } from "../files/split-lines.ts"
import type { TaskRows } from "./task-rows.ts"

/**
 * The ids of the seeds or the real inputs of a task, in the order of their file, without those that were erased. A line
 * as we write it is not looked at further than its id. A line that is no row, or an id that stands twice, is a
 * DataError. Where each line begins is noted in `starts`.
 */
export function rowIds(rows: TaskRows, kind: RowKind, starts?: LineStarts): IdTable {
  const ids = new IdTable()
  const each = () => (kind === "seed" ? rows.eachSeed() : rows.eachInput())
  const isSound = rows.erased().isEmpty && addIds(kind === "seed" ? rows.seedsFile : rows.inputsFile, kind, ids, starts)
  if (isSound) return ids
  starts?.forget()
  // What was erased has to be read to be told; and what is wrong with a line is said once all are read.
  const standing = new IdTable()
  for (const { id } of each()) standing.add(...bitsOf(id))
  return standing
}

/** False where a line is no row, or has the id of another. */
function addIds(path: string, kind: RowKind, ids: IdTable, starts: LineStarts | undefined): boolean {
  if (!existsSync(path)) return true
  const [schema, lineStart] = [kind === "seed" ? seedSchema : realInputSchema, Buffer.from(`{"id":"${kind}_`)]
  starts?.begin(path)
  const ranges = new ByteRanges(path, rangeBytes)
  try {
    for (let range = 0; range < ranges.count; range += 1) {
      const bytes = ranges.lines(range)
      if (!isUtf8(bytes)) return false
      for (let start = 0; start < bytes.length; ) {
        const found = bytes.indexOf(newline, start)
        const end = found < 0 ? bytes.length : found
        const digits = start + lineStart.length
        const isUsual =
          digits + 16 < end && lineStart.compare(bytes, start, digits) === 0 && bytes[digits + 16] === quote
        const [high, low] = isUsual ? [hexAt(bytes, digits), hexAt(bytes, digits + 8)] : [-1, -1]
        if (high >= 0 && low >= 0) {
          if (!ids.add(high | 0, low | 0)) return false
          starts?.add(ranges.start + start)
        } else {
          const text = bytes.toString("utf8", start, end)
          const row = text.trim() === "" ? undefined : schema.safeParse(parseJson(text))
          if (row !== undefined && (!row.success || !ids.add(...bitsOf(row.data.id)))) return false
          if (row !== undefined) starts?.add(ranges.start + start)
        }
        start = end + 1
      }
    }
    return true
  } finally {
    ranges.close()
  }
}

/**
 * Where the lines of rows begin, by the numbers of their ids; of use as long as the file stays as it is. Memory: 8
 * bytes a line.
 */
export class LineStarts {
  #starts = new Float64Array(1024)
  #count = 0
  #path = ""
  #stamp = ""

  begin(path: string): void {
    this.#path = path
    this.#stamp = stampOf(path)
  }

  add(start: number): void {
    if (this.#count === this.#starts.length) {
      const longer = new Float64Array(2 * this.#count)
      longer.set(this.#starts)
      this.#starts = longer
    }
    this.#starts[this.#count++] = start
  }

  /** They are of no use. */
  forget(): void {
    this.#stamp = ""
  }

  /** Where the lines of these numbers begin, in the order of the file; undefined where that is not known any more. */
  of(numbers: Iterable<number>): number[] | undefined {
    if (this.#stamp === "" || stampOf(this.#path) !== this.#stamp) return undefined
    return Array.from(numbers, (number) => this.#starts[number] as number).sort((a, b) => a - b)
  }
}

const [newline, quote] = [10, 34] as const
const rangeBytes = 1 << 20

import type { Example } from "../../core/rows/example.ts"
import type { SpillReader } from "../../core/spill.ts"
import type { Why } from "./row-batch.ts"
import type { RowRecords } from "./row-records.ts"

/**
 * The lines of the rows, in their order, with their ends: of dropped rows each with why. Pieces of many lines, each
 * overwritten by the next. Memory: a part of the spill.
 */
export function* rowLines(
  records: RowRecords,
  spill: SpillReader,
  rows: Uint32Array,
  whys?: readonly Why[],
): Generator<Uint8Array> {
  const piece = new Piece()
  let index = 0
  for (const bytes of eachLine(records, spill, rows)) {
    if (piece.isFull) yield piece.take()
    const why = whys?.[index++]
    if (why === undefined) piece.add(bytes)
    else {
      piece.add(bytes.subarray(0, -2))
      piece.addText(`,${JSON.stringify(orderedWhy(why)).slice(1)}\n`)
    }
  }
  yield piece.take()
}

/** The row as it is in its line. */
export function rowExample(records: RowRecords, spill: SpillReader, row: number): Example {
  const { place, bytes } = records.line(row)
  const line = Buffer.allocUnsafe(bytes)
  spill.read(place, line)
  return exampleOf(line)
}

/** The row of a line. */
export function exampleOf(line: Uint8Array): Example {
  return JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.length).toString("utf8")) as Example
}

/** The line of each row in turn; overwritten by the next. Rows of one part that follow each other are read together. */
function* eachLine(records: RowRecords, spill: SpillReader, rows: Uint32Array): Generator<Uint8Array> {
  let single = Buffer.alloc(1024)
  for (let from = 0; from < rows.length; ) {
    const part = records.part(rows[from] as number)
    let until = from
    let wanted = 0
    for (; until < rows.length && records.part(rows[until] as number) === part; until += 1)
      wanted += records.line(rows[until] as number).bytes
    const whole = mostTimesWanted * wanted > spill.partBytes(part) ? spill.readPart(part) : undefined
    for (; from < until; from += 1) {
      const { place, bytes } = records.line(rows[from] as number)
      if (whole === undefined) {
        if (bytes > single.length) single = Buffer.alloc(2 * bytes)
        spill.read(place, single.subarray(0, bytes))
      }
      yield whole?.(place, bytes) ?? single.subarray(0, bytes)
    }
  }
}

// A part is read whole where that is no more than so many times what is wanted of it.
const mostTimesWanted = 8

/** Lines one after another, to be written together. */
class Piece {
  #bytes = Buffer.allocUnsafe(2 * fullBytes)
  #used = 0

  get isFull(): boolean {
    return this.#used >= fullBytes
  }

  add(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#used)
    this.#used += bytes.length
  }

  addText(text: string): void {
    this.#reserve(3 * text.length)
    this.#used += this.#bytes.write(text, this.#used)
  }

  /** What was added since the last time; overwritten by what is added next. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#used)
    this.#used = 0
    return bytes
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.length) return
    const longer = Buffer.allocUnsafe(2 * (this.#used + bytes))
    this.#bytes.copy(longer, 0, 0, this.#used)
    this.#bytes = longer
  }
}

const fullBytes = 1 << 20

/** In the order in which they have always been written. */
function orderedWhy({ reason, witness, similarity, detail }: Why): Why {
  return {
    reason,
    ...(witness === undefined ? {} : { witness }),
    ...(similarity === undefined ? {} : { similarity }),
    ...(detail === undefined ? {} : { detail }),
  }
}

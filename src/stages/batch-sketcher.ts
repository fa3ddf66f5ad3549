import { comparedText } from "../curation/compared-text.ts"
import type { SketchedRow } from "../curation/keep-first.ts"
import { Sketcher, type SketchPlan } from "../curation/sketcher.ts"
import { parityNumbers } from "../curation/similar-sets.ts"
import type { Issue } from "../core/errors.ts"
import { ByteRanges } from "../store/byte-ranges.ts"
import { slotNumbers } from "./batch-ring.ts"

/** So many bytes of the file are one batch. */
export const batchBytes = 1 << 18

/** A line that is no row, by its place in its batch. */
export interface BatchIssue {
  readonly batch: number
  readonly index: number
  readonly message: string
}

/** Where a sketcher puts a batch: numbers to fill, again and again until the last part is published. */
export interface BatchTarget {
  readonly numbers: Int32Array
  publish(part: { readonly length: number; readonly rows: number; readonly lines: number }, isLast: boolean): void
}

/** The numbers of a row before its keys and hashes: line within the batch, number of hashes, fingerprints of text and output, parities. */
export const rowHeader = 6 + parityNumbers
// More than these are counted, not listed.
const mostIssues = 100

/** Makes sketches of the rows of a JSONL file, batch by batch, with its own view of the file. */
export class BatchSketcher {
  readonly issues: BatchIssue[] = []
  issueCount = 0
  readonly #ranges: ByteRanges
  readonly #sketcher: Sketcher
  readonly #field: string | undefined
  readonly #bands: number

  constructor(path: string, field: string | undefined, plan: Required<SketchPlan>) {
    this.#ranges = new ByteRanges(path, batchBytes)
    this.#sketcher = new Sketcher(plan)
    this.#field = field
    this.#bands = plan.bands.count
  }

  close(): void {
    this.#ranges.close()
  }

  /** Every line of the batch is a row in the target, blank, or an issue. */
  sketch(batch: number, { numbers, publish }: BatchTarget): void {
    let [length, rows] = [0, 0]
    const lines = this.#ranges.visitLines(batch, (bytes, index, isValid) => {
      const row = isValid ? readRow(bytes, this.#field) : { problem: "bytes that are not UTF-8" }
      if (row === undefined) return
      if ("problem" in row) {
        this.#complain(batch, index, row.problem)
        return
      }
      const output = row.output === undefined ? noOutput : this.#sketcher.fingerprint(row.output)
      const sketch = this.#sketcher.sketch(row.text)
      const need = rowHeader + this.#bands + sketch.size
      if (need > slotNumbers) {
        this.#complain(batch, index, `a text of ${row.text.length} characters; at most about a million words or characters can be compared`)
        return
      }
      if (length + need > numbers.length) {
        publish({ length, rows, lines: 0 }, false)
        length = 0
        rows = 0
      }
      const [low, high] = this.#sketcher.lastPrint()
      numbers[length] = index
      numbers[length + 1] = sketch.size
      numbers[length + 2] = low
      numbers[length + 3] = high
      numbers[length + 4] = output[0]
      numbers[length + 5] = output[1]
      copy(sketch.numbers, sketch.parities, parityNumbers, numbers, length + 6)
      copy(sketch.numbers, sketch.keys, this.#bands, numbers, length + rowHeader)
      copy(sketch.numbers, sketch.hashes, sketch.size, numbers, length + rowHeader + this.#bands)
      length += need
      rows += 1
    })
    publish({ length, rows, lines }, true)
  }

  #complain(batch: number, index: number, message: string): void {
    this.issueCount += 1
    if (this.issues.length < mostIssues) this.issues.push({ batch, index, message })
  }
}

/** Faster than `set` of a subarray for so few numbers. */
function copy(from: Int32Array, start: number, count: number, to: Int32Array, at: number): void {
  for (let index = 0; index < count; index += 1) to[at + index] = from[start + index] as number
}

const noOutput = [0, 0] as const

/** The row as a sketch with its fingerprints, in numbers of its own. */
export function rowSketch(sketcher: Sketcher, { bands }: Required<SketchPlan>, text: string, output: string | undefined): SketchedRow {
  const outputPrint = output === undefined ? noOutput : sketcher.fingerprint(output)
  const { numbers, keys, hashes, size, parities } = sketcher.sketch(text)
  const keysAt = 4 + parityNumbers
  const own = new Int32Array(keysAt + bands.count + size)
  own.set([...sketcher.lastPrint(), ...outputPrint])
  copy(numbers, parities, parityNumbers, own, 4)
  copy(numbers, keys, bands.count, own, keysAt)
  copy(numbers, hashes, size, own, keysAt + bands.count)
  return { numbers: own, prints: 0, parities: 4, keys: keysAt, hashes: keysAt + bands.count, size }
}

/** The issue with the line that it is on in the file. */
export function issueAt(file: string, { batch, index, message }: BatchIssue, firstLines: readonly number[]): Issue {
  return { file, line: (firstLines[batch] as number) + index, message }
}

/** What of a line of JSONL is compared, or what is wrong with it; undefined for a blank line. */
export function readRow(bytes: Buffer, field: string | undefined): ReturnType<typeof comparedText> | undefined {
  const line = bytes.toString("utf8")
  let row: unknown
  try {
    row = JSON.parse(line)
  } catch (error) {
    if (line.trim() === "") return undefined
    const { message } = error as Error
    return { problem: `not valid JSON: ${message.length > 160 ? `${message.slice(0, 159)}…` : message}` }
  }
  if (typeof row !== "object" || row === null || Array.isArray(row)) return { problem: "expected a JSON object" }
  return comparedText(row as Record<string, unknown>, field)
}

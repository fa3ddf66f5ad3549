import { isUtf8 } from "node:buffer"
import type { SketchedRow } from "../../curation/near/kept-rows.ts"
import { rowHeader, RowSketcher, type RowPart } from "../../curation/rows/row-sketcher.ts"
import { bitSketchNumbers } from "../../curation/near/bit-sketch.ts"
import type { Sketcher, SketchPlan } from "../../curation/near/sketcher.ts"
import type { ComparedFields } from "../../curation/text/compared-fields.ts"
import type { Issue } from "../../core/errors.ts"
import { ByteRanges } from "../../store/files/byte-ranges.ts"
import { slotNumbers } from "./batch-ring.ts"

/** So many bytes of the file are one batch. */
export const batchBytes = 1 << 18

/** A line that is no row, by its place in its batch. */
export interface BatchIssue {
  readonly batch: number
  readonly index: number
  readonly message: string
}

// More than these are counted, not listed.
const mostIssues = 100

/** Makes sketches of the rows of a JSONL file, batch by batch, with its own view of the file. */
export class BatchSketcher {
  readonly issues: BatchIssue[] = []
  issueCount = 0
  readonly #ranges: ByteRanges
  readonly #sketcher: RowSketcher

  constructor(path: string, fields: ComparedFields, plan: Required<SketchPlan>) {
    this.#ranges = new ByteRanges(path, batchBytes)
    this.#sketcher = new RowSketcher(plan, fields, slotNumbers)
  }

  close(): void {
    this.#ranges.close()
  }

  /** Every line of the batch is a row that is published, blank, or an issue. */
  sketch(batch: number, publish: (part: RowPart, isLast: boolean, lines: number) => void): void {
    const bytes = this.#ranges.lines(batch)
    this.#sketcher.sketchLines(bytes, isUtf8(bytes), {
      publish,
      complain: (index, message) => {
        this.issueCount += 1
        if (this.issues.length < mostIssues) this.issues.push({ batch, index, message })
      },
    })
  }
}

/** The row as a sketch with its fingerprints, in numbers of its own. */
export function rowSketch(
  sketcher: Sketcher,
  { bands }: Required<SketchPlan>,
  text: string,
  output: string | undefined,
): SketchedRow {
  const outputPrint = output === undefined ? [0, 0] : sketcher.fingerprint(output)
  const { numbers, keys, hashes, size, bitSketch } = sketcher.sketch(text)
  const own = new Int32Array(rowHeader + bands.count + size)
  own.set([...sketcher.lastPrint(), ...outputPrint], 2)
  own.set(numbers.subarray(bitSketch, bitSketch + bitSketchNumbers), 6)
  own.set(numbers.subarray(keys, keys + bands.count), rowHeader)
  own.set(numbers.subarray(hashes, hashes + size), rowHeader + bands.count)
  return { numbers: own, prints: 2, bitSketch: 6, keys: rowHeader, hashes: rowHeader + bands.count, size }
}

/** The issue with the line that it is on in the file. */
export function issueAt(file: string, { batch, index, message }: BatchIssue, firstLines: readonly number[]): Issue {
  return { file, line: (firstLines[batch] as number) + index, message }
}

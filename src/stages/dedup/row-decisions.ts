import { KeepFirst, type KeepOrDrop, type SketchedRow } from "../../curation/near/keep-first.ts"
import { rowHeader } from "../../curation/rows/row-sketcher.ts"
import type { SharedKeys } from "../../curation/near/shared-keys.ts"
import type { SketchPlan } from "../../curation/near/sketcher.ts"
import type { BatchPart } from "./batch-ring.ts"
import type { DecisionFiles } from "./decision-files.ts"

/** Notes the keys of the rows of a part; the answer is the number of rows. */
export function noteKeys(shared: SharedKeys, bands: number, { numbers, rows }: BatchPart): number {
  for (let row = 0, at = 0; row < rows; row += 1, at += rowHeader + bands + (numbers[at + 1] as number))
    for (let band = 0; band < bands; band += 1) shared.note(numbers[at + rowHeader + band] as number, band)
  return rows
}

/** What came of the rows so far, by the lines they are on; each duplicate and conflict is noted in the files. */
export class RowDecisions {
  read = 0
  readonly counts: Record<KeepOrDrop["verdict"], number> = {
    kept: 0,
    conflict: 0,
    "exact-duplicate": 0,
    "near-duplicate": 0,
  }
  readonly #rows: KeepFirst
  readonly #bands: number
  readonly #files: DecisionFiles
  #dropped = new Uint8Array(4096)

  /** About so many rows are expected; `shared` as in `KeepFirst`. */
  constructor(
    plan: Required<SketchPlan>,
    threshold: number,
    expected: number,
    files: DecisionFiles,
    shared?: SharedKeys,
  ) {
    this.#rows = new KeepFirst(threshold, plan.bands.count, expected, shared)
    this.#bands = plan.bands.count
    this.#files = files
  }

  /** The memory that grows with the rows. */
  get bytes(): number {
    return this.#rows.bytes + this.#dropped.byteLength
  }

  get kept(): number {
    return this.counts.kept + this.counts.conflict
  }

  isDropped(line: number): boolean {
    return this.#dropped[line] === 1
  }

  /** Decides on the rows of a part of a batch whose first line is `firstLine`. */
  take({ numbers, rows }: BatchPart, firstLine: number): void {
    const sketched = { numbers, hashes: 0, size: 0, keys: 0, prints: 0, bitSketch: 0 }
    let at = 0
    for (let row = 0; row < rows; row += 1) {
      sketched.size = numbers[at + 1] as number
      sketched.prints = at + 2
      sketched.bitSketch = at + 6
      sketched.keys = at + rowHeader
      sketched.hashes = sketched.keys + this.#bands
      const line = firstLine + (numbers[at] as number)
      this.offer(sketched, line)
      at = sketched.hashes + sketched.size
    }
  }

  /** Decides on one row. */
  offer(row: SketchedRow, line: number): void {
    this.#note(line, this.#rows.offer(row, line))
  }

  #note(line: number, decision: KeepOrDrop): void {
    this.read += 1
    this.counts[decision.verdict] += 1
    if (decision.verdict === "kept") return
    if (decision.verdict !== "conflict") this.#drop(line)
    this.#files.note(line, decision)
  }

  #drop(line: number): void {
    if (line >= this.#dropped.length) {
      const longer = new Uint8Array(Math.max(line + 1, 2 * this.#dropped.length))
      longer.set(this.#dropped)
      this.#dropped = longer
    }
    this.#dropped[line] = 1
  }
}

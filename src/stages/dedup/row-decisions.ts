import { Keeper, keptAlone, type Verdict } from "../../curation/near/keeper.ts"
import type { SketchedRow } from "../../curation/near/kept-rows.ts"
import { rowHeader } from "../../curation/rows/row-sketcher.ts"
import type { SharedKeys } from "../../curation/near/shared-keys.ts"
import { lastingNumbers, SimilarSets } from "../../curation/near/similar-sets.ts"
import type { SketchPlan } from "../../curation/near/sketcher.ts"
import type { BatchPart } from "./batch-ring.ts"
import type { DecisionFiles } from "./decision-files.ts"

/** Notes the keys of the rows of a part; the answer is the number of rows. */
export function noteKeys(shared: SharedKeys, bands: number, { numbers, rows }: BatchPart): number {
  for (let row = 0, at = 0; row < rows; row += 1, at += rowHeader + bands + (numbers[at + 1] as number))
    for (let band = 0; band < bands; band += 1) shared.note(numbers[at + rowHeader + band] as number, band)
  return rows
}

// Among more near texts with different outputs one that agrees may be missed.
const mostLooks = 10_000

/**
 * What came of the rows so far, by the lines they are on; each duplicate and conflict is noted in the files. Rows are
 * kept in the order of the file, and each is decided on when it comes.
 */
export class RowDecisions {
  read = 0
  readonly counts: Record<"kept" | NonNullable<Verdict["reason"]>, number> = {
    kept: 0,
    conflict: 0,
    "exact-duplicate": 0,
    "near-duplicate": 0,
  }
  readonly #sets: SimilarSets
  readonly #keeper: Keeper
  readonly #shared: SharedKeys | undefined
  readonly #bands: number
  readonly #files: DecisionFiles
  #dropped = new Uint8Array(4096)

  /**
   * About so many rows are expected. With `shared`, in which the keys of all rows are noted, rows that share no key
   * take no memory; the decisions are the same.
   */
  constructor(
    plan: Required<SketchPlan>,
    threshold: number,
    expected: number,
    files: DecisionFiles,
    shared?: SharedKeys,
  ) {
    const room = shared === undefined ? expected : 0
    this.#sets = new SimilarSets(threshold, plan.bands.count, room, { shared, allocate: lastingNumbers })
    this.#keeper = new Keeper(this.#sets, { mostLooks, eachTextOnce: true })
    this.#shared = shared
    this.#bands = plan.bands.count
    this.#files = files
  }

  /** The memory that grows with the rows. */
  get bytes(): number {
    return this.#sets.bytes + this.#keeper.bytes + this.#dropped.byteLength
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
    const verdict = this.#isAlone(row) ? keptAlone : this.#keeper.offer(row, line)
    this.read += 1
    this.counts[verdict.reason ?? "kept"] += 1
    if (!verdict.isKept) this.#drop(line)
    if (verdict.reason !== undefined) this.#files.note(line, verdict)
  }

  #isAlone({ numbers, keys }: SketchedRow): boolean {
    if (this.#shared === undefined) return false
    for (let band = 0; band < this.#bands; band += 1)
      if (this.#shared.isShared(numbers[keys + band] as number, band)) return false
    return true
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

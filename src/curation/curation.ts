import { inputText } from "../core/output.ts"
import { missRateFor } from "./bands.ts"
import { boilerplateOf, sampleOf } from "./boilerplate.ts"
import { commonRuns, noCommonRuns } from "./common-runs.ts"
import type { Leak } from "./contamination.ts"
import { KeepBest, type Conflict } from "./deduplicate.ts"
import { Intake, type CurationOptions, type IntakeBatch, type SampleCounts } from "./intake.ts"
import { heldOutAncestors } from "./lineage.ts"
import { NgramIndex } from "./ngram-overlap.ts"
import { OutputEquality } from "./output-equality.ts"
import { compareText, type CurationRow } from "./ranking.ts"
import { record, recordKeys } from "./row-batch.ts"
import type { RowTable } from "./row-table.ts"
import { anyInputText } from "./validity.ts"
import { chooseShingles, defaultThreshold, mostMeasured, type ShinglerName } from "./shingles.ts"
import { Sketcher, sketchPlan, type SketchPlan } from "./sketcher.ts"

/** Every row that is offered is kept or dropped with a reason, and of the kept none is invalid, leaks into what is held out, or is a duplicate of a
 * better one with the same output: kept + dropped = read. What comes of each is in the table.
 *
 * Any permutation of the rows keeps the same ones, and curating the kept rows again drops nothing (as long as the texts kept have the same templates
 * and, without held-out rows, are of the same kind, short or long). Strings come out normalised, ids unchanged.
 * A near-duplicate with another output is kept and the pair is a conflict, reported once for each such row with its most similar one (of a
 * crowd, of the first hundred found); an exact duplicate with another output is dropped as `conflict`. The witness of a duplicate is a kept row.
 *
 * Rows are taken in one by one, here or by an `Intake` of the same options elsewhere, and each is sketched once where held-out rows say how texts are cut.
 * Memory: that of the table, with 4 bytes a hash of every row, and of `SimilarSets` for the kept rows. */
export class Curation {
  readonly intake: Intake
  readonly options: CurationOptions
  readonly #table: RowTable
  /** The rows that are left for comparison with one another. */
  #clean = new Uint32Array(1024)
  #cleanCount = 0
  readonly #overlapping: { readonly number: number; readonly leak: Leak }[] = []
  /** Rows whose parents may come later. */
  readonly #waiting: CurationRow[] = []

  constructor(table: RowTable, options: CurationOptions) {
    this.options = options
    this.#table = table
    this.intake = new Intake(options)
  }

  /** Takes in what an intake has judged. */
  add({ overlapping, waiting, ...batch }: IntakeBatch): void {
    const first = this.#table.add(batch)
    for (const row of waiting) this.#waiting.push(row)
    const put = new Set(overlapping.map(({ row }) => row))
    for (const { row, leak } of overlapping) this.#overlapping.push({ number: first + row, leak })
    for (const { row } of batch.dropped) put.add(row)
    for (let row = 0; row < batch.rows; row += 1) if (!put.has(row)) this.#noteClean(first + row)
  }

  /** Takes in the samples of an intake elsewhere. */
  addSamples(samples: SampleCounts): void {
    for (const name of ["all", "clean", "valid"] as const) for (const [text, times] of samples[name]) this.intake.samples[name].add(text, times)
  }

  /** Compares what is left, the best rows first. Nothing can be taken in afterwards. */
  finish(): Conflict[] {
    this.add(this.intake.takeBatch())
    const ancestors = heldOutAncestors(this.#waiting, this.options.heldOutIds ?? new Set())
    for (const row of this.#waiting) this.intake.take(row, ancestors.get(row.id))
    this.add(this.intake.takeBatch())
    this.#dropOverlapping()
    return this.#compare()
  }

  /** Drops the rows that share a long run of words with a held-out one. Only now is known which runs are common to many texts, and count for nothing. */
  #dropOverlapping(): void {
    const { task, heldOut, ngram } = this.options
    if (this.#overlapping.length === 0) return
    const { all, clean } = this.intake.samples
    for (const { input } of heldOut) all.add(anyInputText(task, input))
    const common = commonRuns(all.texts(), ngram)
    const index = common === noCommonRuns ? undefined : new NgramIndex(ngram, common)
    for (const { id, input } of heldOut) index?.add(id, inputText(task, input))
    for (const { number, leak } of this.#overlapping) {
      const text = index && inputText(task, this.#table.example(number).input)
      const witness = text === undefined ? leak.witness : index?.find(text)
      if (witness !== undefined) this.#table.drop(number, { reason: "leak-ngram", witness })
      else {
        clean.add(text ?? "")
        this.#noteClean(number)
      }
    }
  }

  #compare(): Conflict[] {
    const { task } = this.options
    const plan = this.#finalPlan()
    const made = this.intake.plan
    const sketcher = made !== undefined && areCutAlike(made, plan) ? undefined : new Sketcher(plan)
    const keep = new KeepBest(this.#table, new OutputEquality(task), this.#thresholdFor(plan.shingles), plan.bands.count, {
      expected: this.#cleanCount,
      areLasting: sketcher === undefined,
    })
    const bands = made?.bands.count ?? 0
    for (const row of this.#table.byWorth(this.#clean.subarray(0, this.#cleanCount))) {
      const { numbers, start, end } = this.#table.place(row)
      const prints = { record: numbers, print: start + record.print, output: start + record.output }
      if (sketcher === undefined) {
        const hashes = start + recordKeys + bands
        keep.offer(row, { numbers, parities: start + record.parities, keys: start + recordKeys, hashes, size: end - hashes, ...prints })
      } else keep.offer(row, { ...sketcher.sketch(inputText(task, this.#table.example(row).input)), ...prints })
    }
    return keep.conflicts.sort((a, b) => compareText(a.a, b.a) || compareText(a.b, b.b))
  }

  /** How the rows are cut when they are compared with one another: as the held-out ones, but without their own boilerplate. */
  #finalPlan(): Required<SketchPlan> {
    const { clean, valid } = this.intake.samples
    const name = this.intake.plan?.shingles ?? chooseShingles(sampleOf(valid.texts(), mostMeasured))
    return sketchPlan(name, boilerplateOf(clean.texts(), name), this.#thresholdFor(name), missRateFor(this.#cleanCount))
  }

  #thresholdFor(name: ShinglerName): number {
    return this.options.threshold ?? defaultThreshold(name)
  }

  #noteClean(number: number): void {
    if (this.#cleanCount === this.#clean.length) {
      const longer = new Uint32Array(2 * this.#clean.length)
      longer.set(this.#clean)
      this.#clean = longer
    }
    this.#clean[this.#cleanCount++] = number
  }
}

/** Whether a sketch by the one plan is good for the other: the first keys are the same where bands have as many rows. */
function areCutAlike(made: Required<SketchPlan>, wanted: Required<SketchPlan>): boolean {
  const { boilerplate } = wanted
  return (
    made.shingles === wanted.shingles &&
    made.bands.rows === wanted.bands.rows &&
    made.bands.count >= wanted.bands.count &&
    made.boilerplate.length === boilerplate.length &&
    made.boilerplate.every((hash, index) => hash === boilerplate[index])
  )
}

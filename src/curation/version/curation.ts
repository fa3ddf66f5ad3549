import { missRateFor } from "../near/bands.ts"
import { boilerplateOf, sampleOf } from "../near/boilerplate.ts"
import { commonRuns } from "../leaks/common-runs.ts"
import type { Comparison, ComparisonPlan } from "../rows/comparison.ts"
import { Intake, type CurationOptions, type Descent, type IntakeBatch, type SampleCounts } from "./intake.ts"
import { digits, heldOutAncestors } from "../leaks/lineage.ts"
import { NumberList } from "../text/number-list.ts"
import { compareText, type CurationRow } from "../rows/ranking.ts"
import { groupsOf, type RowGroups } from "../rows/key-groups.ts"
import type { RowTable } from "../rows/row-table.ts"
import { anyInputText } from "./validity.ts"
import type { JudgedOverlap, OverlapPlan } from "../leaks/overlap-judge.ts"
import type { ResketchPlan } from "../rows/resketch.ts"
import { defaultThreshold, shinglesFor } from "../near/shingles.ts"
import { sketchPlan, type SketchPlan } from "../near/sketcher.ts"

/** Two kept rows whose inputs are near-duplicates and whose outputs differ; `a` is the one more worth keeping. */
export interface Conflict {
  readonly a: string
  readonly b: string
  readonly similarity: number
}

/**
 * Every row that is offered is kept or dropped with a reason, and of the kept none is invalid, leaks into what is held
 * out, or is a duplicate of a better one with the same output: kept + dropped = read. What comes of each is in the
 * table.
 *
 * Any permutation of the rows keeps the same ones, and curating the kept rows again drops nothing (as long as the texts
 * kept have the same templates and, without held-out rows, are of the same kind, short or long). Strings come out
 * normalised, ids unchanged. A near-duplicate with another output is kept and the pair is a conflict, reported once for
 * each such row with its most similar one (of a bucket, of the first hundred found); an exact duplicate with another
 * output is dropped as `conflict`. The witness of a duplicate is a kept row.
 *
 * Rows are taken in one by one, here or by an `Intake` of the same options elsewhere, and each is sketched once where
 * held-out rows say how texts are cut. Each phase gives the next: rows are taken in, `close` gives what is to be judged
 * once more, `judged` what is to be compared, and `finish` of that ends it. Memory: that of the table, with 4 bytes a
 * hash of every row, and for a while 4 bytes for each key of a row. Rows that are sketched when they are compared: that
 * of `SimilarSets` for the kept ones instead.
 */
export class Curation {
  readonly intake: Intake
  readonly options: CurationOptions
  readonly #table: RowTable
  /** The rows that are left for comparison with one another. */
  readonly #clean = new NumberList()
  readonly #overlaps = new Overlaps()
  /** Rows whose parents may come later. */
  readonly #waiting: CurationRow[] = []
  /** By the digits of rows that are of a group of which a row is held out, that row. */
  readonly #beside: Map<string, string>

  /** `beside`: inputs of a group of which a row is held out, that row by their digits; they may be no rows here. */
  constructor(table: RowTable, options: CurationOptions, beside: ReadonlyMap<string, string> = new Map()) {
    this.options = options
    this.#beside = new Map(beside)
    this.#table = table
    this.intake = new Intake(options, table.spill)
  }

  /** Takes in what an intake has judged. */
  add({ overlapping, waiting, besideHeldOut, ...batch }: IntakeBatch): void {
    const first = this.#table.add(batch)
    for (const [row, witness] of besideHeldOut) this.#beside.set(row, witness)
    for (const row of waiting) this.#waiting.push(row)
    const put = new Set(overlapping.map(({ row }) => row))
    for (const { row, witness } of overlapping) this.#overlaps.add(first + row, witness)
    for (const { row } of batch.dropped) put.add(row)
    for (let row = 0; row < batch.rows; row += 1) if (!put.has(row)) this.#clean.add(first + row)
  }

  /** Takes in the samples of an intake elsewhere. */
  addSamples(samples: SampleCounts): void {
    for (const name of ["all", "clean", "valid"] as const)
      for (const [text, times] of samples[name]) this.intake.samples[name].add(text, times)
  }

  /** All rows are there: what waited for them is taken in, and nothing can be afterwards. */
  close(): ClosedCuration {
    this.add(this.intake.takeBatch())
    const ancestors = heldOutAncestors(this.#waiting, this.options.heldOutIds ?? new Set())
    const beside = heldOutAncestors(this.#waiting, new Set(this.#beside.keys()))
    for (const row of this.#waiting)
      this.intake.take(
        row,
        descentOf(ancestors.get(row.id), "lineage") ??
          descentOf(this.#beside.get(digits(beside.get(row.id) ?? "")), "leak-group"),
      )
    this.add(this.intake.takeBatch())
    const { options, intake } = this
    return new ClosedCuration({ table: this.#table, options, intake }, this.#clean.values(), this.#overlaps)
  }
}

function descentOf(witness: string | undefined, reason: Descent["reason"]): Descent | undefined {
  return witness === undefined ? undefined : { reason, witness }
}

interface Parts {
  readonly table: RowTable
  readonly options: CurationOptions
  readonly intake: Intake
}

/** The rows that share a long run of words with a held-out one, each with its witness. */
class Overlaps {
  readonly #rows = new NumberList()
  readonly #witnesses = new NumberList()
  readonly #ids: string[] = []
  readonly #numbers = new Map<string, number>()

  add(row: number, witness: string): void {
    this.#rows.add(row)
    const number = this.#numbers.get(witness) ?? this.#ids.push(witness) - 1
    this.#numbers.set(witness, number)
    this.#witnesses.add(number)
  }

  rows(): Uint32Array {
    return this.#rows.values()
  }

  *[Symbol.iterator](): Generator<{ readonly row: number; readonly witness: string }> {
    const witnesses = this.#witnesses.values()
    for (const [index, row] of this.rows().entries())
      yield { row, witness: this.#ids[witnesses[index] as number] as string }
  }
}

/** Every row is taken in. */
export class ClosedCuration {
  /** The rows that may be compared with one another, in memory that threads share. */
  readonly rows: Uint32Array<SharedArrayBuffer>
  /** How many keys the sketches have that rows were taken in with; none where nothing is held out. */
  readonly recordedBands: number
  readonly #parts: Parts
  readonly #clean: number
  readonly #overlaps: Overlaps

  constructor(parts: Parts, clean: Uint32Array, overlaps: Overlaps) {
    this.#parts = parts
    this.#clean = clean.length
    this.#overlaps = overlaps
    this.recordedBands = parts.intake.plan?.bands.count ?? 0
    const overlapping = overlaps.rows()
    this.rows = new Uint32Array(new SharedArrayBuffer(4 * (clean.length + overlapping.length)))
    this.rows.set(clean)
    this.rows.set(overlapping, clean.length)
  }

  /**
   * Drops the rows that share a long run of words with a held-out one. Only now is known which runs are common to many
   * texts, and count for nothing: where there are such runs, those rows are to be judged once more.
   */
  overlapping(): OverlappingCuration {
    const { rows, recordedBands } = this
    const left = { rows, recordedBands, clean: this.#clean }
    return new OverlappingCuration(this.#parts, left, this.#toJudge(this.#overlaps.rows()))
  }

  #toJudge(rows: Uint32Array): OverlappingCuration["toJudge"] {
    if (rows.length === 0) return undefined
    const { table, options, intake } = this.#parts
    const { task, heldOut, ngram, expected } = options
    const { all } = intake.samples
    for (const { input } of heldOut) all.add(anyInputText(task, input))
    const common = commonRuns(all.texts(), ngram)
    if (!common.isEmpty) return { rows, plan: { task, heldOut, ngram, expected, common: common.hashes } }
    for (const { row, witness } of this.#overlaps) table.drop(row, { reason: "leak-ngram", witness })
    return undefined
  }
}

interface LeftRows {
  readonly rows: Uint32Array
  readonly recordedBands: number
  /** How many of them are known to share nothing with what is held out. */
  readonly clean: number
}

/** Of some rows it is left to judge whether they overlap with what is held out. */
export class OverlappingCuration {
  readonly toJudge: { readonly rows: Uint32Array; readonly plan: OverlapPlan } | undefined
  readonly #parts: Parts
  readonly #left: LeftRows

  constructor(parts: Parts, left: LeftRows, toJudge: OverlappingCuration["toJudge"]) {
    this.#parts = parts
    this.#left = left
    this.toJudge = toJudge
  }

  /** What came of judging those rows, here or elsewhere: nothing where there were none. */
  judged(judged: readonly JudgedOverlap[]): JudgedCuration {
    const { table, intake } = this.#parts
    let { clean } = this.#left
    for (const { leaks, clean: found, sample } of judged) {
      for (const { row, witness } of leaks) table.drop(row, { reason: "leak-ngram", witness })
      clean += found
      for (const [text, times] of sample) intake.samples.clean.add(text, times)
    }
    return new JudgedCuration(this.#parts, { ...this.#left, clean })
  }
}

/** No row that is left leaks; they are to be compared with one another. */
export class JudgedCuration {
  readonly comparison: ComparisonPlan
  /** How the rows that are left are sketched anew before; undefined where they need not be. */
  readonly resketch: ResketchPlan | undefined
  readonly #parts: Parts
  readonly #rows: Uint32Array

  constructor(parts: Parts, { rows, recordedBands, clean }: LeftRows) {
    this.#parts = parts
    this.#rows = rows
    const { samples, plan: made } = parts.intake
    // Rows are cut as they were to be compared with what is held out, but without their own boilerplate.
    const { numbers = "keep" } = parts.options
    const name = made?.shingles ?? shinglesFor(sampleOf(samples.valid.texts()), numbers)
    const threshold = parts.options.threshold ?? defaultThreshold(name)
    const boilerplate = boilerplateOf(samples.clean.texts(), name, numbers)
    const plan = sketchPlan({ name, boilerplate, numbers }, threshold, missRateFor(clean))
    const isCut = made !== undefined && areCutAlike(made, plan)
    const bands = isCut ? recordedBands : Math.max(recordedBands, plan.bands.count)
    this.comparison = { plan, threshold, recordedBands: bands }
    this.resketch = isCut ? undefined : { plan, bands, recordedBands }
  }

  /** The rows that were not dropped. */
  left(): Uint32Array {
    return this.#rows.filter((row) => this.#parts.table.isKept(row))
  }

  /** The groups of the rows that are left and share keys, by what `joinByKeys` says of all their keys. */
  groups(joined: readonly Uint32Array[]): RowGroups {
    return groupsOf(this.#rows, joined, (row) => this.#parts.table.isKept(row))
  }

  /** What came of comparing the groups, in one or in several shares; returns the conflicts. */
  finish(comparisons: readonly Comparison[]): Conflict[] {
    const { table } = this.#parts
    for (const { dropped } of comparisons)
      for (const { row, reason, witness, similarity } of dropped)
        table.drop(row, { reason, witness: table.id(witness), similarity })
    const conflicts = comparisons.flatMap(({ conflicts: found }) =>
      found.map(({ a, b, similarity }) => ({ a: table.id(a), b: table.id(b), similarity })),
    )
    return conflicts.sort((a, b) => compareText(a.a, b.a) || compareText(a.b, b.b))
  }
}

/**
 * Whether a sketch by the one plan is good for the other: the first keys are the same where bands have as many rows.
 */
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

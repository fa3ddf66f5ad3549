import { missRateFor } from "../near/bands.ts"
import { boilerplateOf, sampleOf } from "../near/boilerplate.ts"
import { commonRuns } from "../leaks/common-runs.ts"
import { compareGroups, type ComparisonPlan } from "../rows/comparison.ts"
import type { Comparison } from "../rows/keep-best.ts"
import { Intake, type CurationOptions, type IntakeBatch, type SampleCounts } from "./intake.ts"
import { heldOutAncestors } from "../leaks/lineage.ts"
import { NumberList } from "../text/number-list.ts"
import { OutputEquality } from "../rows/output-equality.ts"
import { compareText, type CurationRow } from "../rows/ranking.ts"
import { eachGroup, groupsOf, joinByKeys, type RowGroups } from "../rows/key-groups.ts"
import type { RowTable } from "../rows/row-table.ts"
import { anyInputText } from "./validity.ts"
import { OverlapJudge, type JudgedOverlap, type OverlapPlan } from "../leaks/overlap-judge.ts"
import { Resketcher, type ResketchPlan } from "../rows/resketch.ts"
import { rowsByPart } from "../rows/row-parts.ts"
import { chooseShingles, defaultThreshold, mostMeasured, type ShinglerName } from "../near/shingles.ts"
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
 * each such row with its most similar one (of a crowd, of the first hundred found); an exact duplicate with another
 * output is dropped as `conflict`. The witness of a duplicate is a kept row.
 *
 * Rows are taken in one by one, here or by an `Intake` of the same options elsewhere, and each is sketched once where
 * held-out rows say how texts are cut. First `add` and `addSamples`, then `close`, `dropOverlapping`, `plan`, `groups`,
 * `compare` and `finish`. Memory: that of the table, with 4 bytes a hash of every row, and for a while 4 bytes for each
 * key of a row. Rows that are sketched when they are compared: that of `SimilarSets` for the kept ones instead.
 */
export class Curation {
  readonly intake: Intake
  readonly options: CurationOptions
  readonly #table: RowTable
  /** The rows that are left for comparison with one another. */
  readonly #clean = new NumberList()
  /** How many they are once the overlapping ones are judged. */
  #cleanCount = 0
  /** The rows that share a long run of words with a held-out one, and of each the number of its witness. */
  readonly #overlapping = new NumberList()
  readonly #witnesses = new NumberList()
  readonly #witnessIds: string[] = []
  readonly #witnessNumbers = new Map<string, number>()
  /** Rows whose parents may come later. */
  readonly #waiting: CurationRow[] = []

  constructor(table: RowTable, options: CurationOptions) {
    this.options = options
    this.#table = table
    this.intake = new Intake(options, table.spill)
  }

  /** Takes in what an intake has judged. */
  add({ overlapping, waiting, ...batch }: IntakeBatch): void {
    const first = this.#table.add(batch)
    for (const row of waiting) this.#waiting.push(row)
    const put = new Set(overlapping.map(({ row }) => row))
    for (const { row, witness } of overlapping) {
      this.#overlapping.add(first + row)
      this.#witnesses.add(this.#witnessNumber(witness))
    }
    for (const { row } of batch.dropped) put.add(row)
    for (let row = 0; row < batch.rows; row += 1) if (!put.has(row)) this.#clean.add(first + row)
  }

  /** Takes in the samples of an intake elsewhere. */
  addSamples(samples: SampleCounts): void {
    for (const name of ["all", "clean", "valid"] as const)
      for (const [text, times] of samples[name]) this.intake.samples[name].add(text, times)
  }

  /**
   * Nothing can be taken in afterwards. Returns the rows that may be compared with one another, in memory that threads
   * share.
   */
  close(): Uint32Array<SharedArrayBuffer> {
    this.add(this.intake.takeBatch())
    const ancestors = heldOutAncestors(this.#waiting, this.options.heldOutIds ?? new Set())
    for (const row of this.#waiting) this.intake.take(row, ancestors.get(row.id))
    this.add(this.intake.takeBatch())
    this.#cleanCount = this.#clean.length
    const rows = new Uint32Array(new SharedArrayBuffer(4 * (this.#clean.length + this.#overlapping.length)))
    rows.set(this.#clean.values())
    rows.set(this.#overlapping.values(), this.#clean.length)
    return rows
  }

  /** How many keys the sketches have that rows were taken in with; none where nothing is held out. */
  get recordedBands(): number {
    return this.intake.plan?.bands.count ?? 0
  }

  /**
   * Drops the rows that share a long run of words with a held-out one. Only now is known which runs are common to many
   * texts, and count for nothing: where there are such runs, returns the rows that are to be judged once more.
   */
  dropOverlapping(): { readonly rows: Uint32Array; readonly plan: OverlapPlan } | undefined {
    const { task, heldOut, ngram, expected } = this.options
    if (this.#overlapping.length === 0) return undefined
    const { all } = this.intake.samples
    for (const { input } of heldOut) all.add(anyInputText(task, input))
    const common = commonRuns(all.texts(), ngram)
    const rows = this.#overlapping.values()
    if (!common.isEmpty) return { rows, plan: { task, heldOut, ngram, expected, common: common.hashes } }
    const witnesses = this.#witnesses.values()
    for (const [index, row] of rows.entries())
      this.#table.drop(row, { reason: "leak-ngram", witness: this.#witnessIds[witnesses[index] as number] as string })
    return undefined
  }

  /** Judges the rows once more here. */
  judgeOverlapping(rows: Uint32Array, plan: OverlapPlan): void {
    const { records, spill } = this.#table
    const judge = new OverlapJudge(records, spill, plan)
    let part = 0
    eachGroup(rowsByPart(records, rows), (partRows) => judge.judge(part++, partRows))
    this.takeJudged(judge.end())
  }

  /** Takes in what came of judging rows once more, here or elsewhere. */
  takeJudged({ leaks, clean, sample }: JudgedOverlap): void {
    for (const { row, witness } of leaks) this.#table.drop(row, { reason: "leak-ngram", witness })
    this.#cleanCount += clean
    for (const [text, times] of sample) this.intake.samples.clean.add(text, times)
  }

  /** How the rows that are left are compared, and whether they must be sketched anew before. */
  plan(): { readonly plan: ComparisonPlan; readonly resketch: ResketchPlan | undefined } {
    const { clean, valid } = this.intake.samples
    const made = this.intake.plan
    // Rows are cut as they were to be compared with what is held out, but without their own boilerplate.
    const name = made?.shingles ?? chooseShingles(sampleOf(valid.texts(), mostMeasured))
    const threshold = this.#thresholdFor(name)
    const plan = sketchPlan(name, boilerplateOf(clean.texts(), name), threshold, missRateFor(this.#cleanCount))
    const { recordedBands } = this
    if (made !== undefined && areCutAlike(made, plan))
      return { plan: { plan, threshold, recordedBands }, resketch: undefined }
    const bands = Math.max(recordedBands, plan.bands.count)
    return { plan: { plan, threshold, recordedBands: bands }, resketch: { plan, bands, recordedBands } }
  }

  /** Sketches the rows anew here. */
  resketch(rows: Uint32Array, plan: ResketchPlan): void {
    const { records, spill } = this.#table
    const sketcher = new Resketcher(records, spill, this.options.task, plan)
    let part = 0
    eachGroup(rowsByPart(records, rows), (partRows) => records.move(sketcher.sketch(part++, partRows)))
  }

  /**
   * The groups of those of the rows that share keys and were not dropped. `joined` has what `joinByKeys` says of all
   * the keys, here or elsewhere.
   */
  groups(rows: Uint32Array, { plan }: ComparisonPlan, joined?: readonly Uint32Array[]): RowGroups {
    const heads = joined ?? [joinByKeys(this.#table.records, rows, 0, plan.bands.count)]
    return groupsOf(rows, heads, (row) => this.#table.isKept(row))
  }

  /** What came of comparing all rows that were left, in one or in several shares; returns the conflicts. */
  finish(comparisons: readonly Comparison[]): Conflict[] {
    const table = this.#table
    for (const { dropped } of comparisons)
      for (const { row, reason, witness, similarity } of dropped)
        table.drop(row, { reason, witness: table.id(witness), similarity })
    const conflicts = comparisons.flatMap(({ conflicts: found }) =>
      found.map(({ a, b, similarity }) => ({ a: table.id(a), b: table.id(b), similarity })),
    )
    return conflicts.sort((a, b) => compareText(a.a, b.a) || compareText(a.b, b.b))
  }

  /** Compares groups here. */
  compare(groups: RowGroups, plan: ComparisonPlan): Comparison {
    return compareGroups(this.#table.records, groups, new OutputEquality(this.options.task), plan, (row) =>
      this.#outputText(row),
    )
  }

  #outputText(row: number): string {
    return String(this.#table.example(row).output)
  }

  #thresholdFor(name: ShinglerName): number {
    return this.options.threshold ?? defaultThreshold(name)
  }

  #witnessNumber(id: string): number {
    const number = this.#witnessNumbers.get(id) ?? this.#witnessIds.push(id) - 1
    this.#witnessNumbers.set(id, number)
    return number
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

import type { Spill } from "../core/spill.ts"
import { inputText } from "../core/output.ts"
import type { TaskSpecification } from "../core/task.ts"
import { missRateFor } from "./bands.ts"
import { boilerplateOf, sampleOf, TextSample } from "./boilerplate.ts"
import { commonRuns, noCommonRuns } from "./common-runs.ts"
import { HeldOutTexts, type HeldOutRow, type Leak } from "./contamination.ts"
import { KeepBest, type ComparedRow, type Conflict } from "./deduplicate.ts"
import { digits, heldOutAncestors } from "./lineage.ts"
import { NgramIndex } from "./ngram-overlap.ts"
import { normaliseStrings } from "./normalise.ts"
import { OutputEquality, type OutputPrint } from "./output-equality.ts"
import { compareText, type CurationRow } from "./ranking.ts"
import type { RowTable } from "./row-table.ts"
import { chooseShingles, defaultThreshold, mostMeasured, shingler, type ShinglerName } from "./shingles.ts"
import { parityNumbers, type Sketch } from "./similar-sets.ts"
import { Sketcher, sketchPlan, type SketchPlan } from "./sketcher.ts"
import { anyInputText, invalidityOf } from "./validity.ts"

export interface CurationOptions {
  readonly task: TaskSpecification
  readonly heldOut: readonly HeldOutRow[]
  /** Every id that is held out, by the names that parents use. */
  readonly heldOutIds?: ReadonlySet<string> | undefined
  /** The Jaccard similarity of near-duplicates; default by the length of the texts. */
  readonly threshold?: number | undefined
  readonly ngram: number
  readonly maxLength: number
  /** How many rows will be offered at most. */
  readonly expected: number
}

/** Every row that is offered is kept or dropped with a reason, and of the kept none is invalid, leaks into what is held out, or is a duplicate of a
 * better one with the same output: kept + dropped = read. What comes of each is in the table.
 *
 * Any permutation of the rows keeps the same ones, and curating the kept rows again drops nothing (as long as the texts kept have the same templates
 * and, without held-out rows, are of the same kind, short or long). Strings come out normalised, ids unchanged.
 * A near-duplicate with another output is kept and the pair is a conflict, reported once for each such row with its most similar one (of a
 * crowd, of the first hundred found); an exact duplicate with another output is dropped as `conflict`. The witness of a duplicate is a kept row.
 *
 * Rows are offered one by one, and each is sketched once where held-out rows say how texts are cut. Memory: that of the table, of `SimilarSets` for
 * the kept rows, and about 100 bytes more for each of these. */
export class Curation {
  readonly #options: CurationOptions
  readonly #table: RowTable
  readonly #spill: Spill
  readonly #outputs: OutputEquality
  readonly #heldOut: HeldOutTexts | undefined
  /** The rows that are left for comparison with one another. */
  #clean = new Uint32Array(1024)
  #cleanCount = 0
  readonly #cleanTexts = new TextSample()
  /** Only needed where nothing is held out: these texts say how all are cut. */
  readonly #validTexts = new TextSample()
  /** Of all that was offered: these texts say which runs of words are common. */
  readonly #allTexts = new TextSample()
  readonly #overlapping: { readonly number: number; readonly leak: Leak }[] = []
  #numbers = new Int32Array(4096)
  /** Rows whose parents may come later: where they lie in the spill. */
  readonly #waiting: { readonly place: number; readonly bytes: number }[] = []
  /** Rows that have parents, or are held out themselves: these alone can descend from what is held out. */
  readonly #descended: Pick<CurationRow, "id" | "provenance">[] = []
  readonly #heldOutDigits: ReadonlySet<string>

  constructor(table: RowTable, spill: Spill, options: CurationOptions) {
    const { task, heldOut, threshold, ngram, expected, heldOutIds = new Set() } = options
    this.#options = options
    this.#table = table
    this.#spill = spill
    this.#heldOutDigits = new Set([...heldOutIds].map(digits))
    this.#outputs = new OutputEquality(task)
    if (heldOut.length > 0) {
      // The held-out texts stay the same while rows are dropped, so that every build cuts texts alike.
      const cut = shingler(heldOut.map(({ input }) => inputText(task, input)))
      this.#heldOut = new HeldOutTexts(task, heldOut, { shingler: cut, threshold, ngram, missRate: missRateFor(expected) })
    }
  }

  offer(row: CurationRow): void {
    const { id, provenance } = row
    if (provenance.parents.length === 0 && !this.#heldOutDigits.has(digits(id))) {
      this.#take(row, undefined)
      return
    }
    this.#descended.push({ id, provenance })
    const place = this.#spill.size
    this.#spill.add(JSON.stringify(row))
    this.#waiting.push({ place, bytes: this.#spill.size - place })
  }

  /** Compares what is left, the best rows first. Nothing can be offered afterwards. */
  finish(): Conflict[] {
    const ancestors = heldOutAncestors(this.#descended, this.#options.heldOutIds ?? new Set())
    for (const { place, bytes } of this.#waiting) {
      const line = Buffer.alloc(bytes)
      this.#spill.read(place, line)
      const row = JSON.parse(line.toString("utf8")) as CurationRow
      this.#take(row, ancestors.get(row.id))
    }
    this.#dropOverlapping()
    return this.#compare()
  }

  /** The row is dropped for what can be told of it alone, or waits to be compared. */
  #take(candidate: CurationRow, ancestor: string | undefined): void {
    const { task, maxLength } = this.#options
    if (this.#heldOut !== undefined) this.#allTexts.add(anyInputText(task, candidate.input))
    const { id, provenance, rank } = candidate
    const row = { id, input: normaliseStrings(candidate.input), output: normaliseStrings(candidate.output), provenance }
    const invalidity = invalidityOf(task, row, maxLength)
    if (invalidity !== undefined) {
      this.#table.addDropped(row, invalidity)
      return
    }
    const text = inputText(task, row.input)
    if (this.#heldOut === undefined) this.#validTexts.add(text)
    if (ancestor !== undefined) {
      this.#table.addDropped(row, { reason: "lineage", witness: ancestor })
      return
    }
    const sketch = this.#heldOut?.sketch(text)
    const leak = sketch && this.#heldOut?.leakOf(text, sketch)
    if (leak !== undefined && leak.reason !== "leak-ngram") {
      this.#table.addDropped(row, leak)
      return
    }
    const numbers = this.#pack(this.#outputs.print(row.output), sketch)
    const number = this.#table.add(row, { rank, textLength: text.length, numbers })
    if (leak === undefined) this.#noteClean(number, text)
    else this.#overlapping.push({ number, leak })
  }

  /** Drops the rows that share a long run of words with a held-out one. Only now is known which runs are common to many texts, and count for nothing. */
  #dropOverlapping(): void {
    const { task, heldOut, ngram } = this.#options
    if (this.#overlapping.length === 0) return
    for (const { input } of heldOut) this.#allTexts.add(anyInputText(task, input))
    const common = commonRuns(this.#allTexts.texts(), ngram)
    const index = common === noCommonRuns ? undefined : new NgramIndex(ngram, common)
    for (const { id, input } of heldOut) index?.add(id, inputText(task, input))
    for (const { number, leak } of this.#overlapping) {
      const text = index && inputText(task, this.#table.example(number).input)
      const witness = text === undefined ? leak.witness : index?.find(text)
      if (witness !== undefined) this.#table.drop(number, { reason: "leak-ngram", witness })
      else this.#noteClean(number, text ?? "")
    }
  }

  #compare(): Conflict[] {
    const { task } = this.#options
    const plan = this.#finalPlan()
    const isSketched = this.#heldOut !== undefined && areCutAlike(this.#heldOut.plan, plan)
    const sketcher = new Sketcher(plan)
    const keep = new KeepBest(this.#table, this.#outputs, this.#thresholdFor(plan.shingles), plan.bands.count, this.#cleanCount)
    for (const number of this.#table.byWorth(this.#clean.subarray(0, this.#cleanCount))) {
      const packed = this.#unpack(number)
      if (isSketched) keep.offer(number, packed)
      else {
        const sketch = sketcher.sketch(inputText(task, this.#table.example(number).input))
        keep.offer(number, { ...sketch, print: sketcher.lastPrint(), output: packed.output })
      }
    }
    return keep.conflicts.sort((a, b) => compareText(a.a, b.a) || compareText(a.b, b.b))
  }

  /** How the rows are cut when they are compared with one another: as the held-out ones, but without their own boilerplate. */
  #finalPlan(): Required<SketchPlan> {
    const sample = this.#cleanTexts.texts()
    const name = this.#heldOut?.plan.shingles ?? chooseShingles(sampleOf(this.#validTexts.texts(), mostMeasured))
    return sketchPlan(name, boilerplateOf(sample, name), this.#thresholdFor(name), missRateFor(this.#cleanCount))
  }

  #thresholdFor(name: ShinglerName): number {
    return this.#options.threshold ?? defaultThreshold(name)
  }

  #noteClean(number: number, text: string): void {
    this.#cleanTexts.add(text)
    if (this.#cleanCount === this.#clean.length) {
      const longer = new Uint32Array(2 * this.#clean.length)
      longer.set(this.#clean)
      this.#clean = longer
    }
    this.#clean[this.#cleanCount++] = number
  }

  /** The prints of output and text, then the parities, the band keys and the hashes. */
  #pack([outputLow, outputHigh]: OutputPrint, sketch: Sketch | undefined): Int32Array {
    const bands = this.#heldOut?.plan.bands.count ?? 0
    const size = sketch?.size ?? 0
    const length = header + bands + size
    if (length > this.#numbers.length) this.#numbers = new Int32Array(2 * length)
    const packed = this.#numbers
    const [low, high] = this.#heldOut?.lastPrint() ?? [0, 0]
    packed[0] = outputLow
    packed[1] = outputHigh
    packed[2] = low
    packed[3] = high
    if (sketch !== undefined) {
      const { numbers, parities, keys, hashes } = sketch
      for (let index = 0; index < parityNumbers; index += 1) packed[paritiesAt + index] = numbers[parities + index] as number
      for (let index = 0; index < bands; index += 1) packed[header + index] = numbers[keys + index] as number
      for (let index = 0; index < size; index += 1) packed[header + bands + index] = numbers[hashes + index] as number
    }
    return packed.subarray(0, length)
  }

  #unpack(number: number): ComparedRow {
    const numbers = this.#table.numbers(number)
    const hashes = header + (this.#heldOut?.plan.bands.count ?? 0)
    const [outputLow, outputHigh, low, high] = numbers as unknown as [number, number, number, number]
    return { numbers, parities: paritiesAt, keys: header, hashes, size: numbers.length - hashes, output: [outputLow, outputHigh], print: [low, high] }
  }
}

const paritiesAt = 4
const header = paritiesAt + parityNumbers

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

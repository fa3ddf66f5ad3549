import type { NumberRule } from "../../core/task/number-rule.ts"
import { inputText } from "../../core/task/output.ts"
import type { Example } from "../../core/rows/example.ts"
import type { SpillWriter } from "../../core/spill.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { missRateFor } from "../near/bands.ts"
import { roughHash, TextSample } from "../near/boilerplate.ts"
import { mostTexts } from "../near/cuts.ts"
import { heldOutGroups, HeldOutTexts, type HeldOutRow } from "../leaks/contamination.ts"
import { digits } from "../leaks/lineage.ts"
import { normalisedJson, normaliseStrings } from "../text/normalise.ts"
import { OutputEquality } from "../rows/output-equality.ts"
import type { CurationRow } from "../rows/ranking.ts"
import { RowBatchWriter, type RowBatch, type Why } from "../rows/row-batch.ts"
import { shingler } from "../near/shingles.ts"
import { Sketcher, type SketchPlan } from "../near/sketcher.ts"
import { anyInputText, invalidityOf } from "./validity.ts"

/** How rows are judged; plain data, so that every thread judges alike. */
export interface CurationOptions {
  readonly task: TaskSpecification
  readonly heldOut: readonly HeldOutRow[]
  /** Every id that is held out, by the names that parents use. */
  readonly heldOutIds?: ReadonlySet<string> | undefined
  /** The Jaccard similarity of near-duplicates; default by the length of the texts. */
  readonly threshold?: number | undefined
  /** What becomes of inputs that differ in numbers; `keep` by default. */
  readonly numbers?: NumberRule | undefined
  readonly ngram: number
  readonly maxLength: number
  /** How many rows will be offered at most. */
  readonly expected: number
}

/** Rows that were taken in, and what is left to decide on some of them once all are. */
export interface IntakeBatch extends RowBatch {
  /** Rows that share a long run of words with a held-out one, which may turn out to be common to many texts. */
  readonly overlapping: readonly { readonly row: number; readonly witness: string }[]
  /**
   * Rows that have parents, which may come later, or that are held out themselves: these alone can descend from what is
   * held out. Not in the batch.
   */
  readonly waiting: readonly CurationRow[]
  /**
   * The digits of rows, kept or not, of whose group a row is held out, and that row: what descends from them is as
   * close to it.
   */
  readonly besideHeldOut: readonly (readonly [digits: string, witness: string])[]
}

/** How a row comes from what is held out, or from its group. */
export interface Descent {
  readonly reason: "lineage" | "leak-group"
  readonly witness: string
}

/** Texts by which is told what is common to many of them. */
export interface Samples<Texts> {
  /** Of all that was offered: these texts say which runs of words are common. */
  readonly all: Texts
  /** Of the rows that are left for comparison with one another. */
  readonly clean: Texts
  /** Only needed where nothing is held out: these texts say how all are cut. */
  readonly valid: Texts
}
export type SampleCounts = Samples<readonly (readonly [text: string, times: number])[]>

/**
 * Judges rows by themselves and against what is held out: normalised, valid, sketched, no leak. Several may share the
 * rows of one build; the order of the rows and how they are shared do not matter.
 */
export class Intake {
  /** How rows are sketched that are compared with what is held out; undefined where nothing is. */
  readonly plan: Required<SketchPlan> | undefined
  readonly samples: Samples<TextSample>
  readonly #options: CurationOptions
  readonly #outputs: OutputEquality
  readonly #heldOut: HeldOutTexts | undefined
  readonly #heldOutDigits: ReadonlySet<string>
  readonly #printer = new Sketcher({ shingles: "word-5" })
  readonly #batch: RowBatchWriter
  #overlapping: { row: number; witness: string }[] = []
  #waiting: CurationRow[] = []
  #beside: (readonly [string, string])[] = []
  /** The groups of which rows are held out. */
  readonly #heldOutGroups: ReadonlyMap<string, string>

  /** The lines of the rows go to the spill. */
  constructor(options: CurationOptions, spill: SpillWriter) {
    const { task, heldOut, threshold, ngram, expected, heldOutIds = new Set() } = options
    this.#options = options
    this.#heldOutDigits = new Set([...heldOutIds].map(digits))
    this.#heldOutGroups = heldOutGroups(heldOut)
    this.#outputs = new OutputEquality(task)
    if (heldOut.length > 0) {
      // The held-out texts stay the same while rows are dropped, so that every build cuts texts alike.
      const cut = shingler(
        heldOut.map(({ input }) => inputText(task, input)),
        options.numbers,
      )
      this.#heldOut = new HeldOutTexts(task, heldOut, {
        shingler: cut,
        threshold,
        ngram,
        missRate: missRateFor(expected),
      })
    }
    this.plan = this.#heldOut?.plan
    const sample = () => new TextSample(mostTexts, expected)
    this.samples = { all: sample(), clean: sample(), valid: sample() }
    this.#batch = new RowBatchWriter(this.plan?.bands.count ?? 0, spill)
  }

  /** How large the batch has become. */
  get bytes(): number {
    return this.#batch.bytes
  }

  /** The row is in the batch, dropped or to be compared with others, or waits for all rows to be there. */
  offer(row: CurationRow): void {
    this.#noteBeside(row)
    if (
      row.provenance.parents.length === 0 &&
      (this.#heldOutDigits.size === 0 || !this.#heldOutDigits.has(digits(row.id)))
    )
      this.take(row)
    else this.#waiting.push(row)
  }

  /** Adds a row that was dropped by somebody else. */
  reject(row: Example, why: Why): void {
    this.#noteBeside(row)
    this.#batch.addDropped(row, why)
  }

  /** The row is in the batch; `descent` is how it descends from what is held out. */
  take(candidate: CurationRow, descent = this.#besideOf(candidate)): void {
    const { task, maxLength } = this.#options
    const { all, clean, valid } = this.samples
    const given = this.#heldOut === undefined ? undefined : anyInputText(task, candidate.input)
    const rough = given === undefined ? 0 : roughHash(given)
    if (given !== undefined) all.addHashed(given, rough)
    const { id, provenance, rank } = candidate
    const { value: input, json: inputJson } = normalisedJson(candidate.input)
    const row = { id, input, output: normaliseStrings(candidate.output), provenance }
    const text = given !== undefined && row.input === candidate.input ? given : anyInputText(task, row.input)
    const invalidity = invalidityOf(task, row, maxLength, text)
    if (invalidity !== undefined) {
      this.#batch.addDropped(row, invalidity, inputJson)
      return
    }
    if (this.#heldOut === undefined) valid.add(text)
    if (descent !== undefined) {
      this.#batch.addDropped(row, descent, inputJson)
      return
    }
    const sketch = this.#heldOut?.sketch(text)
    const leak = sketch && this.#heldOut?.leakOf(text, sketch)
    if (leak !== undefined && leak.reason !== "leak-ngram") {
      this.#batch.addDropped(row, leak, inputJson)
      return
    }
    const print = this.#heldOut?.lastPrint() ?? this.#printer.fingerprint(text)
    const number = this.#batch.add(
      row,
      { rank, textLength: text.length, print, output: this.#outputs.print(row.output), sketch },
      inputJson,
    )
    if (leak !== undefined) this.#overlapping.push({ row: number, witness: leak.witness })
    else if (text === given) clean.addHashed(text, rough)
    else clean.add(text)
  }

  /** What was taken since the last batch. */
  takeBatch(): IntakeBatch {
    const [overlapping, waiting, besideHeldOut] = [this.#overlapping, this.#waiting, this.#beside]
    this.#overlapping = []
    this.#waiting = []
    this.#beside = []
    return { ...this.#batch.take(), overlapping, waiting, besideHeldOut }
  }

  /** How the row is of a group of which a row is held out. */
  #besideOf({ provenance: { group } }: Example): Descent | undefined {
    const witness = group === undefined ? undefined : this.#heldOutGroups.get(group)
    return witness === undefined ? undefined : { reason: "leak-group", witness }
  }

  #noteBeside(row: Example): void {
    const beside = this.#besideOf(row)
    if (beside !== undefined) this.#beside.push([digits(row.id), beside.witness])
  }

  sampleCounts(): SampleCounts {
    const { all, clean, valid } = this.samples
    return { all: all.counts(), clean: clean.counts(), valid: valid.counts() }
  }
}

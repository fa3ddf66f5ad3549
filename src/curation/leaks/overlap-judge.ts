import { inputText } from "../../core/task/output.ts"
import type { SpillReader } from "../../core/spill.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { TextSample } from "../near/boilerplate.ts"
import { mostTexts } from "../near/cuts.ts"
import { CommonRuns, type RunHashes } from "./common-runs.ts"
import type { HeldOutRow } from "./contamination.ts"
import { NgramIndex } from "./ngram-overlap.ts"
import { partExamples } from "../rows/row-parts.ts"
import type { RowRecords } from "../rows/row-records.ts"

/**
 * How rows are judged that share a long run of words with a held-out one, once it is known which runs are common; plain
 * data.
 */
export interface OverlapPlan {
  readonly task: TaskSpecification
  readonly heldOut: readonly HeldOutRow[]
  readonly ngram: number
  readonly common: RunHashes
  readonly expected: number
}

/** What came of it. */
export interface JudgedOverlap {
  readonly leaks: readonly { readonly row: number; readonly witness: string }[]
  /** How many rows share common runs alone, and a sample of their texts. */
  readonly clean: number
  readonly sample: readonly (readonly [text: string, times: number])[]
}

/** Judges rows that share a long run of words with a held-out one: common runs count for nothing. */
export class OverlapJudge {
  readonly #records: RowRecords
  readonly #spill: SpillReader
  readonly #task: TaskSpecification
  readonly #index: NgramIndex
  readonly #leaks: { row: number; witness: string }[] = []
  readonly #sample: TextSample
  #clean = 0

  constructor(records: RowRecords, spill: SpillReader, { task, heldOut, ngram, common, expected }: OverlapPlan) {
    this.#records = records
    this.#spill = spill
    this.#task = task
    this.#sample = new TextSample(mostTexts, expected)
    this.#index = new NgramIndex(ngram, new CommonRuns(common))
    for (const { id, input } of heldOut) this.#index.add(id, inputText(task, input))
  }

  /** Judges rows of one part of the spill. */
  judge(part: number, rows: Uint32Array): void {
    for (const { row, example } of partExamples(this.#records, this.#spill, part, rows)) {
      const text = inputText(this.#task, example.input)
      const witness = this.#index.find(text)
      if (witness !== undefined) this.#leaks.push({ row, witness })
      else {
        this.#sample.add(text)
        this.#clean += 1
      }
    }
  }

  end(): JudgedOverlap {
    return { leaks: this.#leaks, clean: this.#clean, sample: this.#sample.counts() }
  }
}

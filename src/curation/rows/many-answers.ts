import { formatOutput } from "../../core/task/output.ts"
import type { Example } from "../../core/rows/example.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { similarText } from "./output-equality.ts"
import type { Comparison } from "./comparison.ts"
import { eachGroup, type RowGroups } from "./key-groups.ts"
import { record, recordKeys } from "./row-batch.ts"
import type { RowRecords } from "./row-records.ts"
import { missRateFor } from "../near/bands.ts"
import { jaccard } from "../near/shingles.ts"
import { SimilarSets } from "../near/similar-sets.ts"
import { Sketcher, sketchPlan } from "../near/sketcher.ts"

/** What rows are compared by where an input may have several good outputs. */
export interface AnswerPlan {
  readonly task: TaskSpecification
  /** The similarity of near inputs. */
  readonly threshold: number
  /** How many keys the sketches in the records have. */
  readonly recordedBands: number
}

/**
 * Keeps the best of rows that are near in their inputs and in their outputs, group by group of those that share keys.
 * Other outputs to one input are no conflicts, and all are kept. Rows with near outputs are looked for, and of those
 * the inputs are compared: a thousand answers to one input are no more work than a thousand other rows.
 */
export function compareAnswers(
  records: RowRecords,
  groups: RowGroups,
  { task, threshold, recordedBands }: AnswerPlan,
  exampleOf: (row: number) => Example,
): Comparison {
  const found: Comparison = { dropped: [], conflicts: [] }
  eachGroup(groups, (rows) => {
    const cut = { name: "char-4", boilerplate: new Int32Array(), numbers: "keep" } as const
    const plan = sketchPlan(cut, similarText, missRateFor(rows.length))
    const sketcher = new Sketcher(plan)
    const answers = new SimilarSets(similarText, plan.bands.count, rows.length)
    const kept: number[] = []
    for (const row of records.byWorth(rows)) {
      const sketch = sketcher.sketch(answerText(task, exampleOf(row)))
      let nearest: { readonly row: number; readonly similarity: number } | undefined
      answers.visit(sketch, (place, ofAnswers) => {
        const other = kept[place] as number
        const ofInputs = jaccard(hashesOf(records, other, recordedBands), hashesOf(records, row, recordedBands))
        const similarity = Math.min(ofInputs, ofAnswers)
        if (ofInputs >= threshold && isNearer({ row: other, similarity }, nearest, records))
          nearest = { row: other, similarity }
        return false
      })
      if (nearest === undefined) {
        answers.add(sketch)
        kept.push(row)
      } else {
        const reason = arePrintsEqual(records, nearest.row, row) ? "exact-duplicate" : "near-duplicate"
        found.dropped.push({ row, reason, witness: nearest.row, similarity: nearest.similarity })
      }
    }
  })
  return found
}

/** The output as the text that a model would give. */
export function answerText(task: TaskSpecification, { output }: Pick<Example, "output">): string {
  return formatOutput(task, output)
}

interface NearRow {
  readonly row: number
  readonly similarity: number
}

function isNearer(a: NearRow, b: NearRow | undefined, records: RowRecords): boolean {
  return (
    b === undefined ||
    a.similarity > b.similarity ||
    (a.similarity === b.similarity && records.compareIds(a.row, b.row) < 0)
  )
}

function hashesOf(records: RowRecords, row: number, recordedBands: number): Uint32Array {
  const { numbers, start, end } = records.place(row)
  return new Uint32Array(numbers.subarray(start + recordKeys + recordedBands, end)).sort()
}

/** Whether two rows have the same input and the same output, folded. */
function arePrintsEqual(records: RowRecords, a: number, b: number): boolean {
  const [first, second] = [records.place(a), records.place(b)]
  for (let at: number = record.print; at < record.bitSketch; at += 1)
    if (first.numbers[first.start + at] !== second.numbers[second.start + at]) return false
  return true
}

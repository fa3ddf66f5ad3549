import { hasManyAnswers, type TaskSpecification } from "../../core/task/task.ts"
import { OverlapJudge, type JudgedOverlap, type OverlapPlan } from "../leaks/overlap-judge.ts"
import { compareGroups, type Comparison, type ComparisonPlan } from "../rows/comparison.ts"
import { eachGroup, joinByKeys, type RowGroups } from "../rows/key-groups.ts"
import { compareAnswers } from "../rows/many-answers.ts"
import { OutputEquality } from "../rows/output-equality.ts"
import { Resketcher, type ResketchPlan } from "../rows/resketch.ts"
import { rowsByPart } from "../rows/row-parts.ts"
import type { RowTable } from "../rows/row-table.ts"

/** The work that a curation leaves to others, done here with nobody's help. */
export class OwnCuration {
  readonly #task: TaskSpecification
  readonly #table: RowTable

  constructor(task: TaskSpecification, table: RowTable) {
    this.#task = task
    this.#table = table
  }

  /** Judges once more the rows that share a long run of words with a held-out one. */
  judge(rows: Uint32Array, plan: OverlapPlan): JudgedOverlap[] {
    const { records, spill } = this.#table
    const judge = new OverlapJudge(records, spill, plan)
    let part = 0
    eachGroup(rowsByPart(records, rows), (partRows) => judge.judge(part++, partRows))
    return [judge.end()]
  }

  /** Sketches the rows anew. */
  resketch(rows: Uint32Array, plan: ResketchPlan): void {
    const { records, spill } = this.#table
    const sketcher = new Resketcher(records, spill, this.#task, plan)
    let part = 0
    eachGroup(rowsByPart(records, rows), (partRows) => records.move(sketcher.sketch(part++, partRows)))
  }

  /** Joins the rows that share one of their first keys. */
  join(rows: Uint32Array, bands: number): Uint32Array[] {
    return [joinByKeys(this.#table.records, rows, 0, bands)]
  }

  /** Compares the rows of each group. */
  compare(groups: RowGroups, plan: ComparisonPlan): Comparison[] {
    const { records } = this.#table
    const exampleOf = (row: number) => this.#table.example(row)
    if (hasManyAnswers(this.#task)) return [compareAnswers(records, groups, { task: this.#task, ...plan }, exampleOf)]
    return [compareGroups(records, groups, new OutputEquality(this.#task), plan, (row) => exampleOf(row).output)]
  }
}

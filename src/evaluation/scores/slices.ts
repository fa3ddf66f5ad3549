import type { ScoredRow } from "../../core/contracts/metric.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { MetricScore } from "./contenders.ts"
import type { ContenderRows } from "./measured.ts"
import { shareInterval } from "./units.ts"

/**
 * What is in the task's scope and what is not, apart: a model that answers everything looks well on the first and fails
 * on the second.
 */
export interface OutOfScope {
  readonly label: string
  /** Whether the specification says so, or the label's name does. */
  readonly isDeclared: boolean
  /** Test rows that are out of scope, and that are in scope. */
  readonly rows: { readonly out: number; readonly in: number }
  readonly contenders: readonly {
    readonly name: string
    /** The share of what is out of scope that was seen to be; null where there is none. */
    readonly recognised: MetricScore | null
    /** The share of what is in scope that got its right label; null where there is none. */
    readonly inScopeAccuracy: MetricScore | null
    /** How many rows in scope were turned away as out of it. */
    readonly turnedAway: number
  }[]
}

/**
 * The contenders on what is out of scope and on the rest, with Wilson intervals at the verdict's confidence, of
 * rows in groups as if all of one said the same. For tasks of kind label.
 */
export function outOfScopeScores(
  task: TaskSpecification,
  { label, isDeclared }: { readonly label: string; readonly isDeclared: boolean },
  contenders: readonly ContenderRows[],
): OutOfScope {
  const { confidence } = task.verdict
  const share = (rows: readonly ScoredRow[]): MetricScore | null => {
    const right = rows.filter(({ references: [reference], output }) => output === reference).length
    const n = rows.length
    return n === 0 ? null : { value: right / n, ...shareInterval(rows, right, confidence), n }
  }
  const out = contenders[0]?.rows.filter(({ references: [reference] }) => reference === label).length ?? 0
  const all = contenders[0]?.rows.length ?? 0
  return {
    label,
    isDeclared,
    rows: { out, in: all - out },
    contenders: contenders.map(({ name, rows }) => {
      const isOut = ({ references: [reference] }: ScoredRow) => reference === label
      const inScope = rows.filter((row) => !isOut(row))
      return {
        name,
        recognised: share(rows.filter(isOut)),
        inScopeAccuracy: share(inScope),
        turnedAway: inScope.filter(({ output }) => output === label).length,
      }
    }),
  }
}

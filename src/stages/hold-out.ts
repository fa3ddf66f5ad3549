import { assignSplits } from "../curation/hold-out.ts"
import { rowsNeeded } from "../evaluation/power.ts"
import type { Assignment, Split } from "../core/example.ts"
import { inputText, stratumOf } from "../core/output.ts"
import type { TaskSpecification } from "../core/task.ts"
import { TaskRows } from "../store/task-rows.ts"
import type { StageContext } from "./context.ts"

export interface HoldOutCounts {
  readonly train: number
  readonly validation: number
  readonly test: number
  /** How many test examples the verdict's rule needs. */
  readonly testNeeded: number
}

/** Every seed and real input of the task has a split, recorded for good: rows without one are assigned, rows with one keep it. Idempotent, and the same after a crash: the assignment depends on content only. */
export function holdOut(context: StageContext, task: TaskSpecification): { added: readonly Assignment[]; counts: HoldOutCounts; untested: readonly string[] } {
  const rows = new TaskRows(context.workspace, task.task)
  const existing = rows.assignments()
  const assigned = new Set(existing.map(({ id }) => id))
  const items = [
    ...rows.seeds().map((seed) => ({ id: seed.id, text: inputText(task, seed.input), stratum: stratumOf(task, seed.output) })),
    ...rows.inputs().map((input) => ({ id: input.id, text: inputText(task, input.input), stratum: "unlabelled" })),
  ]
  const testNeeded = testRowsNeeded(task)
  const arrivals = items.filter(({ id }) => !assigned.has(id))
  const added = arrivals.length === 0 ? [] : assignSplits({ arrivals, existing, existingItems: items.filter(({ id }) => assigned.has(id)), testNeeded, key: task.task })
  rows.addAssignments(added)
  const known = new Map([...existing, ...added].map((assignment) => [assignment.id, assignment]))
  const gold = rows.seeds().flatMap((seed) => known.get(seed.id) ?? [])
  const count = (split: Split) => gold.filter((assignment) => assignment.split === split).length
  const tested = new Set(gold.filter(({ split }) => split === "test").map(({ stratum }) => stratum))
  const untested = [...new Set(gold.map(({ stratum }) => stratum))].filter((stratum) => !tested.has(stratum)).sort()
  return { added, counts: { train: count("train"), validation: count("validation"), test: count("test"), testNeeded }, untested }
}

/** How many test examples the rule of the verdict needs, by exact power. */
export function testRowsNeeded(task: TaskSpecification): number {
  return rowsNeeded(task.verdict)
}

/** A plain message when the test set is too small to tell what the rule asks; undefined when it is large enough. */
export function tooFewMessage(counts: HoldOutCounts, task: TaskSpecification): string | undefined {
  if (counts.test >= counts.testNeeded) return undefined
  const percent = (share: number) => `${Math.round(share * 100)} %`
  return `${counts.test} test examples are too few to tell a gain of ${percent(task.verdict.expectedGain)} at ${percent(task.verdict.confidence)} confidence: the rule of the verdict needs ${counts.testNeeded}. Import more gold examples, or expect "undecided".`
}

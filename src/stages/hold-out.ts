import { assignSplits, labelsUntested, unlabelled } from "../curation/hold-out.ts"
import { digits } from "../curation/lineage.ts"
import { tooFewToTell } from "../evaluation/preflight.ts"
import { rowsNeeded } from "../evaluation/power.ts"
import type { Assignment, Split } from "../core/example.ts"
import type { StandingAssignment } from "../core/holdout-refresh.ts"
import { inputText, stratumOf } from "../core/output.ts"
import type { TaskSpecification } from "../core/task.ts"
import { withLock } from "../store/lock.ts"
import { TaskRows } from "../store/task-rows.ts"
import type { StageContext } from "./context.ts"
import { wornRows } from "./holdout-wear.ts"

export interface HoldOutCounts {
  readonly train: number
  readonly validation: number
  readonly test: number
  /** How many test examples the verdict's rule needs. */
  readonly testNeeded: number
  /** Why the test set is too small to tell what the rule asks; absent when it is large enough. */
  readonly tooFew?: string
}

/** Every seed and real input of the task has a split, recorded for good: rows without one are assigned, rows with one keep it. Idempotent, and the same after a crash: the assignment depends on content only. While the test set is worn its opened rows count for nothing: what arrives then goes to the test set first. */
export function holdOut(
  context: StageContext,
  task: TaskSpecification,
): { added: readonly Assignment[]; counts: HoldOutCounts; untested: readonly string[] } {
  const rows = new TaskRows(context.workspace, task.task)
  const testNeeded = rowsNeeded(task.verdict)
  const items = [
    ...rows.seeds().map((seed) => ({ id: seed.id, text: inputText(task, seed.input), stratum: stratumOf(task, seed.output) })),
    ...rows.inputs().map((input) => ({ id: input.id, text: inputText(task, input.input), stratum: unlabelled })),
  ]
  const unassigned = (existing: readonly StandingAssignment[]) => {
    const assigned = new Set(existing.map(({ id }) => id))
    return items.filter(({ id }) => !assigned.has(id))
  }
  let existing = rows.assignments()
  let added: readonly Assignment[] = []
  if (unassigned(existing).length > 0)
    withLock(context.workspace.lockFile(task.task), context.workspace.show(rows.folder), () => {
      // Read again: another command may have assigned the same rows since.
      existing = rows.assignments()
      const arrivals = unassigned(existing)
      const assigned = new Set(existing.map(({ id }) => id))
      const worn = wornRows(context, task)
      const counted =
        worn === undefined ? existing : existing.map((row): StandingAssignment => (worn.has(digits(row.id)) ? { ...row, split: "retired" } : row))
      added = assignSplits({ arrivals, existing: counted, existingItems: items.filter(({ id }) => assigned.has(id)), testNeeded, key: task.task })
      rows.addAssignments(added)
    })
  const known = new Map([...existing, ...added].map((assignment): [string, StandingAssignment] => [assignment.id, assignment]))
  // A real input that a refresh put into the test set has its answer.
  const answered = new Set(rows.refreshes().flatMap(({ fresh }) => fresh.map(({ id }) => id)))
  const gold = [...rows.seeds(), ...rows.inputs().filter(({ id }) => answered.has(id))].flatMap(({ id }) => known.get(id) ?? [])
  const count = (split: Split) => gold.filter((assignment) => assignment.split === split).length
  const tooFew = tooFewToTell({ testRows: count("test"), rule: task.verdict })
  return {
    added,
    counts: { train: count("train"), validation: count("validation"), test: count("test"), testNeeded, ...(tooFew === undefined ? {} : { tooFew }) },
    untested: labelsUntested(gold),
  }
}

import { join } from "node:path"
import { assignSplits, labelsUntested, unlabelled, type Arrival } from "../curation/hold-out.ts"
import { digits } from "../curation/lineage.ts"
import { tooFewToTell } from "../evaluation/preflight.ts"
import { rowsNeeded } from "../evaluation/power.ts"
import type { Assignment, Split } from "../core/example.ts"
import type { StandingAssignment } from "../core/holdout-refresh.ts"
import { inputText, stratumOf } from "../core/output.ts"
import type { TaskSpecification } from "../core/task.ts"
import { withLock } from "../store/lock.ts"
import { SpillFile } from "../store/spill-file.ts"
import { StandingSplits } from "../store/standing-splits.ts"
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
  let standing = new StandingSplits(rows)
  const added = standing.missing === 0 ? [] : assign(context, task, rows, testNeeded)
  if (standing.missing > 0) standing = new StandingSplits(rows)
  const gold = standing.groups()
  const count = (split: Split) => gold.reduce((sum, group) => sum + (group.split === split ? group.rows : 0), 0)
  const tooFew = tooFewToTell({ testRows: count("test"), rule: task.verdict })
  return {
    added,
    counts: { train: count("train"), validation: count("validation"), test: count("test"), testNeeded, ...(tooFew === undefined ? {} : { tooFew }) },
    untested: labelsUntested(gold),
  }
}

/** The ids that have no split. */
function unassigned(rows: TaskRows): Set<string> {
  const ids = new Set([...rows.seedIds(), ...rows.inputIds()])
  for (const { id } of rows.eachAssignment()) ids.delete(id)
  return ids
}

/** Gives a split to what has none. The texts lie in a temporary file while they are compared. */
function assign(context: StageContext, task: TaskSpecification, rows: TaskRows, testNeeded: number): readonly Assignment[] {
  const spill = new SpillFile(join(rows.folder, "hold-out"))
  try {
    return withLock(context.workspace.lockFile(task.task), context.workspace.show(rows.folder), () => {
      // Read again: another command may have assigned the same rows since.
      const missing = unassigned(rows)
      const [arrivals, existingItems]: [Arrival[], SpilledItem[]] = [[], []]
      const take = (id: string, text: string, stratum: string) => {
        const item = new SpilledItem(spill, id, text, stratum)
        if (missing.has(id)) arrivals.push(item)
        else existingItems.push(item)
      }
      for (const { id, input, output } of rows.eachSeed()) take(id, inputText(task, input), stratumOf(task, output))
      for (const { id, input } of rows.eachInput()) take(id, inputText(task, input), unlabelled)
      const worn = wornRows(context, task)
      const existing = Array.from(
        rows.eachAssignment(),
        (row): StandingAssignment => (worn?.has(digits(row.id)) ? { ...row, split: "retired" } : row),
      )
      const added = assignSplits({ arrivals, existing, existingItems, testNeeded, key: task.task })
      rows.addAssignments(added)
      return added
    })
  } finally {
    spill.close()
  }
}

/** A row whose text lies in a spill. */
class SpilledItem implements Arrival {
  readonly id: string
  readonly stratum: string
  readonly #spill: SpillFile
  readonly #place: number
  readonly #bytes: number

  constructor(spill: SpillFile, id: string, text: string, stratum: string) {
    this.id = id
    this.stratum = stratum
    this.#spill = spill
    this.#place = spill.size
    spill.add(text)
    this.#bytes = spill.size - this.#place
  }

  get text(): string {
    const bytes = Buffer.allocUnsafe(this.#bytes)
    this.#spill.read(this.#place, bytes)
    return bytes.toString("utf8")
  }
}

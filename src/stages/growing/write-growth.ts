import type { ErasableRow } from "../../core/rows/erasure.ts"
import type { BatchYield } from "../../core/rows/example.ts"
import { withLock } from "../../store/files/lock.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import type { StageContext } from "../context.ts"
import type { Growth } from "./grow.ts"

/**
 * What was grown is in the files of the task, the batch last: where it is, the rest is as well. What was erased while
 * it grew, and what came of that, is not.
 */
export function writeGrowth(
  { workspace }: StageContext,
  { task, rows }: { readonly task: string; readonly rows: TaskRows },
  found: BatchYield,
  { quarantined, added }: Pick<Growth, "quarantined" | "added">,
): void {
  const { batch } = found
  withLock(workspace.lockFile(task), `the rows of ${task}`, () => {
    const erased = rows.erased()
    const isStanding = (row: ErasableRow) => erased.of(row) === undefined
    rows.grown.writeQuarantine(batch, quarantined.filter(isStanding))
    rows.grown.writeYield(found)
    // A batch that is grown once more keeps what it had.
    const again = new Set(added.map(({ id }) => id))
    const kept = rows.grown.batch(batch).filter(({ id }) => !again.has(id))
    rows.grown.writeBatch(batch, [...kept, ...added.filter(isStanding)])
  })
}

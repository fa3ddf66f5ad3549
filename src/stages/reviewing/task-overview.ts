import type { TaskSpecification } from "../../core/task/task.ts"
import { remembered } from "../../store/rows/remembered.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { holdOut, type HoldOutCounts } from "../arriving/hold-out.ts"
import { labelledFiles, unknownLabelsNotice } from "../arriving/unknown-labels.ts"
import type { StageContext } from "../context.ts"
import { taskSources } from "../task-sources.ts"
import { reviewFigures } from "./review-figures.ts"
import { statusOf, type ReviewStatus } from "./review-status.ts"
import { type StrategyYield, strategyYields } from "./yields.ts"

/** What a task has, and how far its review is. */
export interface TaskOverview {
  readonly counts: HoldOutCounts
  readonly seeds: number
  readonly inputs: number
  /** Those that stand in several batches count each time. */
  readonly candidates: number
  readonly review: ReviewStatus
  readonly yields: readonly StrategyYield[]
  readonly unknown: ReturnType<typeof unknownLabelsNotice>
}

/** Raised when another overview follows from the same files. */
const semantics = 1

/** The overview of a task, in which every row is held somewhere since. Made once for the same files. */
export function taskOverview(context: StageContext, task: TaskSpecification): Promise<TaskOverview> {
  const { workspace } = context
  const rows = new TaskRows(workspace, task.task)
  const sources = taskSources(context, task, semantics, () => labelledFiles(workspace, task.task))
  return remembered(workspace, task.task, "overview", sources, async (digests) => {
    const { counts, standing } = await holdOut(context, task)
    const figures = reviewFigures(workspace, task, digests)
    return {
      counts,
      seeds: standing.seeds.size,
      inputs: standing.inputs.size,
      candidates: figures.grown,
      review: statusOf(task, figures),
      yields: strategyYields(rows, figures.tally),
      unknown: unknownLabelsNotice(workspace, task),
    }
  })
}

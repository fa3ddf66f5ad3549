import { show } from "../../core/parse.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { count, percent, wholeNumber } from "../../evaluation/verdict/words.ts"
import { plainSeeds } from "../../store/rows/seed-ranges.ts"
import { StandingSplits } from "../../store/rows/standing-splits.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import type { Workspace } from "../../store/workspace.ts"
import { columnFigures, type ColumnFigures, type GroupFigures, type NewestFigures } from "./group-figures.ts"
import { LikelyGroups, type LikelyGroup } from "./likely-groups.ts"

/** What the columns beside the inputs say of the rows, in words; nothing where none is named. */
export function columnNotices({ groups, newest }: ColumnFigures): string[] {
  return [...(groups === undefined ? [] : groupNotices(groups)), ...(newest === undefined ? [] : newestNotices(newest))]
}

/** The same of the rows that a task has; and input fields that look like a group that nobody named. */
export function columnNoticesOf(workspace: Workspace, task: TaskSpecification): string[] {
  const rows = new TaskRows(workspace, task.task)
  const standing = new StandingSplits(rows)
  if (standing.held.length === 0) return []
  const likely = new LikelyGroups(task)
  if (task.holdout.groupBy === undefined && task.kind !== "chat")
    for (const { input } of plainSeeds(rows)) likely.take(input)
  return [...columnNotices(columnFigures(task, rows, standing)), ...likely.found().map(likelyNotice)]
}

/** That a column looks like a group, and what to do about it. */
export function likelyNotice({ column, groups, rows }: LikelyGroup): string {
  return (
    `the column ${show(column)} looks like a group (${wholeNumber(groups)} values in ${count(rows, "row")}): ` +
    `rows of one may be trained on and tested on; to keep them together: holdout.groupBy: ${column}`
  )
}

function groupNotices({ column, groups, largest, median, without, across }: GroupFigures): string[] {
  const sizes = groups === 0 ? "" : `, of ${median} rows in the middle and ${largest} at most`
  return [
    `${count(groups, "group")} by ${column}${sizes}${without === 0 ? "" : `; ${count(without, "row")} in none`}`,
    ...(without > 0 && groups === 0
      ? [`no row has ${show(column)}: import the files again that have it, and their rows get it`]
      : []),
    ...(across === 0
      ? []
      : [
          `${count(across, "group")} ${across === 1 ? "has" : "have"} rows in train and rows that are held out ` +
            "(rows keep the split that they have): a build drops those in train",
        ]),
  ]
}

function newestNotices(figures: NewestFigures): string[] {
  const { column, without, train, trainNewer, trainNewerThanHalf, oldestTest } = figures
  return [
    ...(oldestTest === undefined || train === 0
      ? []
      : [
          trainNewer === 0
            ? `by ${column}, no train row is newer than the oldest test row (${oldestTest.slice(0, 10)})`
            : `by ${column}, ${wholeNumber(trainNewer)} of ${count(train, "train row")} ` +
              `(${percent(trainNewer / train)}) are newer than the oldest test row (${oldestTest.slice(0, 10)}), ` +
              `${wholeNumber(trainNewerThanHalf)} newer than half of the test rows`,
        ]),
    ...(without === 0 ? [] : [`${count(without, "gold row")} without ${show(column)}: taken as older than all others`]),
  ]
}

import type { DatasetId } from "../../core/rows/frozen-ids.ts"
import { digits } from "../../curation/leaks/lineage.ts"
import {
  diffVersions,
  type FrozenVersion,
  type VersionDiff,
  type Whereabouts,
} from "../../curation/version/version-diff.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { StageContext } from "../context.ts"
import { fates, reviewStart } from "../standing/fates.ts"

/**
 * What came, went and changed from one version of the task to another, and why. Reads the train side only: the sealed
 * test rows stay closed, held-out rows are known by their assignment. Writes nothing. Rows are gone through one by one:
 * memory has what changed, the ids and reasons of dropped rows, and where a row went that was not read again, the real
 * inputs, candidates and decisions of the task.
 */
export function compareVersions(
  context: StageContext,
  task: TaskSpecification,
  before: DatasetId,
  after: DatasetId,
): VersionDiff {
  const versions = new Versions(context.workspace, task.task)
  const frozen = (id: DatasetId): FrozenVersion => ({
    manifest: versions.manifest(id),
    train: versions.each(id, "train.jsonl"),
    dropped: versions.each(id, "dropped.jsonl"),
  })
  return diffVersions(frozen(before), frozen(after), whereabouts(task, new TaskRows(context.workspace, task.task)))
}

/** Where the rows of examples' ids stand in the task's files. */
function whereabouts(
  task: TaskSpecification,
  rows: TaskRows,
): (ids: ReadonlySet<string>) => (id: string) => Whereabouts {
  return (ids) => {
    const wanted = new Set(Array.from(ids, digits))
    const isWanted = (id: string) => wanted.has(digits(id))
    const heldOut = new Map(
      [...rows.heldOut()].flatMap(([id, held]) => (isWanted(id) ? [[digits(id), held] as const] : [])),
    )
    const there = new Map<string, "open" | "train">()
    for (const { row, state } of fates(rows, reviewStart(task, rows), { heldOf: () => "train", isWanted }))
      if (isWanted(row) && there.get(digits(row)) !== "open")
        there.set(digits(row), state === "open" ? "open" : "train")
    const erased = rows.erased()
    return (id) =>
      (erased.of({ id }) === undefined ? undefined : "erased") ??
      heldOut.get(digits(id)) ??
      there.get(digits(id)) ??
      "removed"
  }
}

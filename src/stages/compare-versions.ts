import { diffVersions, type FrozenVersion, type VersionDiff, type Whereabouts } from "../curation/version-diff.ts"
import type { DroppedExample } from "../core/example.ts"
import { TaskRows } from "../store/task-rows.ts"
import { Versions } from "../store/versions.ts"
import type { TaskSpecification } from "../core/task.ts"
import type { StageContext } from "./context.ts"
import { taskExamples } from "./examples.ts"

/** What came, went and changed from one version of the task to another, and why. Reads the train side only: the sealed test rows stay closed, held-out rows are known by their assignment. Writes nothing. */
export function compareVersions(context: StageContext, task: TaskSpecification, before: string, after: string): VersionDiff {
  const versions = new Versions(context.workspace, task.task)
  const frozen = (id: string): FrozenVersion => ({
    manifest: versions.manifest(id as `ds_${string}`),
    train: versions.rows(id, "train.jsonl"),
    dropped: versions.rows(id, "dropped.jsonl") as DroppedExample[],
  })
  return diffVersions(frozen(before), frozen(after), whereabouts(task, new TaskRows(context.workspace, task.task)))
}

/** Where the row of an example's id stands in the task's files. */
function whereabouts(task: TaskSpecification, rows: TaskRows): (id: string) => Whereabouts {
  const { train, turnedDown, open } = taskExamples(task, rows)
  const digits = (id: string) => id.slice(id.indexOf("_") + 1)
  const heldOut = new Map(rows.assignments().flatMap(({ id, split }) => (split === "train" ? [] : [[digits(id), split] as const])))
  const waiting = new Set(open.map(({ id }) => digits(id)))
  const there = new Set([...train, ...turnedDown].map(({ id }) => digits(id)))
  const erased = rows.erased()
  return (id) =>
    (erased.of({ id }) === undefined ? undefined : "erased") ??
    heldOut.get(digits(id)) ??
    (waiting.has(digits(id)) ? "open" : there.has(digits(id)) ? "train" : "removed")
}

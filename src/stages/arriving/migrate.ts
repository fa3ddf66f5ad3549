import { contentId } from "../../core/canonical.ts"
import { UsageError } from "../../core/errors.ts"
import type { Migration } from "../../core/rows/migration.ts"
import type { Output } from "../../core/rows/example.ts"
import { nearest, show } from "../../core/parse.ts"
import { labelsOf, type TaskSpecification } from "../../core/task/task.ts"
import { withLock } from "../../store/files/lock.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import type { StageContext } from "../context.ts"
import { taskExamples } from "../standing/task-examples.ts"
import { labelsIn } from "../standing/review-plan.ts"

/** How labels change: each old name and the new ones; one for a rename or a merge, several for a split. */
export interface LabelChange {
  readonly kind: "rename" | "merge" | "split"
  readonly from: readonly string[]
  readonly into: readonly string[]
}

export interface MigrationResult {
  readonly state: "planned" | "migrated" | "unchanged"
  readonly migration: string
  /** How many seeds, candidates and decisions have each old label. */
  readonly changes: readonly (LabelChange & {
    readonly seeds: number
    readonly candidates: number
    readonly decisions: number
  })[]
  /** Rows whose label is split: people are asked about them. */
  readonly asked: number
}

/**
 * The labels of all rows that are read are those of the specification, which has the new names already: the change is a
 * line of `migrations.jsonl`, and no other file is written. Renamed and merged labels are retired for good. Rows with a
 * label that is split are asked about, and are no examples until then. Nothing that was decided or held out moves. The
 * same change again is `unchanged`.
 */
export function migrate(
  context: StageContext,
  task: TaskSpecification,
  changes: readonly LabelChange[],
  { yes }: { yes: boolean },
): MigrationResult {
  if (labelsOf(task).length === 0)
    throw new UsageError(
      `labels change in tasks of kind label or multilabel; ${task.task} is of kind ${task.kind}`,
      "Correct the rows in the review instead.",
    )
  const { workspace } = context
  // Read and written under one lock: what arrives or is frozen meanwhile has the labels of before, or those of after.
  return yes
    ? withLock(workspace.lockFile(task.task), workspace.show(workspace.taskFolder(task.task)), () =>
        change(context, task, changes, { yes }),
      )
    : change(context, task, changes, { yes })
}

function change(
  context: StageContext,
  task: TaskSpecification,
  changes: readonly LabelChange[],
  { yes }: { yes: boolean },
): MigrationResult {
  const rows = new TaskRows(context.workspace, task.task)
  const labels = Object.fromEntries(
    changes
      .filter(({ kind }) => kind !== "split")
      .flatMap(({ from, into }) => from.map((old) => [old, into[0] as string])),
  )
  const splits = Object.fromEntries(
    changes.filter(({ kind }) => kind === "split").map(({ from, into }) => [from[0] as string, [...into]]),
  )
  const earlier = rows.migrations
  const isThere = (change: LabelChange) =>
    change.kind !== "split"
      ? change.from.every((old) => old === change.into[0] || earlier.label(old) === change.into[0])
      : earlier.hasSplit(change.from[0] as string, change.into)
  const used = outputsOf(rows)
  const count = (outputs: readonly { readonly output: Output }[], from: readonly string[]) =>
    outputs.filter(({ output }) => from.some((label) => has(output, label))).length
  const described = changes.map((change) => ({
    ...change,
    seeds: count(used.seeds, change.from),
    candidates: count(used.candidates, change.from),
    decisions: count(used.decisions, change.from),
  }))
  const affected = [...used.seeds, ...used.candidates, ...used.decisions]
  const isSplit = (output: Output) => Object.keys(splits).some((label) => has(output, label))
  const met = [...new Set(affected.flatMap(({ id, output }) => (isSplit(output) ? [id] : [])))].sort()
  const body = { labels, splits, rows: met }
  const migration = contentId("migration", body)
  if (changes.every(isThere)) return { state: "unchanged", migration, changes: described, asked: 0 }
  requireFitting(context, task, changes, affected)
  const { train, validation, test } = taskExamples(task, rows)
  const asked = [...train, ...validation, ...test].filter(({ output }) => isSplit(output)).length
  const result = { migration, changes: described, asked }
  if (!yes) return { state: "planned", ...result }
  const line: Migration = { id: migration, at: context.now().toISOString(), ...body }
  rows.addMigration(line)
  return { state: "migrated", ...result }
}

/** Outputs by the row that has them: a decision counts for what it was made on. */
function outputsOf(rows: TaskRows): Record<"seeds" | "candidates" | "decisions", { id: string; output: Output }[]> {
  const known = new Set([...rows.seeds(), ...rows.inputs(), ...rows.grown.candidates()].map(({ id }) => id))
  return {
    seeds: rows.seeds().map(({ id, output }) => ({ id, output })),
    candidates: rows.grown.candidates().map(({ id, output }) => ({ id, output })),
    decisions: rows.review
      .decisions()
      .flatMap(({ item, rows: about = [], output }) =>
        output === undefined ? [] : [item, ...about].filter((id) => known.has(id)).map((id) => ({ id, output })),
      ),
  }
}

function has(output: Output, label: string): boolean {
  return output === label || (Array.isArray(output) && output.includes(label))
}

/** The specification has the new labels and not the retired ones, and every old label is one that rows have. */
function requireFitting(
  context: StageContext,
  task: TaskSpecification,
  changes: readonly LabelChange[],
  affected: readonly { readonly output: Output }[],
): void {
  const labels = labelsOf(task)
  const file = context.workspace.show(context.workspace.specFile(task.task))
  const missing = changes.flatMap(({ into }) => into).filter((label) => !labels.includes(label))
  if (missing.length > 0)
    throw new UsageError(
      `${file} has no label ${missing.map(show).join(", ")}; it has: ${labels.join(", ")}`,
      "Write the new labels into the specification first.",
    )
  const retired = changes.flatMap(({ from, into }) =>
    from.filter((label) => !into.includes(label) && labels.includes(label)),
  )
  if (retired.length > 0)
    throw new UsageError(
      `${file} still has the label ${retired.map(show).join(", ")}`,
      "Take the old labels out of the specification first; their names are retired.",
    )
  const inUse = [...new Set(affected.flatMap(({ output }) => labelsIn(task, output)))]
  for (const label of changes.flatMap(({ from, into }) => from.filter((each) => !into.includes(each)))) {
    if (inUse.includes(label)) continue
    const meant = nearest(label, inUse)
    throw new UsageError(
      `no row of ${task.task} has the label ${show(label)}${meant ? `; did you mean ${show(meant)}?` : ""}`,
      "Nothing was written.",
    )
  }
}

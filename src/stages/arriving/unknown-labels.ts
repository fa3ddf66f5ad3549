import { DataError } from "../../core/errors.ts"
import { labelsOf, type TaskSpecification } from "../../core/task/task.ts"
import type { Output } from "../../core/rows/example.ts"
import type { DatasetId } from "../../core/rows/frozen-ids.ts"
import { plainSeeds } from "../../store/rows/seed-ranges.ts"
import { StandingSplits } from "../../store/rows/standing-splits.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { Workspace } from "../../store/workspace.ts"
import { unlabelled } from "../../curation/holdout/split-targets.ts"
import { labelsIn } from "../standing/review-plan.ts"

/** How many rows have a label that the specification does not have, or not any more. */
export interface UnknownLabel {
  readonly label: string
  readonly gold: number
  /** Of the gold examples, those that are held out. */
  readonly heldOut: number
  /** Of the newest version, the rows to train on. */
  readonly version: number
}

/**
 * The labels of rows that the specification does not have, as they are read now; those that were split are asked about
 * already. Of very many rows only what is noted with their splits is looked at.
 */
function unknownLabels(
  workspace: Workspace,
  task: TaskSpecification,
  given: { standing: StandingSplits; withVersion?: boolean },
): UnknownLabel[] {
  const known = new Set(labelsOf(task))
  if (known.size === 0) return []
  const rows = new TaskRows(workspace, task.task)
  const { standing } = given
  const { migrations } = rows
  const isKnown = (label: string) => known.has(migrations.label(label))
  const found = new Map<string, { gold: number; heldOut: number; version: number }>()
  const count = (output: Output, what: readonly ("gold" | "heldOut" | "version")[]) => {
    for (const label of labelsIn(task, output)) {
      if (isKnown(label)) continue
      const counts = found.get(label) ?? { gold: 0, heldOut: 0, version: 0 }
      for (const each of what) counts[each] += 1
      found.set(label, counts)
    }
  }
  const labelsOfStratum = (stratum: string) =>
    stratum === unlabelled
      ? []
      : task.kind === "label"
        ? [stratum]
        : stratum.split("+").filter((part) => part !== "none")
  const isPlain = standing.strata.every((stratum) => labelsOfStratum(stratum).every(isKnown))
  if (standing.seeds.size <= mostRead || !isPlain)
    for (const { id, output } of plainSeeds(rows))
      if (!migrations.splitOf(id, output))
        count(output, (standing.held[standing.rowOf(id)] ?? 0) > 1 ? ["gold", "heldOut"] : ["gold"])
  if (given.withVersion !== false)
    for (const output of versionOutputs(new Versions(workspace, task.task))) count(output, ["version"])
  return [...found].map(([label, counts]) => ({ label, ...counts })).sort((a, b) => (a.label < b.label ? -1 : 1))
}

/** `22 rows have labels that the specification does not have: shipping (14 gold examples, 5 of them held out)`. */
function textOf(found: readonly UnknownLabel[]): string {
  const rows = found.reduce((sum, { gold, version }) => sum + (gold > 0 ? gold : version), 0)
  const each = found.map(({ label, gold, heldOut, version }) => {
    const parts = [
      ...(gold > 0 ? [`${gold} gold${heldOut > 0 ? `, ${heldOut} of them held out` : ""}`] : []),
      ...(version > 0 ? [`${version} in the newest version`] : []),
    ]
    return `${label} (${parts.join("; ")})`
  })
  return (
    `${rows} ${rows === 1 ? "row has a label" : "rows have labels"} that the specification does not have: ` +
    each.join(", ")
  )
}

/** The command that gives the rows the labels of now: with the new name where only one label can be it. */
function migrateCommand(task: TaskSpecification, found: readonly UnknownLabel[], { strata }: StandingSplits): string {
  const free = labelsOf(task).filter((label) => !strata.includes(label))
  const into = found.length === 1 && free.length === 1 ? (free[0] as string) : "<new>"
  return [
    `tuneloop task migrate ${task.task}`,
    ...found.map(({ label }) => `--rename ${quoted(`${label}=${into}`)}`),
  ].join(" ")
}

/** The same in words, with the command to give; undefined where every row has a label of the specification. */
export function unknownLabelsNotice(
  workspace: Workspace,
  task: TaskSpecification,
): { readonly found: readonly UnknownLabel[]; readonly message: string; readonly command: string } | undefined {
  if (labelsOf(task).length === 0) return undefined
  const standing = new StandingSplits(new TaskRows(workspace, task.task))
  const found = unknownLabels(workspace, task, { standing })
  if (found.length === 0) return undefined
  return { found, message: textOf(found), command: migrateCommand(task, found, standing) }
}

/** Throws where gold examples have such labels: they would be left out, or fail one by one. */
export function requireKnownLabels(workspace: Workspace, task: TaskSpecification, standing: StandingSplits): void {
  const found = unknownLabels(workspace, task, { standing, withVersion: false })
  if (found.length === 0) return
  throw new DataError(
    `${textOf(found)}; nothing was built`,
    [],
    `Say what became of them: ${migrateCommand(task, found, standing)}, or correct the rows.`,
  )
}

/** The files beside the task's own that the labels are looked for in. */
export function labelledFiles(workspace: Workspace, task: string): string[] {
  const versions = new Versions(workspace, task)
  const latest = versions.latest()
  const isRead = latest !== undefined && versions.manifest(latest).kept <= mostRead
  return versions.latestFiles().filter((file) => isRead || file.endsWith(".json"))
}

function* versionOutputs(versions: Versions): Generator<Output> {
  const latest = versions.latest()
  if (latest === undefined || versions.manifest(latest).kept > mostRead) return
  try {
    for (const { output } of versions.each(latest as DatasetId, "train.jsonl")) yield output
  } catch (error) {
    // What is wrong with a version is said by the commands that read it.
    if (!(error instanceof DataError)) throw error
  }
}

function quoted(text: string): string {
  return /^[\w.=-]+$/.test(text) ? text : `'${text}'`
}

const mostRead = 50_000

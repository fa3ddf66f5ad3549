import type { HoldoutId } from "../../core/rows/frozen-ids.ts"
import { assignSplits } from "../../curation/holdout/assign-splits.ts"
import { digits, lineageOf, type Parented } from "../../curation/leaks/lineage.ts"
import { tooFewToTell } from "../../evaluation/verdict/preflight.ts"
import type { Wear } from "../../evaluation/verdict/wear.ts"
import { PersonNeededError, ToolkitError } from "../../core/errors.ts"
import type { HoldoutRefresh } from "../../core/rows/holdout-refresh.ts"
import { groupOf } from "../../core/rows/kept-columns.ts"
import { inputIssues, inputText, outputIssues, stratumOf } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { withLockAcross } from "../../store/files/lock.ts"
import { StandingSplits } from "../../store/rows/standing-splits.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { StageContext } from "../context.ts"
import { taskExamples, type TaskExamples } from "../standing/task-examples.ts"
import { columnFigures, testRowsNeeded } from "./group-figures.ts"
import { holdOut } from "./hold-out.ts"
import { holdoutWear, testOpenings } from "./holdout-wear.ts"

export interface RefreshOptions {
  /** Refresh a test set that is not worn. */
  readonly force: boolean
  /** Retired rows may be trained on from now on. */
  readonly release: boolean
  readonly why: string | undefined
  /** False shows what would happen and writes nothing. */
  readonly yes: boolean
}

export interface Refresh {
  readonly state: "planned" | "refreshed" | "unchanged"
  readonly holdout: HoldoutId
  readonly wear: Wear
  /** Rows that become test rows. */
  readonly fresh: number
  /** Test rows that were never opened and stay. */
  readonly unopened: number
  readonly retired: number
  readonly released: number
  /** The test rows afterwards, and how many the rule of the verdict needs. */
  readonly test: number
  readonly testNeeded: number
  readonly tooFew?: string
}

/**
 * A worn test set is replaced: its opened rows are retired and real rows that no model was trained on take their place,
 * chosen as rows are held out when they arrive. Retired rows stay held out until they are released by name of the
 * option; both are recorded in `refreshes.jsonl`, which is appended. A test set that is not worn is `unchanged`. Throws
 * a PersonNeededError when there is no row to take. Idempotent: what it retired is not opened again. The next build has
 * the new holdout.
 */
export async function refreshHoldout(
  context: StageContext,
  task: TaskSpecification,
  options: RefreshOptions,
): Promise<Refresh> {
  const { workspace } = context
  const rows = new TaskRows(workspace, task.task)
  await holdOut(context, task)
  if (!options.yes) return (await planRefresh(context, task, rows, options)).refresh
  return withLockAcross(workspace.lockFile(task.task), workspace.show(rows.folder), async () => {
    const { refresh, record } = await planRefresh(context, task, rows, options)
    if (record === undefined) return refresh
    rows.addRefresh(record)
    return { ...refresh, state: "refreshed" }
  })
}

async function planRefresh(
  context: StageContext,
  task: TaskSpecification,
  rows: TaskRows,
  options: RefreshOptions,
): Promise<{ refresh: Refresh; record: HoldoutRefresh | undefined }> {
  const versions = new Versions(context.workspace, task.task)
  const holdout = currentHoldout(versions, task)
  const wear = await holdoutWear(context, task, holdout)
  const examples = taskExamples(task, rows)
  const standing = rows.assignments()
  const isDue = wear.isWorn || (options.force && wear.openings > 0)
  const opened = new Set((await testOpenings(context, versions)).flatMap((opening) => opening.rows.map(digits)))
  const answeredTest = new Set(examples.test.map(({ id }) => digits(id)))
  const inTest = standing
    .filter(({ id, split }) => split === "test" && answeredTest.has(digits(id)))
    .map(({ id }) => id)
  const retiring = isDue ? inTest.filter((id) => opened.has(digits(id))) : []
  const figures = columnFigures(task, rows, new StandingSplits(rows))
  const material = { rows, versions, examples, testNeeded: testRowsNeeded(task, figures) }
  const fresh = isDue ? freshRows(context, task, material, new Set(retiring)) : []
  if (isDue && retiring.length > 0 && fresh.length + inTest.length - retiring.length === 0)
    throw nothingFresh(task, wear)
  const before = standing.flatMap(({ id, split }) => (split === "retired" ? [id] : []))
  const released = options.release ? [...before, ...retiring].sort() : []
  const test = inTest.length - retiring.length + fresh.length
  const tooFew = tooFewToTell({ testRows: test, rule: task.verdict, designEffect: figures.groups?.designEffect })
  const isNothing = retiring.length + fresh.length + released.length === 0
  return {
    refresh: {
      state: isNothing ? "unchanged" : "planned",
      holdout,
      wear,
      fresh: fresh.length,
      unopened: inTest.length - retiring.length,
      retired: retiring.length,
      released: released.length,
      test,
      testNeeded: testRowsNeeded(task, figures),
      ...(tooFew === undefined ? {} : { tooFew }),
    },
    record: isNothing
      ? undefined
      : {
          at: context.now().toISOString(),
          holdout,
          openings: wear.openings,
          fresh,
          retired: retiring.sort(),
          released,
          ...(options.why === undefined ? {} : { why: options.why }),
        },
  }
}

/** What the task has, what is frozen of it, and what of it are examples. */
interface TaskMaterial {
  readonly rows: TaskRows
  readonly versions: Versions
  readonly examples: TaskExamples
  readonly testNeeded: number
}

/**
 * The train rows to be tested on instead: of people, valid, in no version's train rows and nothing grown from them
 * either, and near none of what is trained on, held out or retired. As many as `assignSplits` gives to the test set.
 */
function freshRows(
  context: StageContext,
  task: TaskSpecification,
  { rows, versions, examples, testNeeded }: TaskMaterial,
  retiring: ReadonlySet<string>,
): { id: string; stratum: string }[] {
  context.report.progress("looking for rows that no version was trained on")
  const used = lineageOf(trainedRows(versions), rows.grown.candidates())
  const items = new Map(
    [...rows.seeds(), ...rows.inputs()].map(({ id, input, columns }) => [
      id,
      { id, text: inputText(task, input), ...(columns === undefined ? {} : { columns }) },
    ]),
  )
  const busy = busyGroups(task, rows, used)
  const arrivals = [...examples.sources.values()].flatMap(({ row, split, example: { input, output, provenance } }) => {
    const isReal = provenance.strategy === "gold" || provenance.strategy === "answered-input"
    const item = items.get(row)
    const group = item && groupOf(task, item)
    const isFree = split === "train" && isReal && !used.has(digits(row)) && !(group !== undefined && busy.has(group))
    const isValid = isFree && inputIssues(task, input).length + outputIssues(task, output, input).length === 0
    return isValid ? [{ ...item, id: row, text: inputText(task, input), stratum: stratumOf(task, output) }] : []
  })
  const free = new Set(arrivals.map(({ id }) => id))
  const others = rows.assignments().filter(({ id }) => !free.has(id))
  const assigned = assignSplits({
    arrivals,
    existing: others.map((assignment) =>
      retiring.has(assignment.id) ? { ...assignment, split: "retired" } : assignment,
    ),
    existingItems: others.flatMap(({ id }) => {
      const item = items.get(id)
      return item === undefined ? [] : [item]
    }),
    testNeeded,
    key: task.task,
    holdout: task.holdout,
  })
  return assigned.flatMap(({ id, split, stratum }) => (split === "test" ? [{ id, stratum }] : []))
}

/** The groups of which a version was trained on a row, or on what was grown from one: the whole group was seen. */
function busyGroups(task: TaskSpecification, rows: TaskRows, used: ReadonlySet<string>): Set<string> {
  const groups = new Set<string>()
  if (task.holdout.groupBy === undefined) return groups
  for (const row of [...rows.seeds(), ...rows.inputs()]) {
    const group = groupOf(task, row)
    if (group !== undefined && used.has(digits(row.id))) groups.add(group)
  }
  return groups
}

function* trainedRows(versions: Versions): Generator<Parented> {
  for (const version of versions.ids())
    for (const { id, provenance } of versions.each(version, "train.jsonl")) yield { id, parents: provenance.parents }
}

/** The holdout of the version that was built last. */
function currentHoldout(versions: Versions, task: TaskSpecification): HoldoutId {
  const latest = versions.latest()
  if (latest !== undefined) return versions.manifest(latest).holdout
  throw new ToolkitError(`task ${task.task} has no holdout yet`, {
    code: "no-holdout",
    hint: `Make one: tuneloop build ${task.task}`,
  })
}

function nothingFresh(task: TaskSpecification, wear: Wear): PersonNeededError {
  return new PersonNeededError(
    `the test set of ${task.task} was opened for ${wear.openings} decisions, and there is no real row ` +
      "that no version was trained on to take its place",
    `Import real inputs (tuneloop input import ${task.task} <file>) and answer them in the review; while ` +
      "the test set is worn, they go to it first.",
  )
}

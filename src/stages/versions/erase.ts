import { digits } from "../../curation/leaks/lineage.ts"
import { erasureReach, mentions, type PlacedRow, type ReachedRow } from "../../curation/leaks/erasure-reach.ts"
import { DataError, UsageError } from "../../core/errors.ts"
import { erasedBy, idDigest, parentsOf, type Tombstone } from "../../core/rows/erasure.ts"
import { show } from "../../core/parse.ts"
import { isUnsettled, reduceRun, type RemoteJob, type UploadedFile } from "../../core/training/run.ts"
import type { Input } from "../../core/rows/example.ts"
import { inputText } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import {
  addTombstones,
  erasedMark,
  rawRows,
  readTombstones,
  removeFrozenRows,
  removeRows,
  removeUnfinished,
  rowFiles,
  unfinishedFiles,
  type RawRow,
} from "../../store/rows/erasures.ts"
import type { LedgerExport } from "../../core/contracts/ledger.ts"
import type { Workspace } from "../../store/workspace.ts"
import { withLockAcross } from "../../store/files/lock.ts"
import { answersFiles } from "../../store/rows/answers.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { isThere } from "../../store/rows/model-places.ts"
import { forgetAnswers } from "../../store/rows/remembered.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import { SplitPairs } from "../../store/rows/split-pairs.ts"
import type { StageContext } from "../context.ts"

export interface ErasureOptions {
  readonly ids: readonly string[]
  readonly matching: string | undefined
  readonly why: string | undefined
  /** False shows what would go and writes nothing. */
  readonly yes: boolean
}

export interface Erasure {
  readonly state: "planned" | "erased" | "unchanged"
  readonly rows: readonly ShownRow[]
  /** Near-duplicates of erased rows, which stay. */
  readonly nearCopies: readonly string[]
  readonly versions: readonly { readonly id: string; readonly files: readonly string[] }[]
  readonly runs: readonly ReachedRun[]
  readonly exports: readonly (Pick<LedgerExport, "path" | "format" | "version" | "split" | "at"> & {
    readonly exists: boolean
  })[]
  /** Recorded requests to models that say something of the rows. */
  readonly requests: number
  /** Files and folders that commands which were killed left in the task's folder; they go, whatever they hold. */
  readonly unfinished: number
}

/** A row that goes. `text` is what it says, before it is gone; of a held-out row nobody is shown it. */
export interface ShownRow extends Omit<ReachedRow, "contents"> {
  readonly text?: string | undefined
}

/** A run that had an erased row: nothing of it is deleted. */
export interface ReachedRun {
  readonly run: string
  readonly state: string
  readonly splits: readonly string[]
  readonly folder: string
  readonly adapter: string | undefined
  readonly remote: RemoteJob | undefined
  /** Its files at the provider that have the row, as far as is known. */
  readonly uploads: readonly UploadedFile[]
  /** The command that deletes them; absent where none lies there. */
  readonly purge?: string
}

/**
 * The named rows, rows of the same content and all that was grown from them are gone from the task: tombstones without
 * content stand first, then the rows leave the files that people and machines wrote, also those that a kill left
 * unfinished, the answers to them and about them, the frozen files, which are marked, and the ledger's requests. Killed
 * at any moment and called again, it finishes; a finished erasure is `unchanged`. Runs, adapters, exports and remote
 * objects are listed and stay. Opens no test row to anybody: of held-out rows it tells the id alone. The files are gone
 * through several times; memory has the rows that go.
 */
export async function erase(context: StageContext, task: TaskSpecification, options: ErasureOptions): Promise<Erasure> {
  const { workspace } = context
  const folder = workspace.taskFolder(task.task)
  if (!options.yes) return (await plan(context, task, folder, options)).erasure
  return withLockAcross(workspace.lockFile(task.task), workspace.show(folder), async () => {
    const { erasure, reached } = await plan(context, task, folder, options)
    const known = new Set(readTombstones(folder).map(({ id }) => id))
    const at = context.now().toISOString()
    const tombstones = reached
      .map(
        ({ id, contents }): Tombstone => ({
          id: idDigest(id),
          contents: [...contents],
          at,
          ...(options.why === undefined ? {} : { why: options.why }),
        }),
      )
      .filter(({ id }) => !known.has(id))
    addTombstones(folder, tombstones)
    const removed = removeUnfinished(folder) + (await sweep(context, task, folder, at))
    forgetAnswers(workspace, task.task)
    const rows = erasure.rows.map(({ text: _, ...row }) => row)
    return { ...erasure, rows, state: tombstones.length + removed > 0 ? "erased" : "unchanged" }
  })
}

/**
 * Removes what the tombstones name from every file; returns how many rows went. What a row says is still needed for the
 * ledger, which therefore comes first.
 */
async function sweep(context: StageContext, task: TaskSpecification, folder: string, at: string): Promise<number> {
  // A report of pairs is made anew from the rows that are left.
  new SplitPairs(folder).remove()
  const erased = erasedBy(readTombstones(folder))
  const isErased = (row: RawRow) => erased.of(row) !== undefined
  const { loose, frozen } = rowFiles(folder)
  const files = [...loose, ...frozen.flatMap(({ files: names }) => names)]
  const requests = await requestsOf(context, task, rowsIn(files, isErased))
  if (requests.length > 0) await context.ledger().requests.erase(requests)
  const frozenRows = frozen.map(({ folder: place, files: names }) =>
    removeFrozenRows(place, names, isErased, at, (row) => idDigest(row.id ?? "")),
  )
  const looseRows = [...loose, ...answersFiles(context.workspace, task.task)].map((file) => removeRows(file, isErased))
  return [...frozenRows, ...looseRows].reduce((sum, count) => sum + count, 0)
}

async function plan(
  context: StageContext,
  task: TaskSpecification,
  folder: string,
  options: ErasureOptions,
): Promise<{ erasure: Erasure; reached: readonly ReachedRow[] }> {
  const { workspace } = context
  const { loose, frozen } = rowFiles(folder)
  const files = [...loose, ...frozen.flatMap(({ files: names }) => names)]
  const tombstones = readTombstones(folder)
  const named = namedRows(task, files, tombstones, options)
  const { reached, nearCopies } = erasureReach(placedRows(workspace, files), new Set(named))
  const keys = new Set([...reached.map(({ id }) => id), ...named].map(idDigest))
  const versions = frozen.flatMap(({ id, folder: place }) => {
    const start = `${workspace.show(place)}/`
    const here = reached.flatMap(({ places }) => places).filter((file) => file.startsWith(start))
    const gone = Object.entries(erasedMark(place)?.files ?? {}).flatMap(([name, { removed }]) =>
      removed.some((id) => keys.has(id)) ? [name] : [],
    )
    const names = [...new Set([...here.map((file) => file.slice(start.length)), ...gone])].sort()
    return names.length === 0 ? [] : [{ id, files: names }]
  })
  const reachedDigits = new Set(reached.map(({ id }) => digits(id)))
  const isGoing = ({ id }: RawRow) => id !== undefined && reachedDigits.has(digits(id))
  const going = rowsIn(files, isGoing)
  const texts = textsOf(task, going, new TaskRows(workspace, task.task).heldOut())
  return {
    reached,
    erasure: {
      state: "planned",
      rows: reached.map(({ contents: _, ...row }) => ({ ...row, text: texts.get(digits(row.id)) })),
      nearCopies,
      versions,
      runs: await runsOf(context, task, versions),
      exports: await exportsOf(context, task, versions),
      requests: (await requestsOf(context, task, going)).length,
      unfinished: unfinishedFiles(folder).length,
    },
  }
}

/** What each row says where it stands first, by its digits; nothing of what is held out, and of what grew from it. */
function textsOf(
  task: TaskSpecification,
  rows: readonly RawRow[],
  heldOut: ReadonlyMap<string, unknown>,
): Map<string, string> {
  const held = new Set(Array.from(heldOut.keys(), digits))
  const texts = new Map<string, string>()
  for (const { id = "", input, ...row } of rows) {
    const isHeld = [id, ...parentsOf(row)].some((each) => held.has(digits(each)))
    if (isHeld || texts.has(digits(id)) || typeof input !== "object" || input === null) continue
    texts.set(digits(id), inputText(task, input as Input) || JSON.stringify(input))
  }
  return texts
}

/** The rows of the files as they stand, anew each time that they are gone through. */
function placedRows(workspace: Workspace, files: readonly string[]): Iterable<PlacedRow> {
  return {
    *[Symbol.iterator]() {
      for (const file of files) {
        const place = workspace.show(file)
        for (const { row } of rawRows(file)) {
          const id = row.id ?? row.item
          if (id !== undefined) yield { id, place, input: row.input, parents: parentsOf(row), witness: row.witness }
        }
      }
    },
  }
}

/**
 * The ids that the user means, and those of rows that an interrupted erasure left: it is finished with any other. An id
 * that is nowhere, not even erased, is an error.
 */
function namedRows(
  task: TaskSpecification,
  files: readonly string[],
  tombstones: readonly Tombstone[],
  { ids, matching }: ErasureOptions,
): string[] {
  if (ids.length === 0 && matching === undefined && tombstones.length === 0)
    throw new UsageError(
      "nothing is named",
      `Name rows by id, or by a text in them: tuneloop dataset erase ${task.task} --matching TEXT`,
    )
  if (matching !== undefined && matching.trim().length < 3)
    throw new UsageError(`--matching got ${show(matching)}; it needs at least 3 characters`, "Give more of the text.")
  const erased = erasedBy(tombstones)
  const missing = new Map(ids.map((id) => [digits(id), id]))
  const [found, left] = [new Set<string>(), new Set<string>()]
  for (const file of files)
    for (const { row } of rawRows(file)) {
      const id = row.id ?? row.item
      if (id === undefined) continue
      missing.delete(digits(id))
      if (matching !== undefined && mentions({ ...row }, matching)) found.add(id)
      if (erased.of(row) !== undefined) left.add(id)
    }
  const gone = new Set(tombstones.map(({ id }) => id))
  const unknown = [...missing.values()].filter((id) => !gone.has(idDigest(id)))
  if (unknown.length > 0)
    throw new DataError(
      `task ${task.task} has no row ${unknown.join(", ")}`,
      [],
      `Ids begin with seed_, input_, cand_ or ex_; find them by a text: tuneloop dataset erase ${task.task} --matching TEXT`,
    )
  if (matching !== undefined && found.size === 0 && tombstones.length === 0)
    throw new DataError(
      `no row of ${task.task} says ${show(matching)}`,
      [],
      "Case does not matter; the text must stand in one field.",
    )
  return [...new Set([...ids, ...found, ...left])]
}

/**
 * The recorded requests that say what the rows say, or that made them. A short text (a label) would be in all of them
 * and says nothing of a person.
 */
async function requestsOf(context: StageContext, task: TaskSpecification, rows: readonly RawRow[]): Promise<string[]> {
  const texts = [...new Set(rows.flatMap(({ input, output }) => [...textsIn(input), ...textsIn(output)]))].filter(
    (text) => text.length >= shortestTelling,
  )
  const made = new Set(rows.flatMap(({ request, provenance }) => [request, provenance?.request]))
  const ledger = context.readLedger().requests
  const answers = await ledger.answers([...made].flatMap((key) => key ?? []))
  return [
    ...new Set([
      ...(await ledger.saying(task.task, texts)),
      ...[...answers].flatMap(([key, { text }]) => (text === "" ? [] : [key])),
    ]),
  ]
}

const shortestTelling = 12

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value]
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : []
}

async function runsOf(
  context: StageContext,
  task: TaskSpecification,
  versions: Erasure["versions"],
): Promise<ReachedRun[]> {
  const filesOf = new Map(versions.map(({ id, files }) => [id, files]))
  const ledger = context.readLedger()
  const reached: ReachedRun[] = []
  for (const { run } of await ledger.runs.list({ task: task.task })) {
    const files = runFiles(context.workspace, run)
    const planned = readPlan(files)
    if (planned === undefined) continue
    const isIn = (id: string, file: string) => filesOf.get(id)?.includes(file) === true
    const splits = [
      ...(isIn(planned.dataset, "train.jsonl") ? ["train"] : []),
      ...(isIn(planned.holdout, "validation.jsonl") ? ["validation"] : []),
      ...(isIn(planned.holdout, "test.jsonl") ? ["test"] : []),
    ]
    if (splits.length === 0) continue
    const summary = reduceRun(run, await ledger.runs.events(run))
    const { state, job: remote } = summary
    const adapter = isThere(context.workspace, files.adapter) ? context.workspace.show(files.adapter) : undefined
    const uploads = summary.uploads.filter(
      ({ file, purgedAt }) => purgedAt === undefined && splits.some((split) => file === `${split}.jsonl`),
    )
    // Of a submission that was cut off nobody has heard yet what it uploaded.
    const isOpen = planned.backend.name !== "local" && isUnsettled(summary)
    const purge = uploads.length > 0 || isOpen ? { purge: `tuneloop runs purge ${run}` } : {}
    const folder = context.workspace.show(files.folder)
    reached.push({ run, state, splits, folder, adapter, remote, uploads, ...purge })
  }
  return reached
}

async function exportsOf(
  context: StageContext,
  task: TaskSpecification,
  versions: Erasure["versions"],
): Promise<Erasure["exports"]> {
  const filesOf = new Map(versions.map(({ id, files }) => [id, files]))
  const exported = await context.readLedger().exports.of(task.task)
  return exported
    .filter(({ version, holdout, split }) =>
      split === "train"
        ? filesOf.get(version)?.some((file) => file === "train.jsonl" || file === "preferences.jsonl")
        : filesOf.get(holdout)?.includes(`${split}.jsonl`),
    )
    .map(({ path, format, version, split, at }) => ({
      path,
      format,
      version,
      split,
      at,
      exists: isThere(context.workspace, path),
    }))
}

function rowsIn(files: readonly string[], isWanted: (row: RawRow) => boolean): RawRow[] {
  const found: RawRow[] = []
  for (const file of files) for (const { row } of rawRows(file)) if (isWanted(row)) found.push(row)
  return found
}

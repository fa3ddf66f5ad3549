import { digits } from "../../curation/leaks/lineage.ts"
import { erasureReach, type ReachedRow } from "../../curation/leaks/erasure-reach.ts"
import { DataError } from "../../core/errors.ts"
import { erasedBy, idDigest, type Tombstone } from "../../core/rows/erasure.ts"
import { show } from "../../core/parse.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import {
  addTombstones,
  erasedMark,
  readTombstones,
  rowFiles,
  unfinishedOf,
  type RawRow,
} from "../../store/rows/erasures.ts"
import { readText } from "../../store/files/files.ts"
import { withLockAcross } from "../../store/files/lock.ts"
import { answersFiles } from "../../store/rows/answers.ts"
import { keyOf, RemainingPlaces, type RemainingPlace } from "../../store/erasing/remaining.ts"
import { isSaying, type ErasedSaying } from "../../store/erasing/run-erasure.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import type { StageContext } from "../context.ts"
import { isDone, remainingElsewhere } from "./erase-elsewhere.ts"
import {
  namedRows,
  noSuchRow,
  placedRows,
  requireWish,
  rowsIn,
  shownTexts,
  tellingOf,
  type Telling,
} from "./erase-rows.ts"
import { reachedExports, reachedRuns, type ReachedExport, type ReachedRun } from "./erase-runs.ts"
import { eraseRequests, sweep, unnamedRows, type ToSweep } from "./erase-sweep.ts"

export interface ErasureOptions {
  readonly ids: readonly string[]
  readonly matching: string | undefined
  readonly why: string | undefined
  /** False shows what would go and writes nothing. */
  readonly yes: boolean
  /** Why what lies elsewhere may stay. */
  readonly acceptRemaining?: string | undefined
}

export interface Erasure {
  readonly state: "planned" | "erased" | "unchanged"
  readonly rows: readonly ShownRow[]
  /** Near-duplicates of erased rows, which stay. */
  readonly nearCopies: readonly string[]
  readonly versions: readonly { readonly id: string; readonly files: readonly string[] }[]
  readonly runs: readonly ReachedRun[]
  readonly exports: readonly ReachedExport[]
  /** Recorded requests to models that show the rows, or say something of them. */
  readonly requests: number
  /** Files and folders that commands which were killed left; they go, whatever they hold. */
  readonly unfinished: number
  /** Where the text lies elsewhere, as far as it is not dealt with or accepted. */
  readonly remaining: readonly RemainingPlace[]
  /** `busy`: another process has the ledger open and keeps its old pages; the same command finishes. */
  readonly ledger: "clean" | "busy"
}

/** A row that goes. `text` is what it says, before it is gone; of a held-out row nobody is shown it. */
export interface ShownRow extends Omit<ReachedRow, "contents"> {
  readonly text?: string | undefined
}

/**
 * The named rows, rows of the same content and all that was grown from them are gone from every file that Tuneloop
 * wrote for the task: tombstones without content stand first, then the ledger's requests lose their texts, then the
 * rows leave the folders of runs, the answers to them and about them, the frozen files, which are marked, and the files
 * that people and machines wrote, also those that a kill left unfinished. Killed at any moment and called again, it
 * finishes; a finished erasure is `unchanged`. What lies elsewhere is listed with what to do. Opens no test row to
 * anybody: of held-out rows it tells the id alone. The files are gone through several times; memory has the rows that
 * go.
 */
export async function erase(context: StageContext, task: TaskSpecification, options: ErasureOptions): Promise<Erasure> {
  const { workspace } = context
  const folder = workspace.taskFolder(task.task)
  if (!options.yes) return (await plan(context, task, folder, options)).erasure
  return withLockAcross(workspace.lockFile(task.task), workspace.show(folder), async () => {
    const planned = await plan(context, task, folder, options)
    const { erasure, reached, keys } = planned
    const at = context.now().toISOString()
    const tombstones = newTombstones(folder, reached, options.why, at)
    addTombstones(folder, tombstones)
    const left = new RemainingPlaces(workspace, task.task)
    if (tombstones.length + keys.length > 0) left.add(planned.elsewhere, at)
    const removed = (await eraseRequests(context, task.task, planned)) + sweep(context, task.task, planned, at)
    if (options.acceptRemaining !== undefined && left.standing().length > 0)
      left.accept(options.acceptRemaining, context.now().toISOString())
    const rows = erasure.rows.map(({ text: _, ...row }) => row)
    return {
      ...erasure,
      rows,
      remaining: await standingPlaces(context, task, planned),
      state: tombstones.length + removed > 0 ? "erased" : "unchanged",
      ledger: await context.ledger().scrub(),
    }
  })
}

interface Planned extends ToSweep {
  readonly erasure: Erasure
  readonly elsewhere: readonly RemainingPlace[]
}

async function plan(
  context: StageContext,
  task: TaskSpecification,
  folder: string,
  options: ErasureOptions,
): Promise<Planned> {
  const { workspace } = context
  const { loose, frozen } = rowFiles(folder)
  const files = [...loose, ...frozen.flatMap(({ files: names }) => names)]
  const tombstones = readTombstones(folder)
  requireWish(task.task, options, tombstones)
  const { named, missing } = namedRows(files, tombstones, options)
  const found = erasureReach(placedRows(workspace, files), new Set(named))
  const reached = [...found.reached, ...(await ledgerRows(context, task.task, missing))]
  const going = rowsIn(files, goingAmong(reached))
  const telling = tellingOf(task, going, options.matching, await commonText(context, task.task))
  const { keys, quoting } = await requestsOf(context, task.task, { reached, going, telling })
  const versions = markedParts(context, frozen, { reached, named, tombstones, options })
  const erased = { isErased: erasedAmong(reached, tombstones), search: telling.search }
  const runs = await reachedRuns(context, task, versions, erased)
  const exports = await reachedExports(context, task, versions)
  const others = [...answersFiles(workspace, task.task), ...unnamedRows(loose)].some((file) => isSaying(file, erased))
  const isNothing = reached.length + keys.length + runs.length === 0 && !others
  if (options.matching !== undefined && isNothing && tombstones.length === 0)
    throw new DataError(
      `no row of ${task.task} says ${show(options.matching)}, and no request, answer or run does`,
      [],
      "Case does not matter; the text must stand in one field.",
    )
  const texts = shownTexts(task, going, new TaskRows(workspace, task.task).heldOut())
  const hadRows = reached.length + versions.length > 0
  const elsewhere = await remainingElsewhere(context, task, {
    ...{ runs, exports, requests: keys, hadRows },
    search: telling.search,
  })
  const erasure: Erasure = {
    state: "planned",
    rows: reached.map(({ contents: _, ...row }) => ({ ...row, text: texts.get(digits(row.id)) })),
    nearCopies: found.nearCopies,
    ...{ versions, runs, exports },
    requests: keys.length,
    unfinished: unfinishedOf(workspace, task.task, exports).length,
    remaining: elsewhere,
    ledger: "clean",
  }
  return { erasure, reached, keys, quoting, telling, runs, exports, elsewhere }
}

/** Rows that only the ledger knows of: their files are gone, and what models were shown is not. */
async function ledgerRows(context: StageContext, task: string, missing: readonly string[]): Promise<ReachedRow[]> {
  const unknown: string[] = []
  const rows: ReachedRow[] = []
  for (const id of missing)
    if ((await context.readLedger().requests.showing(task, [id])).length === 0) unknown.push(id)
    else rows.push({ id, places: ["the ledger"], why: "named", contents: [] })
  if (unknown.length > 0) throw noSuchRow(task, unknown)
  return rows
}

function goingAmong(reached: readonly ReachedRow[]): (row: RawRow) => boolean {
  const going = new Set(reached.map(({ id }) => digits(id)))
  return ({ id }) => id !== undefined && going.has(digits(id))
}

/** Whether a row was erased, or is to be. */
function erasedAmong(reached: readonly ReachedRow[], tombstones: readonly Tombstone[]): ErasedSaying["isErased"] {
  const at = ""
  const planned = reached.map(({ id, contents }) => ({ id: idDigest(id), contents: [...contents], at }))
  const erased = erasedBy([...tombstones, ...planned])
  return (row) => erased.of(row) !== undefined
}

/** What a text cannot tell rows by: it stands in every prompt, and in the name of every run. */
async function commonText(context: StageContext, task: string): Promise<string> {
  const runs = await context.readLedger().runs.list({ task })
  return [task, readText(context.workspace.specFile(task)), ...runs.flatMap(({ run, job }) => [run, job])].join("\n")
}

/** The frozen folders that have a row which goes, or had one that an erasure took. */
function markedParts(
  { workspace }: StageContext,
  frozen: ReturnType<typeof rowFiles>["frozen"],
  given: {
    readonly reached: readonly ReachedRow[]
    readonly named: readonly string[]
    readonly tombstones: readonly Tombstone[]
    readonly options: ErasureOptions
  },
): Erasure["versions"] {
  const { reached, named, tombstones, options } = given
  const keys = new Set([...reached.map(({ id }) => id), ...named].map(idDigest))
  // Without an id every erasure of the task is meant: what they left to do is told again.
  if (options.ids.length === 0) for (const { id } of tombstones) keys.add(id)
  return frozen.flatMap(({ id, folder: place }) => {
    const start = `${workspace.show(place)}/`
    const here = reached.flatMap(({ places }) => places).filter((file) => file.startsWith(start))
    const gone = Object.entries(erasedMark(place)?.files ?? {}).flatMap(([name, { removed }]) =>
      removed.some((each) => keys.has(each)) ? [name] : [],
    )
    const names = [...new Set([...here.map((file) => file.slice(start.length)), ...gone])].sort()
    return names.length === 0 ? [] : [{ id, files: names }]
  })
}

/**
 * The recorded requests that showed the rows, that made them, and that say what they say. Of requests of before it was
 * recorded what they show, also those that say it with pseudonyms.
 */
async function requestsOf(
  context: StageContext,
  task: string,
  { reached, going, telling }: { reached: readonly ReachedRow[]; going: readonly RawRow[]; telling: Telling },
): Promise<{ readonly keys: string[]; readonly quoting: string[] }> {
  const ledger = context.readLedger().requests
  const made = going.flatMap(({ request, provenance }) => [request ?? [], provenance?.request ?? []].flat())
  const known = await ledger.find(new Set(made))
  const quoting = await ledger.saying(task, telling.texts)
  const keys = [
    ...quoting,
    ...(await ledger.showing(
      task,
      reached.map(({ id }) => id),
    )),
    ...(await ledger.saying(task, telling.pseudonymous, { withoutRows: true })),
    ...[...known.values()].flatMap(({ key, isErased }) => (isErased ? [] : [key])),
  ]
  return { keys: [...new Set(keys)], quoting }
}

/** What stands elsewhere still: what was found now or by an earlier erasure, and nobody dealt with or accepted. */
async function standingPlaces(
  context: StageContext,
  task: TaskSpecification,
  { elsewhere, telling }: Pick<Planned, "elsewhere" | "telling">,
): Promise<RemainingPlace[]> {
  const current = new Set(elsewhere.map(keyOf))
  const standing: RemainingPlace[] = []
  for (const place of new RemainingPlaces(context.workspace, task.task).standing())
    if (!(await isDone(context, place, current, telling.search))) standing.push(place)
  return standing
}

function newTombstones(
  folder: string,
  reached: readonly ReachedRow[],
  why: string | undefined,
  at: string,
): Tombstone[] {
  const known = new Set(readTombstones(folder).map(({ id }) => id))
  return reached
    .map(
      ({ id, contents }): Tombstone => ({
        id: idDigest(id),
        contents: [...contents],
        at,
        ...(why === undefined ? {} : { why }),
      }),
    )
    .filter(({ id }) => !known.has(id))
}

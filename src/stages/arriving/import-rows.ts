import { bitsOf } from "../../core/id-table.ts"
import { canonicalJson } from "../../core/canonical.ts"
import { DataError, type Issue } from "../../core/errors.ts"
import type { Assignment, Split } from "../../core/rows/example.ts"
import type { Held } from "../../core/rows/holdout-refresh.ts"
import { hasManyAnswers, type TaskSpecification } from "../../core/task/task.ts"
import { withLockAcross } from "../../store/files/lock.ts"
import { withRollback } from "../../store/files/rollback.ts"
import { rowIds } from "../../store/rows/row-ids.ts"
import { plainSeeds } from "../../store/rows/seed-ranges.ts"
import { LineIds, type RowKind } from "../../store/files/split-lines.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import type { StageContext } from "../context.ts"
import { inPieces } from "../in-pieces.ts"
import { holdOutLocked, type HoldOutCounts } from "./hold-out.ts"
import { wornRows } from "./holdout-wear.ts"
import { type EqualRows, takeOutEqual } from "./equal-rows.ts"
import { contentOf, type Row } from "./imported-row.ts"
import { ImportedRows } from "./imported-rows.ts"
import type { LikelyGroup } from "./likely-groups.ts"
import { readRows, type AcrossSplits, type FoundPersonalData, type UnusedColumns } from "./read-rows.ts"

export interface ImportResult {
  readonly read: number
  readonly added: number
  readonly corrected: number
  readonly unchanged: number
  readonly invalid: readonly Issue[]
  /** How many rows these are: one may have several issues. */
  readonly invalidRows: number
  /** What a reader of the rows ought to know of the files. */
  readonly notes: readonly string[]
  readonly personalData: readonly FoundPersonalData[]
  readonly unusedColumns: readonly UnusedColumns[]
  /** Columns that look as if they said which rows belong together, where the specification names none. */
  readonly likelyGroups: readonly LikelyGroup[]
  readonly split: HoldOutCounts
  readonly untested: readonly string[]
  /** Rows that the files have in two splits: the most held-out one counts. */
  readonly acrossSplits: readonly AcrossSplits[]
  /** Rows that say another split than the one they have had since they first arrived. */
  readonly heldElsewhere: readonly { readonly id: string; readonly split: Held; readonly asked: Split }[]
  /** What of the new rows the task has already, where that was looked for. */
  readonly equal: EqualRows
}

export interface ImportOptions {
  /** Skip invalid rows instead of refusing all. */
  readonly skipInvalid: boolean
  /** The column of an input field, `output`, `key`, `source` or `split`, where it is called otherwise. */
  readonly columns?: ReadonlyMap<string, string>
  /** The sheet of workbooks; default the only one with rows. */
  readonly sheet?: string | undefined
  /** The split of each file's rows that name none. */
  readonly splitOf?: ReadonlyMap<string, Split>
  /** Looks for rows that say what one of the task says already, and leaves out those that say nothing new. */
  readonly withoutEqual?: boolean
}

/**
 * The gold examples of the files are in the task's seeds, each once: importing a file again changes nothing, a row with
 * a known key corrects that seed. Any invalid row stops the import before a byte is written, unless `skipInvalid`
 * skips such rows. New seeds are scanned for personal data and held out. A row may say its split, and then has it
 * for good: unless it has another already.
 */
export function importSeeds(
  context: StageContext,
  task: TaskSpecification,
  files: readonly string[],
  options: ImportOptions,
): Promise<ImportResult> {
  return importRows(context, task, files, options, "seed")
}

/** The real inputs of the files are in the task's inputs, each once; otherwise like `importSeeds`. */
export function importInputs(
  context: StageContext,
  task: TaskSpecification,
  files: readonly string[],
  options: ImportOptions,
): Promise<ImportResult> {
  return importRows(context, task, files, options, "input")
}

async function importRows(
  context: StageContext,
  task: TaskSpecification,
  files: readonly string[],
  options: ImportOptions,
  kind: RowKind,
): Promise<ImportResult> {
  const { workspace } = context
  const store = new TaskRows(workspace, task.task)
  const rows = new ImportedRows(workspace.root)
  try {
    const reading = {
      ...{ task, kind, files, erased: store.erased(), rows },
      columns: options.columns ?? new Map(),
      sheet: options.sheet,
      splitOf: options.splitOf ?? new Map(),
    }
    const found = await readRows(reading, context.signal)
    const { read, invalid, invalidRows, notes, personalData, unusedColumns, likelyGroups, acrossSplits } = found
    if (invalid.length > 0 && !options.skipInvalid)
      throw new DataError(
        `${invalidRows} of ${read} rows cannot be imported; nothing was written`,
        invalid,
        rows.given > 0 ? `Mend those rows, or import the other ${rows.given} with --skip-invalid.` : "Mend those rows.",
      )
    const worn = await wornRows(context, task)
    // Read and written under one lock: of two imports at once, neither may write over what the other added.
    const { heldElsewhere, held, equal, ...counts } = await withLockAcross(
      workspace.lockFile(task.task),
      workspace.show(store.folder),
      () => withRollback([fileOf(store, kind), store.splitsFile], () => inPieces(changing(), context.signal)),
    )
    function* changing() {
      requireStanding(task, store, rows)
      const found = options.withoutEqual ? takeOutEqual(store, kind, rows, files) : noneEqual
      const equal = hasManyAnswers(task) ? { ...found, conflicts: [] } : found
      // Before the rows: a row that a kill leaves without its split would be held out as if it said none.
      const heldElsewhere = holdAsSaid(store, kind, rows)
      const counts = merge(store, kind, rows)
      // Under the same lock: who came between would make this import fail with its rows written.
      return { ...counts, equal, heldElsewhere, held: yield* holdOutLocked(task, store, worn) }
    }
    return {
      read,
      ...counts,
      unchanged: counts.unchanged - equal.leftOut.length,
      invalid,
      invalidRows,
      notes,
      personalData,
      unusedColumns,
      likelyGroups,
      split: held.counts,
      untested: held.untested,
      acrossSplits,
      heldElsewhere,
      equal,
    }
  } finally {
    rows.close()
  }
}

function fileOf(store: TaskRows, kind: RowKind): string {
  return kind === "seed" ? store.seedsFile : store.inputsFile
}

const noneEqual: EqualRows = { leftOut: [], conflicts: [], answered: [] }

/**
 * The rows that are new are in the file of the task after those that were there, and those that say something else are
 * as they say.
 */
function merge(
  store: TaskRows,
  kind: RowKind,
  rows: ImportedRows,
): { added: number; corrected: number; unchanged: number } {
  const before = rowIds(store, kind)
  const states = new Uint8Array(rows.size)
  let asked = 0
  for (let row = 0; row < rows.size; row += 1) {
    if (!rows.isIn(row)) continue
    const isThere = before.find(...bitsOf(rows.digits(row))) >= 0
    states[row] = isThere ? unchanged : added
    asked += Number(isThere)
  }
  const isAsked = (id: string) => {
    const row = rows.find(id)
    return row >= 0 && states[row] === unchanged
  }
  const known = asked === 0 ? [] : kind === "seed" ? plainSeeds(store, { has: isAsked }) : store.eachInput(isAsked)
  for (const row of known) {
    const number = rows.find(row.id)
    if (!rows.says(number, contentOf(row)) || saysMore(rows, number, row)) states[number] = corrected
  }
  function* standing(): Generator<Row> {
    for (const row of kind === "seed" ? plainSeeds(store) : store.eachInput()) {
      const number = rows.find(row.id)
      if (number < 0 || states[number] !== corrected) yield row
      else {
        const said = rows.row(number)
        const columns = columnsOf(row, said)
        yield columns === undefined ? said : { ...said, columns }
      }
    }
  }
  const count = (state: number) => states.reduce((sum, each) => sum + Number(each === state), 0)
  const counts = { added: count(added), corrected: count(corrected) }
  if (counts.added + counts.corrected > 0)
    store.writeRows(
      kind,
      standing(),
      rows.lines((row) => states[row] === added),
    )
  return { ...counts, unchanged: rows.given - counts.added - counts.corrected }
}

/** Whether the import has a column beside the input that the row of the task has not, or has otherwise. */
function saysMore(rows: ImportedRows, number: number, row: Row): boolean {
  if (!rows.haveColumns) return false
  return canonicalJson(columnsOf(row, rows.row(number)) ?? {}) !== canonicalJson(row.columns ?? {})
}

/**
 * What a row has beside its input once it is imported again. A row with a key is corrected in this as in all else. One
 * that is known by its text alone may be said by somebody else the next time: it stays where it was first met.
 */
function columnsOf(row: Row, said: Row): Row["columns"] {
  if (row.columns === undefined || said.columns === undefined) return row.columns ?? said.columns
  return said.key === undefined ? { ...said.columns, ...row.columns } : { ...row.columns, ...said.columns }
}

// What becomes of a row.
const [added, corrected, unchanged] = [1, 2, 3] as const

/** Records the splits that rows say, for good; returns the rows that were held elsewhere before and stay there. */
function holdAsSaid(store: TaskRows, kind: RowKind, rows: ImportedRows): { id: string; split: Held; asked: Split }[] {
  const asked: Assignment[] = []
  for (let row = 0; row < rows.size; row += 1) {
    const said = rows.isIn(row) ? rows.said(row) : undefined
    if (said !== undefined) asked.push({ id: `${kind}_${rows.digits(row)}`, ...said })
  }
  // Also where no row says one: splits that cannot be read stop an import before its rows are written.
  const held = store.heldOf(new LineIds(asked.map(({ id }) => id)))
  const missing = asked.filter(({ id }) => !held.has(id)).sort((a, b) => (a.id < b.id ? -1 : 1))
  if (missing.length > 0) store.addAssignments(missing)
  return asked.flatMap(({ id, split }) => {
    const has = held.get(id)
    return has === undefined || has === split ? [] : [{ id, split: has, asked: split }]
  })
}

/** What was erased while the files were read must not come back either. */
function requireStanding(task: TaskSpecification, store: TaskRows, rows: ImportedRows): void {
  const erased = store.erased()
  if (erased.isEmpty) return
  let gone = 0
  for (let row = 0; row < rows.size; row += 1) if (rows.isIn(row) && erased.of(rows.row(row)) !== undefined) gone += 1
  if (gone > 0)
    throw new DataError(
      `${gone} of these rows were erased from ${task.task} while they were read; nothing was written`,
      [],
      "Run the command again: it names them.",
    )
}

import { join } from "node:path"
import { unlabelled } from "../curation/hold-out.ts"
import { personalDataKindsIn } from "../curation/privacy.ts"
import { digest } from "../core/canonical.ts"
import { DataError, type Issue } from "../core/errors.ts"
import type { Erased, Tombstone } from "../core/erasure.ts"
import { splits, type Assignment, type RealInput, type Seed, type Split } from "../core/example.ts"
import type { Held } from "../core/holdout-refresh.ts"
import { stratumOf } from "../core/output.ts"
import { show } from "../core/parse.ts"
import type { TaskSpecification } from "../core/task.ts"
import { withLock } from "../store/lock.ts"
import { SpillFile } from "../store/spill-file.ts"
import { openTable, type TableRow } from "../store/table.ts"
import { TaskRows } from "../store/task-rows.ts"
import type { StageContext } from "./context.ts"
import { holdOutLocked, type HoldOutCounts } from "./hold-out.ts"
import { columnsOf, parseRow, type Kind, type Row } from "./imported-row.ts"

export interface ImportResult {
  readonly read: number
  readonly added: number
  readonly corrected: number
  readonly unchanged: number
  readonly invalid: readonly Issue[]
  readonly personalData: readonly { readonly id: string; readonly place: string; readonly kinds: readonly string[] }[]
  readonly split: HoldOutCounts
  readonly untested: readonly string[]
  /** Rows that the files have in two splits: the most held-out one counts. */
  readonly acrossSplits: readonly AcrossSplits[]
  /** Rows that say another split than the one they have had since they first arrived. */
  readonly heldElsewhere: readonly { readonly id: string; readonly split: Held; readonly asked: Split }[]
}

/** One row that stands in several splits of the same data. */
export interface AcrossSplits {
  readonly id: string
  readonly places: readonly { readonly place: string; readonly split: Split }[]
}

export interface ImportOptions {
  /** Leave invalid rows out instead of refusing all. */
  readonly skipInvalid: boolean
  /** The column of an input field, `output`, `key`, `source` or `split`, where it is called otherwise. */
  readonly columns?: ReadonlyMap<string, string>
  /** The split of each file's rows that name none. */
  readonly splitOf?: ReadonlyMap<string, Split>
}

/** The gold examples of the files are in the task's seeds, each once: importing a file again changes nothing, a row with a known key corrects that seed. Any invalid row stops the import before a byte is written, unless `skipInvalid` leaves such rows out. New seeds are scanned for personal data and held out. A row may say its split, and then has it for good: unless it has another already. */
export function importSeeds(context: StageContext, task: TaskSpecification, files: readonly string[], options: ImportOptions): Promise<ImportResult> {
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
  kind: Kind,
): Promise<ImportResult> {
  const store = new TaskRows(context.workspace, task.task)
  const spill = new SpillFile(join(context.workspace.root, "import"))
  try {
    return await importSpilled(context, task, files, options, kind, { store, spill })
  } finally {
    spill.close()
  }
}

async function importSpilled(
  context: StageContext,
  task: TaskSpecification,
  files: readonly string[],
  options: ImportOptions,
  kind: Kind,
  { store, spill }: { readonly store: TaskRows; readonly spill: SpillFile },
): Promise<ImportResult> {
  const { workspace } = context
  const { read, valid, invalid, personalData, acrossSplits } = await readRows(task, files, options, kind, { erased: store.erased(), spill })
  if (invalid.length > 0 && !options.skipInvalid)
    throw new DataError(
      `${invalid.length} of ${read} rows cannot be imported; nothing was written`,
      invalid,
      valid.length > 0 ? `Mend those rows, or import the other ${valid.length} with --skip-invalid.` : "Mend those rows.",
    )
  // Read and written under one lock: of two imports at once, neither may write over what the other added.
  const { heldElsewhere, held, ...counts } = withLock(workspace.lockFile(task.task), workspace.show(store.folder), () => {
    requireStanding(task, store, valid, spill)
    // Before the rows: a row that a kill leaves without its split would be held out as if it said none.
    const heldElsewhere = holdAsSaid(store, valid)
    const counts = merge(store, kind, valid, spill)
    // Under the same lock: who came between would make this import fail with its rows written.
    return { ...counts, heldElsewhere, held: holdOutLocked(context, task, store) }
  })
  return { read, ...counts, invalid, personalData, split: held.counts, untested: held.untested, acrossSplits, heldElsewhere }
}

/** A row that can be imported; what it says lies in the spill. */
interface ValidRow {
  readonly id: string
  readonly place: number
  readonly bytes: number
  /** The digest of input and output: what makes a row with a known id a correction. */
  readonly content: string
  /** What the row or its file says, and the group that it is counted with. */
  readonly said: { readonly split: Split; readonly stratum: string } | undefined
}

interface ReadRows {
  readonly read: number
  readonly valid: ValidRow[]
  readonly invalid: Issue[]
  readonly personalData: { id: string; place: string; kinds: string[] }[]
  readonly acrossSplits: AcrossSplits[]
}

async function readRows(
  task: TaskSpecification,
  files: readonly string[],
  options: ImportOptions,
  kind: Kind,
  { erased, spill }: { readonly erased: Erased; readonly spill: SpillFile },
): Promise<ReadRows> {
  const valid: ValidRow[] = []
  const invalid: Issue[] = []
  const personalData: { id: string; place: string; kinds: string[] }[] = []
  const seen = new Map<string, { file: string; line: number; content: string }>()
  const places = new Map<string, { place: string; split: Split }[]>()
  let read = 0
  for (const file of files) {
    const table = await openTable(file)
    const before = read
    const unread: Issue[] = []
    const issues: Issue[] = []
    let columns: { found: ReturnType<typeof columnsOf> } | undefined
    const columnsFor = (first: readonly TableRow[]) => ({
      found: columnsOf(task, { rows: first, issues: [], format: table.format }, kind, file, options.columns ?? new Map()),
    })
    for (const tableRow of table.rows) {
      read += 1
      if ("message" in tableRow) {
        unread.push(tableRow)
        continue
      }
      columns ??= columnsFor([tableRow])
      const { line } = tableRow
      const place = `${file}:${line}`
      const parsed = parseRow(task, tableRow, columns.found, kind)
      if ("issues" in parsed) {
        issues.push(...parsed.issues.map((issue) => ({ ...issue, file, line })))
        continue
      }
      const { row } = parsed
      const tombstone = erased.of(row)
      if (tombstone !== undefined) {
        issues.push({ file, line, message: erasedMessage(tombstone) })
        continue
      }
      const content = contentOf(row)
      const known = seen.get(row.id)
      if (known && known.content !== content) {
        const message = `the id ${show(row.key ?? row.id)} is already that of ${known.file}:${known.line}, with other content`
        issues.push({ file, line, path: "id", message })
        continue
      }
      if (known === undefined) seen.set(row.id, { file, line, content })
      const found = personalDataKindsIn(task, { input: row.input, output: "output" in row ? row.output : null })
      if (found.length > 0 && task.privacy.personalData === "refuse") {
        issues.push({ file, line, message: `personal data or a secret (${found.join(", ")}); privacy.personalData is refuse` })
        continue
      }
      if (found.length > 0) personalData.push({ id: row.id, place, kinds: found })
      const split = parsed.split ?? options.splitOf?.get(file)
      if (split !== undefined) places.set(row.id, [...(places.get(row.id) ?? []), { place, split }])
      const start = spill.size
      spill.add(JSON.stringify(found.length > 0 ? { ...row, personalData: found } : row))
      const stratum = "output" in row ? stratumOf(task, row.output) : unlabelled
      valid.push({ id: row.id, place: start, bytes: spill.size - start, content, said: split === undefined ? undefined : { split, stratum } })
    }
    if (read === before)
      throw new DataError(
        `${file} has no rows`,
        [],
        kind === "seed" ? "Give a file with at least one example." : "Give a file with at least one input.",
      )
    columns ??= columnsFor([])
    invalid.push(...unread, ...issues)
  }
  const acrossSplits = [...places].flatMap(([id, at]) => (new Set(at.map(({ split }) => split)).size > 1 ? [{ id, places: at }] : []))
  return { read, valid, invalid, personalData, acrossSplits }
}

function merge(store: TaskRows, kind: Kind, valid: readonly ValidRow[], spill: SpillFile): { added: number; corrected: number; unchanged: number } {
  const each = (isWanted?: (id: string) => boolean): Iterable<Row> => (kind === "seed" ? store.eachSeed(isWanted) : store.eachInput(isWanted))
  const asked = new Set(valid.map(({ id }) => id))
  const contents = new Map<string, string>()
  for (const row of each((id) => asked.has(id))) contents.set(row.id, contentOf(row))
  const corrections = new Map<string, ValidRow>()
  const added = new Map<string, ValidRow>()
  let unchanged = 0
  for (const row of valid) {
    if ((added.get(row.id) ?? corrections.get(row.id))?.content === row.content || contents.get(row.id) === row.content) unchanged += 1
    else if (contents.has(row.id)) corrections.set(row.id, row)
    else added.set(row.id, row)
  }
  function* merged(): Generator<Row> {
    for (const row of each()) {
      const correction = corrections.get(row.id)
      yield correction === undefined ? row : spilled(correction, spill)
    }
    for (const row of added.values()) yield spilled(row, spill)
  }
  if (added.size + corrections.size > 0) {
    if (kind === "seed") store.writeSeeds(merged() as Iterable<Seed>)
    else store.writeInputs(merged() as Iterable<RealInput>)
  }
  return { added: added.size, corrected: corrections.size, unchanged }
}

function spilled({ place, bytes }: ValidRow, spill: SpillFile): Row {
  const line = Buffer.allocUnsafe(bytes)
  spill.read(place, line)
  return JSON.parse(line.toString("utf8")) as Row
}

/** Records the splits that rows say, for good; returns the rows that were held elsewhere before and stay there. */
function holdAsSaid(store: TaskRows, valid: readonly ValidRow[]): { id: string; split: Held; asked: Split }[] {
  const asked = new Map<string, Assignment>()
  for (const { id, said } of valid) {
    if (said === undefined) continue
    const before = asked.get(id)?.split
    if (before === undefined || splits.indexOf(said.split) > splits.indexOf(before)) asked.set(id, { id, ...said })
  }
  const held = new Map<string, Held>()
  for (const { id, split } of store.eachAssignment()) if (asked.has(id)) held.set(id, split)
  const added = [...asked.values()].filter(({ id }) => !held.has(id)).sort((a, b) => (a.id < b.id ? -1 : 1))
  if (added.length > 0) store.addAssignments(added)
  return [...asked.values()].flatMap(({ id, split }) => {
    const has = held.get(id)
    return has === undefined || has === split ? [] : [{ id, split: has, asked: split }]
  })
}

/** What was erased while the files were read must not come back either. */
function requireStanding(task: TaskSpecification, store: TaskRows, valid: readonly ValidRow[], spill: SpillFile): void {
  const erased = store.erased()
  const gone = erased.isEmpty ? [] : valid.filter((row) => erased.of(spilled(row, spill)) !== undefined)
  if (gone.length > 0)
    throw new DataError(
      `${gone.length} of these rows were erased from ${task.task} while they were read; nothing was written`,
      [],
      "Run the command again: it names them.",
    )
}

function erasedMessage({ at, why }: Tombstone): string {
  return `this row was erased on ${at.slice(0, 10)}${why === undefined ? "" : ` (${why})`} and does not come back`
}

function contentOf(row: Row): string {
  return digest({ input: row.input, output: "output" in row ? row.output : null })
}

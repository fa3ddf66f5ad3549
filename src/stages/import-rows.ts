import { unlabelled } from "../curation/hold-out.ts"
import { personalDataKindsIn } from "../curation/privacy.ts"
import { canonicalJson } from "../core/canonical.ts"
import { DataError, type Issue } from "../core/errors.ts"
import type { Erased, Tombstone } from "../core/erasure.ts"
import { splits, type Assignment, type RealInput, type Seed, type Split } from "../core/example.ts"
import type { Held } from "../core/holdout-refresh.ts"
import { stratumOf } from "../core/output.ts"
import { show } from "../core/parse.ts"
import type { TaskSpecification } from "../core/task.ts"
import { withLock } from "../store/lock.ts"
import { readAnyTable } from "../store/table.ts"
import { TaskRows } from "../store/task-rows.ts"
import type { StageContext } from "./context.ts"
import { holdOut, type HoldOutCounts } from "./hold-out.ts"
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
  const { workspace } = context
  const store = new TaskRows(workspace, task.task)
  const { read, valid, invalid, personalData, acrossSplits } = await readRows(task, files, options, kind, store.erased())
  if (invalid.length > 0 && !options.skipInvalid)
    throw new DataError(
      `${invalid.length} of ${read} rows cannot be imported; nothing was written`,
      invalid,
      valid.length > 0 ? `Mend those rows, or import the other ${valid.length} with --skip-invalid.` : "Mend those rows.",
    )
  // Read and written under one lock: of two imports at once, neither may write over what the other added.
  const { heldElsewhere, ...counts } = withLock(workspace.lockFile(task.task), workspace.show(store.folder), () => {
    requireStanding(task, store, valid)
    // Before the rows: a row that a kill leaves without its split would be held out as if it said none.
    const heldElsewhere = holdAsSaid(task, store, valid)
    return { ...merge(store, kind, valid), heldElsewhere }
  })
  const held = holdOut(context, task)
  return { read, ...counts, invalid, personalData, split: held.counts, untested: held.untested, acrossSplits, heldElsewhere }
}

interface ValidRow {
  readonly row: Row
  /** The canonical JSON of input and output: what makes a row with a known id a correction. */
  readonly content: string
  /** What the row or its file says. */
  readonly split: Split | undefined
}

interface ReadRows {
  readonly read: number
  readonly valid: ValidRow[]
  readonly invalid: Issue[]
  readonly personalData: { id: string; place: string; kinds: string[] }[]
  readonly acrossSplits: AcrossSplits[]
}

async function readRows(task: TaskSpecification, files: readonly string[], options: ImportOptions, kind: Kind, erased: Erased): Promise<ReadRows> {
  const valid: ValidRow[] = []
  const invalid: Issue[] = []
  const personalData: { id: string; place: string; kinds: string[] }[] = []
  const seen = new Map<string, { place: string; content: string }>()
  const places = new Map<string, { place: string; split: Split }[]>()
  let read = 0
  for (const file of files) {
    const table = await readAnyTable(file)
    invalid.push(...table.issues)
    read += table.rows.length + table.issues.length
    if (table.rows.length === 0 && table.issues.length === 0)
      throw new DataError(
        `${file} has no rows`,
        [],
        kind === "seed" ? "Give a file with at least one example." : "Give a file with at least one input.",
      )
    const columns = columnsOf(task, table, kind, file, options.columns ?? new Map())
    for (const tableRow of table.rows) {
      const place = `${file}:${tableRow.line}`
      const parsed = parseRow(task, tableRow, columns, kind)
      if ("issues" in parsed) {
        invalid.push(...parsed.issues.map((issue) => ({ ...issue, file, line: tableRow.line })))
        continue
      }
      const tombstone = erased.of(parsed.row)
      if (tombstone !== undefined) {
        invalid.push({ file, line: tableRow.line, message: erasedMessage(tombstone) })
        continue
      }
      const content = contentOf(parsed.row)
      const before = seen.get(parsed.row.id)
      if (before && before.content !== content) {
        invalid.push({
          file,
          line: tableRow.line,
          path: "id",
          message: `the id ${show(parsed.row.key ?? parsed.row.id)} is already that of ${before.place}, with other content`,
        })
        continue
      }
      seen.set(parsed.row.id, { place, content })
      const found = personalDataKindsIn(task, { input: parsed.row.input, output: "output" in parsed.row ? parsed.row.output : null })
      if (found.length > 0 && task.privacy.personalData === "refuse") {
        invalid.push({ file, line: tableRow.line, message: `personal data or a secret (${found.join(", ")}); privacy.personalData is refuse` })
        continue
      }
      if (found.length > 0) personalData.push({ id: parsed.row.id, place, kinds: found })
      const split = parsed.split ?? options.splitOf?.get(file)
      if (split !== undefined) places.set(parsed.row.id, [...(places.get(parsed.row.id) ?? []), { place, split }])
      valid.push({ row: found.length > 0 ? { ...parsed.row, personalData: found } : parsed.row, content, split })
    }
  }
  const acrossSplits = [...places].flatMap(([id, at]) => (new Set(at.map(({ split }) => split)).size > 1 ? [{ id, places: at }] : []))
  return { read, valid, invalid, personalData, acrossSplits }
}

function merge(store: TaskRows, kind: Kind, valid: readonly ValidRow[]): { added: number; corrected: number; unchanged: number } {
  const rows = new Map<string, Row>((kind === "seed" ? store.seeds() : store.inputs()).map((row) => [row.id, row]))
  const counts = { added: 0, corrected: 0, unchanged: 0 }
  for (const { row, content } of valid) {
    const known = rows.get(row.id)
    if (known !== undefined && contentOf(known) === content) {
      counts.unchanged++
      continue
    }
    counts[known === undefined ? "added" : "corrected"]++
    rows.set(row.id, row)
  }
  if (counts.added + counts.corrected > 0) {
    if (kind === "seed") store.writeSeeds([...rows.values()] as Seed[])
    else store.writeInputs([...rows.values()] as RealInput[])
  }
  return counts
}

/** Records the splits that rows say, for good; returns the rows that were held elsewhere before and stay there. */
function holdAsSaid(task: TaskSpecification, store: TaskRows, valid: readonly ValidRow[]): { id: string; split: Held; asked: Split }[] {
  const held = new Map(store.assignments().map(({ id, split }) => [id, split]))
  const asked = new Map<string, Assignment>()
  for (const { row, split } of valid) {
    if (split === undefined) continue
    const before = asked.get(row.id)?.split
    if (before === undefined || splits.indexOf(split) > splits.indexOf(before))
      asked.set(row.id, { id: row.id, split, stratum: "output" in row ? stratumOf(task, row.output) : unlabelled })
  }
  store.addAssignments([...asked.values()].filter(({ id }) => !held.has(id)).sort((a, b) => (a.id < b.id ? -1 : 1)))
  return [...asked.values()].flatMap(({ id, split }) => {
    const has = held.get(id)
    return has === undefined || has === split ? [] : [{ id, split: has, asked: split }]
  })
}

/** What was erased while the files were read must not come back either. */
function requireStanding(task: TaskSpecification, store: TaskRows, valid: readonly ValidRow[]): void {
  const erased = store.erased()
  const gone = valid.filter(({ row }) => erased.of(row) !== undefined)
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
  return canonicalJson({ input: row.input, output: "output" in row ? row.output : null })
}

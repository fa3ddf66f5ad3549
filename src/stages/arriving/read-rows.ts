import { unlabelled } from "../../curation/holdout/split-targets.ts"
import { personalDataKindsIn } from "../../curation/version/personal-data-policy.ts"
import { DataError, type Issue } from "../../core/errors.ts"
import type { Erased, Tombstone } from "../../core/rows/erasure.ts"
import type { Split } from "../../core/rows/example.ts"
import { keptColumns } from "../../core/rows/kept-columns.ts"
import { stratumOf } from "../../core/task/output.ts"
import { show } from "../../core/parse.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { RowKind } from "../../store/files/split-lines.ts"
import { openTable } from "../../store/tables/table.ts"
import type { TableRow, TableStream } from "../../store/tables/table-rows.ts"
import { inPieces, rowsAPiece } from "../in-pieces.ts"
import { type Columns, FileColumns } from "./file-columns.ts"
import { parseRow, type Row } from "./imported-row.ts"
import { KeptColumns } from "./kept-columns.ts"
import { LikelyGroups, type LikelyGroup } from "./likely-groups.ts"
import type { ArrivedRow, ImportedRows } from "./imported-rows.ts"

/** What is read, and how. */
export interface Reading {
  readonly task: TaskSpecification
  readonly kind: RowKind
  readonly files: readonly string[]
  /** The column of an input field, `output`, `key`, `source` or `split`, where it is called otherwise. */
  readonly columns: ReadonlyMap<string, string>
  /** The split of each file's rows that name none. */
  readonly splitOf: ReadonlyMap<string, Split>
  /** The sheet of workbooks. */
  readonly sheet: string | undefined
  readonly erased: Erased
  /** Where the rows go that can be imported. */
  readonly rows: ImportedRows
}

export interface ReadRows {
  readonly read: number
  readonly invalid: readonly Issue[]
  /** How many rows these are: one may have several issues. */
  readonly invalidRows: number
  /** What a reader of the rows ought to know of the files. */
  readonly notes: readonly string[]
  readonly personalData: readonly FoundPersonalData[]
  readonly unusedColumns: readonly UnusedColumns[]
  readonly likelyGroups: readonly LikelyGroup[]
  readonly acrossSplits: readonly AcrossSplits[]
}

/** Columns of a file that mean nothing to the task. */
export interface UnusedColumns {
  readonly file: string
  readonly columns: readonly string[]
}

export interface FoundPersonalData {
  readonly id: string
  readonly place: string
  readonly kinds: readonly string[]
}

/** One row that stands in several splits of the same data. */
export interface AcrossSplits {
  readonly id: string
  readonly places: readonly { readonly place: string; readonly split: Split }[]
}

/**
 * Every row of the files is among the rows of the import, or what keeps it out is among the issues. A file without rows
 * is a DataError.
 */
export async function readRows(reading: Reading, signal: AbortSignal): Promise<ReadRows> {
  const { kind, files, rows } = reading
  const reader = new RowReader(reading)
  for (const [number, file] of files.entries()) {
    const columns = new FileColumns(reading.task, "csv", { kind, file, renamed: reading.columns }).expected
    const named = [...columns, ...keptColumns(reading.task)]
    const table = await openTable(file, { sheet: reading.sheet, columns: named, signal })
    reader.notes.push(...(table.notes ?? []).map((note) => `${file}: ${note}`))
    await inPieces(reader.readTable({ file, number }, table), signal)
  }
  const { read, invalid, invalidRows, notes, personalData, unusedColumns, likelyGroups, places } = reader
  return {
    read,
    invalid,
    invalidRows,
    notes,
    personalData,
    unusedColumns,
    likelyGroups: likelyGroups.found(),
    acrossSplits: places.acrossSplits((row) => `${kind}_${rows.digits(row)}`),
  }
}

/** A file, and its number among those that are read. */
interface ReadFile {
  readonly file: string
  readonly number: number
}

/** What the columns of a row mean, and what it says in those that are kept beside its input. */
interface RowColumns {
  readonly columns: Columns | undefined
  readonly kept: ReturnType<KeptColumns["of"]>
}

type SoundRow = Exclude<ReturnType<typeof parseRow>, { issues: Issue[] }>

class RowReader {
  read = 0
  readonly invalid: Issue[] = []
  invalidRows = 0
  readonly notes: string[] = []
  readonly personalData: FoundPersonalData[] = []
  readonly unusedColumns: UnusedColumns[] = []
  readonly likelyGroups: LikelyGroups
  readonly places: SaidPlaces
  readonly #reading: Reading
  /** The kinds of personal data in each row that has some. */
  readonly #kindsOf = new Map<number, readonly string[]>()

  constructor(reading: Reading) {
    this.#reading = reading
    this.places = new SaidPlaces(reading.files)
    this.likelyGroups = new LikelyGroups(reading.task)
  }

  /** The issues of lines that are no rows come before those of the rows. */
  *readTable(place: ReadFile, { rows, format }: TableStream): Generator<void, void> {
    const { task, kind, columns: renamed } = this.#reading
    const before = this.read
    const unread: Issue[] = []
    const issues: Issue[] = []
    const columns = new FileColumns(task, format, { kind, file: place.file, renamed })
    const kept = new KeptColumns(task, renamed)
    for (const row of rows) {
      this.read += 1
      if (this.read % rowsAPiece === 0) yield
      if ("message" in row) unread.push(row)
      else {
        const of = columns.of(row)
        this.likelyGroups.take(row.fields)
        const given = of === undefined ? kept.without(row) : row
        issues.push(...this.#readRow(place, given, { columns: of, kept: kept.of(row) }))
      }
    }
    if (this.read === before) throw withoutRows(place.file, kind)
    columns.requireAll()
    kept.requireAll(place.file, task)
    const unused = columns.unused.filter((column) => !kept.isKept(column))
    if (unused.length > 0) this.unusedColumns.push({ file: place.file, columns: unused })
    for (const issue of unread) this.invalid.push(issue)
    for (const issue of issues) this.invalid.push(issue)
    this.invalidRows += new Set([...unread, ...issues].map(({ line }) => line)).size
  }

  #readRow({ file, number }: ReadFile, tableRow: TableRow, { columns, kept }: RowColumns): Issue[] {
    const { task, kind, erased, splitOf } = this.#reading
    const { line } = tableRow
    const parsed = parseRow(task, tableRow, columns, kind)
    const found = [parsed, kept].flatMap((part) => ("issues" in part ? part.issues : []))
    if ("issues" in parsed || "issues" in kept) return found.map((issue) => ({ ...issue, file, line }))
    const tombstone = erased.of(parsed.row)
    if (tombstone !== undefined) return [{ file, line, message: erasedMessage(tombstone) }]
    const split = parsed.split ?? splitOf.get(file)
    return this.#take(
      { id: parsed.row.id, content: parsed.content, file: number, line, split },
      kept.columns === undefined ? parsed : { ...parsed, row: { ...parsed.row, columns: { ...kept.columns } } },
      keyNameOf(tableRow, columns),
    )
  }

  /** The row is among those of the import, with its split where it says one, or the issues say why it is not. */
  #take(arrived: ArrivedRow, { row }: SoundRow, keyName: string): Issue[] {
    const { task, files, rows } = this.#reading
    const { line, split } = arrived
    const file = files[arrived.file] as string
    const known = rows.find(row.id)
    if (known >= 0 && !rows.says(known, arrived.content))
      return [{ file, line, path: keyName, message: this.#otherContent(row, known, keyName) }]
    const kinds = known >= 0 ? (this.#kindsOf.get(known) ?? []) : personalDataIn(task, row)
    const number = known >= 0 ? known : rows.note(arrived)
    if (kinds.length > 0) {
      this.#kindsOf.set(number, kinds)
      if (task.privacy.personalData === "refuse") return [{ file, line, message: personalDataMessage(kinds) }]
      this.personalData.push({ id: row.id, place: `${file}:${line}`, kinds })
    }
    if (known >= 0) this.places.again(number, rows.firstAt(number), arrived)
    else {
      rows.haveColumns ||= row.columns !== undefined
      rows.put(number, JSON.stringify(kinds.length > 0 ? { ...row, personalData: kinds } : row))
    }
    if (split !== undefined) rows.say(number, split, "output" in row ? stratumOf(task, row.output) : unlabelled)
    rows.given += 1
    return []
  }

  #otherContent(row: Row, known: number, keyName: string): string {
    const { files, rows } = this.#reading
    const first = rows.firstAt(known)
    const place = `${files[first.file]}:${first.line}`
    return `the ${keyName} ${show(row.key ?? row.id)} is already that of ${place}, with other content`
  }
}

/** How the file calls the key of the row. */
function keyNameOf({ fields }: TableRow, columns: Columns | undefined): string {
  return columns?.key ?? ("id" in fields || !("key" in fields) ? "id" : "key")
}

/** Where rows stand that came more than once and said a split. */
class SaidPlaces {
  readonly #files: readonly string[]
  readonly #places = new Map<number, Pick<ArrivedRow, "file" | "line" | "split">[]>()

  constructor(files: readonly string[]) {
    this.#files = files
  }

  again(row: number, first: Pick<ArrivedRow, "file" | "line" | "split">, { file, line, split }: ArrivedRow): void {
    if (split === undefined) return
    const places = this.#places.get(row) ?? (first.split === undefined ? [] : [first])
    this.#places.set(row, [...places, { file, line, split }])
  }

  /** The rows that said different splits, in the order in which they said the first. */
  acrossSplits(idOf: (row: number) => string): AcrossSplits[] {
    return [...this.#places]
      .filter(([, places]) => new Set(places.map(({ split }) => split)).size > 1)
      .sort(([, [a]], [, [b]]) => (a?.file ?? 0) - (b?.file ?? 0) || (a?.line ?? 0) - (b?.line ?? 0))
      .map(([row, places]) => ({
        id: idOf(row),
        places: places.map(({ file, line, split }) => ({
          place: `${this.#files[file]}:${line}`,
          split: split as Split,
        })),
      }))
  }
}

function personalDataIn(task: TaskSpecification, row: Row): string[] {
  return personalDataKindsIn(task, { input: row.input, output: "output" in row ? row.output : null })
}

function personalDataMessage(kinds: readonly string[]): string {
  return `personal data or a secret (${kinds.join(", ")}); privacy.personalData is refuse`
}

function erasedMessage({ at, why }: Tombstone): string {
  return `this row was erased on ${at.slice(0, 10)}${why === undefined ? "" : ` (${why})`} and does not come back`
}

function withoutRows(file: string, kind: RowKind): DataError {
  return new DataError(
    `${file} has no rows`,
    [],
    kind === "seed" ? "Give a file with at least one example." : "Give a file with at least one input.",
  )
}

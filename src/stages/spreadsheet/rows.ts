import { DataError, type Issue } from "../../core/errors.ts"
import { show } from "../../core/parse.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { readSheets } from "../../store/tables/sheet.ts"
import type { Sheet, SheetCell, SheetRow } from "../../store/tables/sheet-rows.ts"
import type { FilledRow } from "./filled-rows.ts"
import { isSameCell, restore } from "./cells.ts"
import { findColumns, idPattern, keyOf, type FoundColumns } from "./found-columns.ts"
import { isRevision, rowWriter, type ItemRow } from "./columns.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"

/** A cell outside the decision columns that does not say what was exported. */
export interface CellDifference {
  readonly row: number
  readonly sheet?: string
  readonly item: string
  readonly column: string
  readonly exported: string
  readonly found: string
}

export interface FilledRows {
  /** Rows of items, decided or not. */
  readonly read: number
  readonly undecided: number
  readonly filled: readonly FilledRow[]
  readonly issues: Issue[]
  readonly differingCells: number
  readonly differences: readonly CellDifference[]
  readonly notes: readonly string[]
}

type ItemLookup = (id: string) => ReviewItem | undefined

const listedDifferences = 100
const excelCellCharacters = 32_767

/**
 * What people filled in, from every sheet of the file that has items and decisions; the rest of each row is only
 * compared with the item. Empty rows, repeated headers and sheets of other things are passed over.
 */
export async function readFilledRows(task: TaskSpecification, file: string, itemOf: ItemLookup): Promise<FilledRows> {
  const reader = new RowReader(task, itemOf)
  const notes: string[] = []
  let sheets = 0
  const seen: string[] = []
  for await (const sheet of readSheets(file)) {
    const place = sheet.name === undefined ? file : `${file} [${sheet.name}]`
    const { first, rows } = await peek(sheet)
    seen.push(
      ...first
        .slice(0, 1)
        .flatMap(({ cells }) =>
          cells.flatMap((cell) => (cell === undefined ? [] : [JSON.stringify(cell.text.trim())])),
        ),
    )
    const columns = findColumns(first, place)
    if (columns === undefined) continue
    sheets++
    await reader.read(sheet, rows, columns, place)
    notes.push(
      ...[...columns.notes, ...sheet.notes].map((note) => (sheet.name === undefined ? note : `${sheet.name}: ${note}`)),
    )
  }
  if (sheets === 0)
    throw new DataError(
      `${file} has no column "id" with items of a review; its first row is: ${seen.slice(0, 30).join(", ")}`,
      [],
      "Import the file that `tuneloop review export` wrote, with its columns' names.",
    )
  return { ...reader.result(), notes }
}

/** The first rows of the sheet, from which its columns are known, and all of them. */
async function peek(sheet: Sheet): Promise<{ first: SheetRow[]; rows: AsyncIterable<SheetRow> }> {
  const iterator = sheet.rows[Symbol.asyncIterator]()
  const first: SheetRow[] = []
  while (first.length < 1000) {
    const next = await iterator.next()
    if (next.done === true) break
    first.push(next.value)
  }
  return {
    first,
    rows: (async function* () {
      yield* first
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
    })(),
  }
}

class RowReader {
  readonly #task: TaskSpecification
  readonly #itemOf: ItemLookup
  readonly #write: ReturnType<typeof rowWriter>
  readonly #filled: FilledRow[] = []
  readonly #issues: Issue[] = []
  readonly #differences: CellDifference[] = []
  #differingCells = 0
  #read = 0
  #undecided = 0
  /** The item of the row before, written out: the rows of its elements mostly follow. */
  #last: { id: string; rows: ReadonlyMap<string, ItemRow> } | undefined

  constructor(task: TaskSpecification, itemOf: ItemLookup) {
    this.#task = task
    this.#itemOf = itemOf
    this.#write = rowWriter(task)
  }

  async read(sheet: Sheet, rows: AsyncIterable<SheetRow>, columns: FoundColumns, place: string): Promise<void> {
    const before = { filled: this.#filled.length, lost: 0 }
    for await (const row of rows) if (row.row > columns.headerRow) before.lost += this.#take(sheet, row, columns, place)
    if (!sheet.isLossy || before.lost === 0) return
    // The file lost letters that were exported: what people typed may have lost some as well.
    for (const { row, corrected, corrections, comment } of this.#filled.slice(before.filled))
      if (
        [corrected, comment, ...corrections.map(({ text }) => text)].some((text) =>
          /[^\u0020-\u007e\n\t]|\?/.test(text),
        )
      )
        this.#issues.push({
          file: place,
          line: row,
          path: "corrected_output",
          message:
            "the file's encoding lost letters that were exported; save it as CSV UTF-8 or as .xlsx from " +
            "the spreadsheet in which it was filled in",
        })
  }

  result(): Omit<FilledRows, "notes"> {
    return {
      read: this.#read,
      undecided: this.#undecided,
      filled: this.#filled,
      issues: this.#issues,
      differingCells: this.#differingCells,
      differences: this.#differences,
    }
  }

  /** Returns how many cells lost letters outside ASCII. */
  #take(sheet: Sheet, row: SheetRow, columns: FoundColumns, place: string): number {
    const cellAt = (key: string): SheetCell | undefined => {
      const index = columns.indexOf.get(key)
      return index === undefined ? undefined : row.cells[index]
    }
    const textAt = (key: string) => cellAt(key)?.text.trim() ?? ""
    const id = textAt("id")
    const part = textAt("part")
    const decision = textAt("decision")
    const corrected = this.#openText(cellAt("corrected_output"), "corrected_output", row, place)
    const corrections = columns.corrected.flatMap(({ index, path, column }) => {
      const text = this.#openText(row.cells[index], column, row, place)
      return text === "" ? [] : [{ part, path, text }]
    })
    const isFilled = decision !== "" || corrected !== "" || corrections.length > 0
    if (!isFilled && id === "") return 0
    // A second header: the titles below the hidden keys, or another file's rows put below these.
    if (keyOf(id) === "id" && (keyOf(decision) === "decision" || row.row === columns.headerRow + 1)) return 0
    const item = idPattern.test(id) ? this.#itemOf(id) : undefined
    if (isFilled && !idPattern.test(id)) {
      this.#issues.push({
        file: place,
        line: row.row,
        path: "id",
        message: `${id === "" ? "empty" : show(id)}: what was decided on cannot be told`,
      })
      return 0
    }
    if (cellAt("decision")?.kind === "error")
      this.#issues.push({
        file: place,
        line: row.row,
        path: "decision",
        message: `the spreadsheet has an error there: ${decision}`,
      })
    if (item !== undefined && part === "") this.#read++
    if (isFilled)
      this.#filled.push({
        place,
        row: row.row,
        id,
        part,
        decision: part === "" ? decision : decision.toLowerCase(),
        corrected,
        corrections,
        comment: restore(cellAt("comment")?.text ?? "").trim(),
        reviewer: restore(textAt("reviewer")),
        revision: textAt("revision"),
      })
    else if (item !== undefined && part === "") this.#undecided++
    return item === undefined ? 0 : this.#compare(sheet, row, columns, item, part)
  }

  /** The text of a cell that a person filled in; what a spreadsheet made something else of is an issue. */
  #openText(cell: SheetCell | undefined, column: string, { row }: SheetRow, place: string): string {
    if (cell === undefined) return ""
    const problem = (message: string) => this.#issues.push({ file: place, line: row, path: column, message })
    if (cell.kind === "error" || /^(#(N\/A|NAME\?|REF!|VALUE!|DIV\/0!|NUM!|NULL!)|Err:\d{3})$/.test(cell.text))
      problem(`the spreadsheet has an error there: ${cell.text}; format the cell as Text and write it again`)
    if (cell.kind === "date")
      problem(`the spreadsheet made a date of it (${cell.text}); format the cell as Text and write it again`)
    if (cell.text.length === excelCellCharacters)
      problem(
        `${excelCellCharacters} characters, the most that a cell holds: the rest may be cut off; decide ` +
          "on the item with tuneloop review serve",
      )
    // A number that is shown as 00012 was typed as that; JSON has numbers of its own.
    const text = this.#task.kind === "json" ? cell.text : (cell.shown?.text ?? cell.text)
    if (cell.shown?.isCut === true) problem(`the spreadsheet may have cut digits of ${text}: ${cell.shown.unclear}`)
    return restore(text).trim()
  }

  #compare(sheet: Sheet, row: SheetRow, columns: FoundColumns, item: ReviewItem, part: string): number {
    if (this.#last?.id !== item.id)
      this.#last = { id: item.id, rows: new Map(this.#write(item).map((each) => [each.part, each])) }
    const exported = this.#last.rows.get(part)
    const revision = row.cells[columns.indexOf.get("revision") ?? -1]?.text.trim() ?? ""
    // A row that was added for a new element has nothing to compare; one of an item that changed since differs for that
    // reason.
    if (exported === undefined || (revision !== "" && !isRevision(revision, item.revision))) return 0
    let lost = 0
    for (const [column, index] of columns.indexOf) {
      if (!/^(input|proposed)[._[]|^(conversation|other_input|current_output|kind)$/.test(column)) continue
      const found = row.cells[index]?.text ?? ""
      const expected = exported.cells.get(column) ?? ""
      if (isSameCell(found, expected)) continue
      this.#differingCells++
      if (/[^\u0000-\u007f]/.test(expected)) lost++
      if (this.#differences.length < listedDifferences)
        this.#differences.push({
          row: row.row,
          ...(sheet.name === undefined ? {} : { sheet: sheet.name }),
          item: item.id,
          column,
          exported: expected,
          found,
        })
    }
    return lost
  }
}

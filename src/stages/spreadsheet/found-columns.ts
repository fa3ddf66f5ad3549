import { DataError } from "../../core/errors.ts"
import type { SheetRow } from "../../store/tables/sheet-rows.ts"
import { isDecisionWord } from "./read-decision.ts"
import { leafPath } from "./columns.ts"

/** Where the columns of the export stand in a file that came back. */
export interface FoundColumns {
  /** The row of the header; rows above it are not read. */
  readonly headerRow: number
  readonly indexOf: ReadonlyMap<string, number>
  /** The `corrected.*` columns with their paths. */
  readonly corrected: readonly { readonly index: number; readonly path: string; readonly column: string }[]
  readonly notes: readonly string[]
}

const names: Readonly<Record<string, readonly string[]>> = {
  id: ["id", "item", "itemid"],
  decision: ["decision", "verdict"],
  part: ["part"],
  conversation: ["conversation"],
  other_input: ["otherinput"],
  current_output: ["currentoutput"],
  proposed_output: ["proposedoutput"],
  corrected_output: ["correctedoutput", "correction", "corrected"],
  comment: ["comment", "comments"],
  reviewer: ["reviewer"],
  note: ["note"],
  kind: ["kind"],
  revision: ["revision"],
}
const keyOfName = new Map(Object.entries(names).flatMap(([key, all]) => all.map((name) => [name, key])))
const read = ["id", "decision", "part", "corrected_output", "comment", "reviewer", "revision"]

/** The key of a column by what stands above it: its key, its title, or either in another spelling. */
export function keyOf(header: string): string | undefined {
  const text = header.trim()
  const [, prefix, rest] = /^(input|proposed|corrected)(?:: ?|(?=[.[]))\.?(.*)$/is.exec(text) ?? []
  if (prefix !== undefined && rest !== undefined && rest !== "")
    return `${prefix.toLowerCase()}${rest.startsWith("[") ? "" : "."}${rest}`
  return keyOfName.get(text.toLowerCase().replace(/[^a-z]/g, ""))
}

/** What an item is called. */
export const idPattern = /^[a-z]+_[0-9a-f]{16}$/

/**
 * The columns of a sheet, from its first rows: by their keys or titles, wherever they stand; the items and the
 * decisions also by what is in their columns, where somebody renamed them. Undefined for a sheet without items. A sheet
 * of items whose decisions cannot be found, or are there twice, is a DataError.
 */
export function findColumns(rows: readonly SheetRow[], place: string): FoundColumns | undefined {
  const keyed = rows
    .slice(0, 40)
    .map((row) => ({ row, keys: row.cells.map((cell) => (cell === undefined ? undefined : keyOf(cell.text))) }))
  const count = (keys: readonly (string | undefined)[]) => new Set(keys.filter((key) => key !== undefined)).size
  const header =
    keyed.find(({ keys }) => keys.includes("id") && keys.includes("decision")) ??
    keyed.toSorted((a, b) => count(b.keys) - count(a.keys)).find(({ keys }) => count(keys) >= 2)
  const ids = columnsWhere(rows, (texts) => texts.filter((text) => idPattern.test(text)).length > texts.length / 2)
  if (header === undefined || (!header.keys.includes("id") && ids.length === 0)) {
    if (ids.length === 0) return undefined
    throw missing("id", place, rows[0])
  }
  const { keys, row } = header
  const notes: string[] = []
  const titleAt = (index: number) => row.cells[index]?.text.trim() ?? ""
  const indexOf = new Map<string, number>()
  for (const [index, key] of keys.entries()) {
    if (key === undefined) continue
    if (!indexOf.has(key)) indexOf.set(key, index)
    else if (read.includes(key) || leafPath("corrected", key) !== undefined)
      throw new DataError(
        `${place} has the column ${JSON.stringify(titleAt(index))} twice`,
        [],
        "Rename or remove the one that does not count.",
      )
  }
  const below = rows.filter((each) => each.row > row.row)
  const renamed = (key: string, found: number | undefined) => {
    if (indexOf.has(key) || found === undefined) return
    indexOf.set(key, found)
    notes.push(`the column ${JSON.stringify(titleAt(found))} is taken for ${key}, by what stands in it`)
  }
  renamed("id", ids[0])
  renamed(
    "decision",
    columnsWhere(below, (texts) => texts.length > 0 && texts.every(isDecisionWord)).find(
      (index) => keys[index] === undefined,
    ),
  )
  if (!indexOf.has("id")) throw missing("id", place, row)
  if (!indexOf.has("decision")) throw missing("decision", place, row)
  const corrected = [...indexOf].flatMap(([column, index]) => {
    const path = column === "corrected_output" ? undefined : leafPath("corrected", column)
    return path === undefined ? [] : [{ index, path, column }]
  })
  const known = new Set(indexOf.values())
  const others = row.cells.flatMap((cell, index) =>
    cell === undefined || cell.text.trim() === "" || known.has(index) ? [] : [cell.text.trim()],
  )
  if (others.length > 0)
    notes.push(
      `not read, because the export has no such column: ${others.map((name) => JSON.stringify(name)).join(", ")}`,
    )
  if (!indexOf.has("corrected_output") && corrected.length === 0)
    notes.push("there is no column corrected_output: only accept and reject can be read")
  if (!indexOf.has("revision"))
    notes.push("there is no column revision: whether an item changed since the export cannot be told")
  return { headerRow: row.row, indexOf, corrected, notes }
}

function columnsWhere(rows: readonly SheetRow[], isSuch: (texts: readonly string[]) => boolean): number[] {
  const width = Math.max(0, ...rows.map(({ cells }) => cells.length))
  return Array.from({ length: width }, (_, index) => index).filter((index) =>
    isSuch(rows.map(({ cells }) => cells[index]?.text.trim() ?? "").filter((text) => text !== "")),
  )
}

function missing(key: string, place: string, row: SheetRow | undefined): DataError {
  const titles =
    row?.cells.flatMap((cell) =>
      cell === undefined || cell.text.trim() === "" ? [] : [JSON.stringify(cell.text.trim())],
    ) ?? []
  return new DataError(
    `${place} has no column ${JSON.stringify(key)}; its columns are: ${titles.slice(0, 30).join(", ")}`,
    [],
    `Call that column ${key} again, or import the file that \`tuneloop review export\` wrote, filled in.`,
  )
}

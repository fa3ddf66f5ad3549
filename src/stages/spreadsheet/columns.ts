import { formatOutput, inputText } from "../../core/task/output.ts"
import { labelsOf, type TaskSpecification } from "../../core/task/task.ts"
import { conversationText, fieldText, isLong, neutralise, shownText, textFile } from "./cells.ts"
import { leafPaths, leavesOf, leafWriter, type Leaf } from "../../core/task/leaves.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"

/** A row of the table: an item, or an element of a list in its output. */
export interface ItemRow {
  /** The element, `items[2]`; empty for the row of the item itself. */
  readonly part: string
  readonly cells: ReadonlyMap<string, string>
  /** Texts that the cells show the beginning of, by the names of the files that have all of them. */
  readonly longTexts: readonly { readonly file: string; readonly text: string }[]
}

/** More leaves than anybody fills in side by side: then the output is one cell of JSON. */
const mostLeaves = 60

/** The keys of the columns in the order of the table; those that would be empty in every row are left out. */
export function columnsOf(task: TaskSpecification, items: readonly ReviewItem[]): string[] {
  const fields = task.kind === "chat" ? ["conversation"] : Object.keys(task.input).map((field) => `input.${field}`)
  const leaves = leafColumns(task, items)
  const hasParts = leaves?.some((path) => path.includes("[]")) === true
  return [
    "id",
    "decision",
    ...(hasParts ? ["part"] : []),
    ...fields,
    ...(items.some(({ other }) => other !== undefined) ? ["other_input"] : []),
    ...(items.some(({ current }) => current !== undefined) ? ["current_output"] : []),
    ...(leaves === undefined
      ? ["proposed_output", "corrected_output"]
      : leaves.flatMap((path) => [under("proposed", path), under("corrected", path)])),
    "comment",
    "reviewer",
    ...(items.some(({ note }) => note !== undefined) ? ["note"] : []),
    "kind",
    "revision",
  ]
}

/**
 * The leaves of a task's JSON outputs, as the schema and the outputs have them; undefined where the output is one cell.
 */
function leafColumns(task: TaskSpecification, items: readonly ReviewItem[]): string[] | undefined {
  if (task.kind !== "json") return undefined
  const paths = new Set(leafPaths(task.output.schema))
  for (const { output } of items) {
    if (output !== undefined) for (const { path } of leavesOf(output)) paths.add(path)
    if (paths.size > mostLeaves) return undefined
  }
  return paths.size === 0 ? undefined : [...paths]
}

/** `proposed.total`, `proposed[].name`, or `proposed` for an output without anything inside. */
export function under(prefix: "proposed" | "corrected", path: string): string {
  return path === "" || path.startsWith("[") ? `${prefix}${path}` : `${prefix}.${path}`
}

/** The path of a leaf's column; undefined for a column of another kind. */
export function leafPath(prefix: "proposed" | "corrected", column: string): string | undefined {
  if (!column.startsWith(prefix)) return undefined
  const rest = column.slice(prefix.length)
  return rest === "" || rest.startsWith("[") ? rest : rest.startsWith(".") ? rest.slice(1) : undefined
}

/**
 * Shows items of the task as rows: what a row says follows from the item alone, so that it can be told later what a
 * spreadsheet changed.
 */
export function rowWriter(task: TaskSpecification): (item: ReviewItem, reviewer?: string) => ItemRow[] {
  const writeLeaf = task.kind === "json" ? leafWriter(task.output.schema) : undefined
  return (item, reviewer = "") => {
    const byPart = Map.groupBy(
      writeLeaf === undefined || item.output === undefined ? [] : leavesOf(item.output),
      ({ part }) => part,
    )
    const main = textCells(item.id, "", [...mainTexts(task, item), ...leafTexts(byPart.get("") ?? [], writeLeaf)])
    const same = [["id", item.id] as const, ["reviewer", neutralise(reviewer)] as const]
    const rows: ItemRow[] = [
      {
        ...main,
        part: "",
        cells: new Map([...same, ["kind", item.kind], ["revision", revisionCell(item.revision)], ...main.cells]),
      },
    ]
    for (const part of partsOf(byPart)) {
      const texts = textCells(item.id, part, leafTexts(byPart.get(part) ?? [], writeLeaf))
      rows.push({ ...texts, part, cells: new Map([...same, ["part", part], ...texts.cells]) })
    }
    return rows
  }
}

/** The elements that have a row, one that holds others before them. */
function partsOf(byPart: ReadonlyMap<string, readonly Leaf[]>): Set<string> {
  const parts = new Set<string>()
  for (const part of byPart.keys())
    for (const { index, 0: place } of part.matchAll(/\[\d+\]/g)) parts.add(part.slice(0, index + place.length))
  return parts
}

function mainTexts(task: TaskSpecification, item: ReviewItem): [string, string][] {
  const inputs: [string, string][] =
    task.kind === "chat"
      ? [["conversation", conversationText(item.input)]]
      : Object.keys(task.input).map((field) => [`input.${field}`, fieldText(item.input[field])])
  if (item.other !== undefined)
    inputs.push(["other_input", task.kind === "chat" ? conversationText(item.other) : inputText(task, item.other)])
  if (item.current !== undefined) inputs.push(["current_output", outputText(task, item.current)])
  if (item.output !== undefined) inputs.push(["proposed_output", outputText(task, item.output)])
  if (item.note !== undefined) inputs.push(["note", item.note])
  return inputs
}

function leafTexts(leaves: readonly Leaf[], write: ((leaf: Leaf) => string) | undefined): [string, string][] {
  return write === undefined ? [] : leaves.map((leaf) => [under("proposed", leaf.path), write(leaf)])
}

function textCells(id: string, part: string, texts: readonly [string, string][]): Pick<ItemRow, "cells" | "longTexts"> {
  const cells = new Map<string, string>()
  const longTexts: { file: string; text: string }[] = []
  for (const [column, text] of texts) {
    const file = isLong(text) ? textFile(id, part, column) : ""
    if (file !== "") longTexts.push({ file, text })
    cells.set(column, shownText(text, file))
  }
  return { cells, longTexts }
}

/** The output as a cell shows it: objects spread over lines. */
function outputText(task: TaskSpecification, output: unknown): string {
  const text = formatOutput(task, output)
  return labelsOf(task).length === 0 && typeof output === "object" && text.startsWith("{")
    ? JSON.stringify(output, null, 2)
    : text
}

/** The beginning of the revision's digest after a letter: hex digits alone may look like a number. */
function revisionCell(revision: string): string {
  return `r${revision.slice("sha256:".length, "sha256:".length + 16)}`
}

/** Whether the cell names the revision; files of earlier versions have it without the letter. */
export function isRevision(cell: string, revision: string): boolean {
  return revision.slice("sha256:".length).startsWith(cell.replace(/^r/, ""))
}

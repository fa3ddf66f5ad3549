import { labelsOf, type TaskSpecification } from "../../core/task/task.ts"
import type { FormColumn, GuideLine } from "../../store/tables/xlsx-writer.ts"
import { takesOutput } from "../standing/answer.ts"
import { candidate } from "../standing/kinds/candidate.ts"
import { everyChoice, kindOf, reviewKinds } from "../standing/kinds.ts"
import { leafPath } from "./columns.ts"
import { removeElement } from "./read-decision.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"

const titles: Readonly<Record<string, string>> = {
  id: "Item",
  decision: "Decision",
  part: "Part",
  conversation: "Conversation",
  other_input: "Other input",
  current_output: "Current output",
  proposed_output: "Proposed output",
  corrected_output: "Corrected output",
  comment: "Comment",
  reviewer: "Reviewer",
  note: "Note",
  kind: "Kind",
  revision: "Revision",
}

/** What stands above a column, for people. */
export function titleOf(column: string): string {
  const [, prefix = "", rest = ""] = /^(input|proposed|corrected)\.?(.*)$/s.exec(column) ?? []
  return titles[column] ?? (prefix === "" ? column : `${prefix[0]?.toUpperCase()}${prefix.slice(1)}: ${rest}`)
}

/** How each column looks and what may be chosen in it. */
export function formColumns(
  task: TaskSpecification,
  items: readonly ReviewItem[],
  columns: readonly string[],
  widthOf: (column: string) => number,
): FormColumn[] {
  const offered = everyChoice([candidate, ...new Set(items.map(kindOf))])
  const labels = labelsOf(task)
  return columns.map((column): FormColumn => {
    const common = { key: column, title: titleOf(column), width: widthOf(column) }
    switch (column) {
      case "decision": {
        const choices = [...offered.map(({ name }) => name), ...(columns.includes("part") ? [removeElement] : [])]
        return { ...common, look: "open", choices, isOnlyChoice: true, tints }
      }
      case "corrected_output":
        return task.kind === "label" ? { ...common, look: "open", choices: labels } : { ...common, look: "open" }
      case "comment":
      case "reviewer":
        return { ...common, look: "open" }
      case "revision":
        return { ...common, look: "quiet", isHidden: true }
      case "id":
      case "kind":
      case "part":
        return { ...common, look: "quiet" }
      default:
        if (leafPath("corrected", column) !== undefined) return { ...common, look: "open" }
        return { ...common, look: column.startsWith("proposed") ? "proposal" : "context" }
    }
  })
}

/** The colours of decisions: those that the reviewer has to write an output for come last of their colour. */
const tints = Object.fromEntries(
  (["good", "changed", "bad"] as const).flatMap((tint) => [
    ...everyChoice()
      .filter((choice) => choice.tint === tint)
      .sort((a, b) => Number(takesOutput(a)) - Number(takesOutput(b)))
      .map(({ name }) => [name, tint] as const),
    ...(tint === "changed" ? [[removeElement, tint] as const] : []),
  ]),
)

/** Widths that fit what the first rows say, within what a screen shows. */
export function widths(
  columns: readonly string[],
  rows: Iterable<ReadonlyMap<string, string>>,
): (column: string) => number {
  const longest = new Map<string, number>()
  for (const cells of rows)
    for (const [column, text] of cells)
      longest.set(
        column,
        Math.max(longest.get(column) ?? 0, ...text.split("\n", 40).map((line) => Math.min(line.length, 200))),
      )
  const inputs = columns.filter(
    (column) => column.startsWith("input.") || column === "conversation" || column === "other_input",
  ).length
  const most = inputs <= 1 ? 70 : inputs === 2 ? 50 : 34
  const fixed: Readonly<Record<string, number>> = {
    id: 18,
    decision: 11,
    comment: 26,
    reviewer: 13,
    revision: 18,
    kind: 11,
    part: 12,
    note: 30,
  }
  return (column) => {
    const proposed = column.replace(/^corrected/, "proposed")
    const isOutput = proposed.startsWith("proposed") || column === "current_output"
    // The header has two lines, and room for the button of the filter.
    const word = Math.max(
      ...titleOf(column)
        .split(" ")
        .map(({ length }) => length + 4),
    )
    const fitting = Math.max(word, (longest.get(proposed) ?? 0) + 2)
    return fixed[column] ?? Math.min(Math.max(isOutput ? 11 : 18, fitting), isOutput ? 44 : most)
  }
}

/** Whether a value somewhere in the output may be null. */
function allowsNull(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(allowsNull)
  if (typeof schema !== "object" || schema === null) return schema === "null"
  const { type, enum: values, const: only, ...rest } = schema as Record<string, unknown>
  return (
    [type].flat().includes("null") ||
    (Array.isArray(values) && values.includes(null)) ||
    only === null ||
    Object.values(rest).some((part) => typeof part === "object" && allowsNull(part))
  )
}

/** The second sheet: what the task is, how to fill in the first one, and the guideline. */
export function guideOf(task: TaskSpecification, columns: readonly string[]): GuideLine[] {
  const text = (...cells: string[]): GuideLine => ({ look: "text", cells })
  const heading = (title: string): GuideLine => ({ look: "heading", cells: [title] })
  const isNested = columns.some(
    (column) => leafPath("corrected", column) !== undefined && column !== "corrected_output",
  )
  const correct = isNested
    ? "the yellow column beside what is wrong; leave the others empty"
    : "the right output into Corrected output"
  const labels = task.kind === "label" || task.kind === "multilabel" ? Object.entries(task.output.labels) : []
  return [
    { look: "title", cells: [`Review: ${task.task}`] },
    text("The task", task.description),
    text(""),
    heading("How to fill in"),
    text("Where", "Only the yellow columns are read. Whatever you change elsewhere changes nothing."),
    text("accept", "The proposed output is right as it is."),
    text("edit", `It is not: write ${correct}.`),
    text("No proposal", `Where nothing is proposed, choose edit and write the output.`),
    text("reject", "The example is of no use (unreadable, off the subject, made up). Say why in Comment."),
    text("Reviewer", "Who decides, if it is not filled in: always the same name for the same person."),
    text("Later", "Rows that you leave empty stay undecided. Come back to them, or send the file as it is."),
    ...(columns.includes("part")
      ? [
          text(
            "Part",
            "An element of a list has a row of its own, beneath its item. Decide in the item's first row. " +
              "To take an element out, choose edit there and remove in the row of the element. To add one, " +
              "insert a row with the same Item and the next number in Part.",
          ),
        ]
      : []),
    ...(isNested ? [text("(remove)", "Written into a yellow column, takes an optional value out.")] : []),
    ...(task.kind === "json" && allowsNull(task.output.schema)
      ? [
          text(
            "null",
            'Written so, says that there is no value, where that is allowed; the word itself is written "null".',
          ),
        ]
      : []),
    ...(task.kind === "multilabel" && task.output.minimum === 0
      ? [text("[]", "Written into Corrected output, says that no label fits. An empty cell says nothing.")]
      : []),
    ...reviewKinds.flatMap(({ guide }) =>
      guide !== undefined && columns.includes(guide.column) ? [text(guide.title, guide.text)] : [],
    ),
    text(
      "Long texts",
      "What ends with … is the beginning; all of it is in the file named there, in the folder beside this one.",
    ),
    text(
      "Sorting",
      "Filter as you like. To sort, first take off the protection: Review → Unprotect Sheet; there is no password.",
    ),
    text("'=", "An apostrophe before = + - or @ keeps the spreadsheet from calculating. It is taken off again."),
    text(""),
    heading("Guideline"),
    ...(task.guideline.trim() === ""
      ? [text("", "The specification has no guideline.")]
      : task.guideline
          .trim()
          .split("\n")
          .map((line) => text("", line))),
    ...(labels.length === 0
      ? []
      : [text(""), heading("Labels"), ...labels.map(([label, meaning]) => text(label, meaning))]),
  ]
}

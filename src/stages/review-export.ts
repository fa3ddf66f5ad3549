import { stringify } from "csv-stringify/sync"
import { canonicalText } from "../core/canonical.ts"
import { formatOutput, inputText } from "../core/output.ts"
import type { TaskSpecification } from "../core/task.ts"
import { writeAtomically } from "../store/files.ts"
import { TaskRows } from "../store/task-rows.ts"
import type { StageContext } from "./context.ts"
import { taskExamples } from "./examples.ts"
import { cellOf, neutralise } from "./review-cells.ts"
import type { ReviewItem } from "./review-items.ts"
import { reviewQueue } from "./review-queue.ts"

const decisionColumns = ["decision", "corrected_output", "comment", "reviewer"] as const

/** The items that wait for a person as CSV, conflicts and suspected label errors after the others: one row an item, joined by id alone; empty decision columns to fill in. A spreadsheet may sort, filter and save it as it likes. */
export function exportReview(
  context: StageContext,
  task: TaskSpecification,
  options: { out: string; limit: number | undefined; reviewer: string | undefined; only: ReviewItem["kind"] | undefined },
): { rows: number; open: number; suspects: number; conflictPairs: number; file: string } {
  const examples = taskExamples(task, new TaskRows(context.workspace, task.task))
  const items = reviewQueue(task, examples, { only: options.only, reviewer: options.reviewer }).slice(0, options.limit)
  const fields = task.kind === "chat" ? ["messages"] : Object.keys(task.input)
  const records = items.map((item) => [
    item.id,
    "",
    "",
    "",
    options.reviewer ?? "",
    item.kind,
    ...fields.map((field) => neutralise(cellOf(item.input[field]))),
    item.other === undefined ? "" : neutralise(canonicalText(inputText(task, item.other))),
    item.current === undefined ? "" : neutralise(formatOutput(task, item.current)),
    item.output === undefined ? "" : neutralise(formatOutput(task, item.output)),
    item.note ?? "",
    item.revision.slice(7, 23),
  ])
  const header = [
    "id",
    ...decisionColumns,
    "kind",
    ...fields.map((field) => `input.${field}`),
    "other_input",
    "current_output",
    "proposed_output",
    "note",
    "revision",
  ]
  // The byte order mark is for Excel, which otherwise reads UTF-8 as something else.
  writeAtomically(options.out, stringify([header, ...records], { bom: true, record_delimiter: "\r\n", quoted_match: /[\r\n]/ }))
  return {
    rows: items.length,
    open: examples.open.length,
    suspects: examples.suspects.length,
    conflictPairs: examples.conflicts.length,
    file: options.out,
  }
}

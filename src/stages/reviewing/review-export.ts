import { stringify } from "csv-stringify/sync"
import { erasedMeanwhile } from "../../core/rows/erasure.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { AtomicWriter } from "../../store/files/atomic-writer.ts"
import { isWorkbook, longTextFile, longTextFolder } from "../../store/tables/sheet-files.ts"
import { removeFiles } from "../../store/rows/erasures.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { TaskWatch } from "../../store/erasing/task-watch.ts"
import type { StageContext } from "../context.ts"
import { reviewKinds } from "../standing/kinds.ts"
import { countsOf, taskExamples, type TaskExamples } from "../standing/task-examples.ts"
import { formColumns, guideOf, widths } from "../spreadsheet/form.ts"
import { columnsOf, rowWriter, type ItemRow } from "../spreadsheet/columns.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"
import { reviewQueue, withheldCount } from "./review-queue.ts"

export interface ReviewExport {
  /** Items; an item whose output has lists takes more rows than one. */
  readonly rows: number
  readonly open: number
  /** How many questions about examples wait, by the fields of their kinds. */
  readonly counts: Readonly<Record<string, number>>
  /** How many of each are in the file: of the open ones, and of the questions by the fields of their kinds. */
  readonly written: Readonly<Record<string, number>>
  /** How many wait and are in no file, for personal data is refused and they have some. */
  readonly withheld: number
  /** Null where nothing waits: no file is written then, and one that is there stays. */
  readonly file: string | null
  /** Texts too long for a cell, each a file of the folder; the folder is there only when there are some. */
  readonly longTexts: number
  readonly textFolder: string | undefined
}

/**
 * The items that wait for a person as a spreadsheet, CSV or XLSX by the ending of `out`, in the order of the queue:
 * what they are asked, and empty decision columns to fill in. Rows are joined by id alone, so it may be sorted,
 * filtered and saved at will. Rows are streamed; long texts are files in a folder beside it, there before the
 * spreadsheet is.
 */
export async function exportReview(
  context: StageContext,
  task: TaskSpecification,
  options: {
    out: string
    limit: number | undefined
    reviewer: string | undefined
    only: ReviewItem["kind"] | undefined
    /** Called where something waits, before a file is there. */
    beforeWriting?: (rows: number) => Promise<void>
  },
): Promise<ReviewExport> {
  const watch = new TaskWatch(context.workspace, task.task)
  const examples = taskExamples(task, new TaskRows(context.workspace, task.task))
  const items = reviewQueue(task, examples, { only: options.only, reviewer: options.reviewer }).slice(0, options.limit)
  const counted = {
    ...{ rows: items.length, open: examples.open.length, counts: countsOf(examples) },
    written: writtenOf(examples, items),
    withheld: withheldCount(task, examples),
  }
  if (items.length === 0) return { ...counted, file: null, longTexts: 0, textFolder: undefined }
  await options.beforeWriting?.(items.length)
  const columns = columnsOf(task, items)
  let longTexts = 0
  const write = rowWriter(task)
  const rowsOf = function* (some: readonly ReviewItem[], isFinal: boolean): Generator<ItemRow> {
    for (const item of some)
      for (const row of write(item, options.reviewer)) {
        if (isFinal) for (const { file, text } of row.longTexts) writeText(longTextFile(options.out, file), text)
        if (isFinal) longTexts += row.longTexts.length
        yield row
      }
  }
  const cells = function* (): Generator<string[]> {
    for (const row of rowsOf(items, true)) yield columns.map((column) => row.cells.get(column) ?? "")
  }
  if (isWorkbook(options.out)) {
    const { writeWorkbook } = await import("../../store/tables/xlsx-writer.ts")
    const widthOf = widths(
      columns,
      [...rowsOf(items.slice(0, 200), false)].map((row) => row.cells),
    )
    await writeWorkbook(options.out, {
      name: "Review",
      columns: formColumns(task, items, columns, widthOf),
      frozen: 2,
      rows: cells(),
      guideName: "How to review",
      guide: guideOf(task, columns),
    })
  } else writeCsv(options.out, columns, cells())
  if (watch.hasChanged()) {
    removeFiles([options.out, longTextFolder(options.out)])
    throw erasedMeanwhile(task.task)
  }
  return {
    ...counted,
    file: options.out,
    longTexts,
    textFolder: longTexts > 0 ? longTextFolder(options.out) : undefined,
  }
}

/** Gold checks are in neither count: they ask about what is decided. */
function writtenOf(examples: TaskExamples, items: readonly ReviewItem[]): Record<string, number> {
  const open = new Set(examples.open.map(({ id }) => id))
  const ofKind = (name: string) => items.filter(({ id, kind }) => kind === name && !open.has(id)).length
  return {
    open: items.filter(({ id }) => open.has(id)).length,
    ...Object.fromEntries(reviewKinds.flatMap(({ name, counted }) => (counted ? [[counted.field, ofKind(name)]] : []))),
  }
}

function writeText(path: string, text: string): void {
  const writer = new AtomicWriter(path)
  try {
    writer.write(text)
    writer.commit()
  } finally {
    writer.abandon()
  }
}

function writeCsv(path: string, columns: readonly string[], rows: Iterable<string[]>): void {
  const writer = new AtomicWriter(path)
  const write = (records: string[][]) =>
    writer.write(stringify(records, { record_delimiter: "\r\n", quoted_match: /[\r\n;\t]/ }))
  try {
    // The byte order mark is for Excel, which otherwise reads UTF-8 as something else.
    writer.write("\ufeff")
    write([[...columns]])
    const waiting: string[][] = []
    for (const row of rows) if (waiting.push(row) === 1000) write(waiting.splice(0))
    write(waiting)
    writer.commit()
  } finally {
    writer.abandon()
  }
}

import { digest } from "../../core/canonical.ts"
import { DataError, type Issue } from "../../core/errors.ts"
import type { Decision } from "../../core/rows/example.ts"
import { formatOutput } from "../../core/task/output.ts"
import { show } from "../../core/parse.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { sheetSource } from "../../store/tables/sheet-files.ts"
import { withLock } from "../../store/files/lock.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import type { StageContext } from "../context.ts"
import { itemsById } from "./items-by-id.ts"
import { reviewFigures } from "./review-figures.ts"
import { isErased, newDecisions, recordDecisions, type DecidedItem } from "./record-decisions.ts"
import { answersOf } from "../spreadsheet/filled-rows.ts"
import { readDecision } from "../spreadsheet/read-decision.ts"
import { guidelineDigest } from "../standing/review-items.ts"
import { alikeName } from "../../core/rows/reviewer-names.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"
import { isRevision } from "../spreadsheet/columns.ts"
import { readFilledRows, type CellDifference } from "../spreadsheet/rows.ts"

export interface ReviewImport {
  readonly read: number
  readonly added: number
  readonly unchanged: number
  readonly undecided: number
  readonly byVerdict: Readonly<Record<string, number>>
  readonly stillOpen: number
  /** How many questions about examples wait still, by the fields of their kinds. */
  readonly counts: Readonly<Record<string, number>>
  /** Decisions on items that changed since the export or are gone: not taken, though all others are. */
  readonly notTaken: readonly { readonly row: number; readonly item: string; readonly reason: "changed" | "gone" }[]
  /**
   * Cells outside the decision columns that do not say what was exported; they change nothing. The first ones stand in
   * `differences`.
   */
  readonly differingCells: number
  readonly differences: readonly CellDifference[]
  /** What else a person ought to know of the file: columns that were not read, a guessed encoding. */
  readonly notes: readonly string[]
  /** The first of the decisions that are new, each with the output before and after it. */
  readonly changes: readonly ReviewChange[]
}

export interface ReviewChange {
  readonly row: number
  readonly item: string
  readonly verdict: Decision["verdict"]
  readonly reviewer: string
  /** What was proposed; null for an input without an answer. */
  readonly before: string | null
  /** What holds from then on; null for what is rejected. */
  readonly after: string | null
  readonly reason?: string
}

/**
 * The decisions of the file are in the task's log, each once: importing again changes nothing. Rows join by id, in any
 * order; only the decision columns are read, and everything else is compared with what was exported; a row missing from
 * the file is simply not decided. What is wrong in a decision column stops the import before a byte is written. A
 * decision on an item that changed since is skipped and reported. The file is streamed: held are the rows that somebody
 * filled in.
 */
export async function importReview(
  context: StageContext,
  task: TaskSpecification,
  file: string,
  options: { reviewer: string | undefined; dryRun: boolean; shown?: number },
): Promise<ReviewImport> {
  const { workspace } = context
  const rows = new TaskRows(workspace, task.task)
  const items = itemsById(workspace, task, rows)
  try {
    return await importFrom(context, task, { file, rows, itemOf: items.itemOf }, options)
  } finally {
    items.close()
  }
}

async function importFrom(
  context: StageContext,
  task: TaskSpecification,
  {
    file,
    rows,
    itemOf,
  }: { readonly file: string; readonly rows: TaskRows; readonly itemOf: (id: string) => ReviewItem | undefined },
  options: { reviewer: string | undefined; dryRun: boolean; shown?: number },
): Promise<ReviewImport> {
  const sheet = await readFilledRows(task, file, itemOf)
  const decided = rows.review.decisions()
  const at = context.now().toISOString()
  const { made, notTaken, issues } = decisionsOf(task, file, answersOf(sheet.filled, options.reviewer ?? ""), {
    itemOf,
    at,
  })
  issues.unshift(...sheet.issues)
  requireSound(task, file, { made, notTaken, issues })
  const alike = alikeNotes(task, decided, made)
  const before = notTaken.length
  const added = options.dryRun ? newDecisions(decided, made) : takeIn(context, { task, rows, at }, made, notTaken)
  const byVerdict: Record<string, number> = {}
  for (const { decision } of added) byVerdict[decision.verdict] = (byVerdict[decision.verdict] ?? 0) + 1
  const left = reviewFigures(context.workspace, task)
  return {
    read: sheet.read,
    added: added.length,
    unchanged: made.length - added.length - notTaken.length + before,
    undecided: sheet.undecided,
    byVerdict,
    stillOpen: left.open,
    counts: left.counts,
    notTaken,
    differingCells: sheet.differingCells,
    differences: sheet.differences,
    notes: [...sheet.notes, ...alike],
    changes: added.slice(0, options.shown ?? 20).map((decided) => changeOf(task, decided)),
  }
}

/**
 * Records those of the decisions that are new, and returns them. Looked up and written under one lock: of two imports
 * of one file at once the second finds what the first one wrote. What was erased since the file was read is gone.
 */
function takeIn(
  { workspace }: StageContext,
  { task, rows, at }: { readonly task: TaskSpecification; readonly rows: TaskRows; readonly at: string },
  made: readonly DecidedItem[],
  notTaken: Taken["notTaken"],
): DecidedItem[] {
  return withLock(workspace.lockFile(task.task), `the rows of ${task.task}`, () => {
    const erased = rows.erased()
    const gone = made.filter(({ item }) => isErased(erased, item))
    notTaken.push(
      ...gone.map(({ decision }) => ({ row: decision.source?.row ?? 0, item: decision.item, reason: "gone" as const })),
    )
    const added = newDecisions(
      rows.review.decisions(),
      made.filter((each) => !gone.includes(each)),
    )
    // Named by its content: a second import of the file adds to what the first one wrote, and never writes over it.
    const suffix = digest(added.map(({ decision: { at: _, ...decision } }) => decision)).slice(7, 15)
    recordDecisions(rows, added, { at, suffix })
    return added
  })
}

/** The pairs of names that differ in little but case: one person under two names counts as two reviewers. */
function alikeNotes(task: TaskSpecification, decided: readonly Decision[], made: readonly DecidedItem[]): string[] {
  const known = new Set([...task.review.reviewers, ...decided.map(({ reviewer }) => reviewer)])
  const given = [...new Set(made.map(({ decision }) => decision.reviewer))].sort()
  const fresh = given.filter((name) => !known.has(name))
  return fresh.flatMap((name, place) => {
    const alike = alikeName(name, [...known, ...fresh.slice(0, place)])
    return alike === undefined
      ? []
      : [
          `the reviewers ${show(alike)} and ${show(name)} differ in little but case; if they are one person, ` +
            "use one name",
        ]
  })
}

interface Taken {
  readonly made: DecidedItem[]
  readonly notTaken: ReviewImport["notTaken"][number][]
  readonly issues: Issue[]
}

/** The decisions that the answers are, those that cannot be taken, and what is wrong with the rest. */
function decisionsOf(
  task: TaskSpecification,
  file: string,
  { answers, issues }: ReturnType<typeof answersOf>,
  { itemOf, at }: { readonly itemOf: (id: string) => ReviewItem | undefined; readonly at: string },
): Taken {
  const taken: Taken = { made: [], notTaken: [], issues }
  const guideline = guidelineDigest(task)
  for (const { id, answer, first, rows: from } of answers) {
    const item = itemOf(id)
    if (item === undefined || (first.revision !== "" && !isRevision(first.revision, item.revision))) {
      taken.notTaken.push({ row: first.row, item: id, reason: item === undefined ? "gone" : "changed" })
      continue
    }
    const read = readDecision(task, item, answer)
    if ("problems" in read)
      for (const { column, part, message } of read.problems) {
        const { place, row } = from.find((each) => part !== undefined && each.part === part) ?? first
        issues.push({ file: place, line: row, path: column, message })
      }
    else {
      const source = { file: sheetSource(file), row: first.row }
      taken.made.push({ item, decision: { ...read.decision, guideline, at, source } })
    }
  }
  return taken
}

/** Throws where a row cannot be imported. */
function requireSound(task: TaskSpecification, file: string, { made, notTaken, issues }: Taken): void {
  // A file of which not one decision can be taken is no import with warnings: it is the wrong file, or too old a one.
  if (made.length + issues.length === 0)
    issues.push(
      ...notTaken.map(({ row, item, reason }) => ({
        file,
        line: row,
        path: "id",
        message:
          reason === "gone"
            ? `${show(item)} is not an item of the task ${task.task}`
            : `${item} changed since it was exported; export it again`,
      })),
    )
  if (issues.length === 0) return
  throw new DataError(
    `${new Set(issues.map(({ file: place, line }) => `${place}:${line}`)).size} rows of ${file} cannot be ` +
      "imported; nothing was written",
    issues.sort(byPlace),
    "Mend those cells and import the file again.",
  )
}

function byPlace(a: Issue, b: Issue): number {
  return (a.file ?? "") === (b.file ?? "") ? (a.line ?? 0) - (b.line ?? 0) : (a.file ?? "") < (b.file ?? "") ? -1 : 1
}

/** What the decision makes of the item. */
function changeOf(task: TaskSpecification, { item, decision }: DecidedItem): ReviewChange {
  const text = (output: unknown) => (output === undefined ? null : formatOutput(task, output))
  const keeps = item.current === undefined ? undefined : item.current
  const after = decision.verdict === "reject" ? keeps : (decision.output ?? item.output)
  return {
    row: decision.source?.row ?? 0,
    item: item.id,
    verdict: decision.verdict,
    reviewer: decision.reviewer,
    before: text(item.current ?? item.output),
    after: text(after),
    ...(decision.reason === undefined ? {} : { reason: decision.reason }),
  }
}

import { basename } from "node:path"
import { canonicalJson, digestText } from "../core/canonical.ts"
import { DataError, type Issue } from "../core/errors.ts"
import type { Decision } from "../core/example.ts"
import type { TaskSpecification } from "../core/task.ts"
import { readBytes } from "../store/files.ts"
import { readTable } from "../store/table.ts"
import { TaskRows } from "../store/task-rows.ts"
import type { StageContext } from "./context.ts"
import { taskExamples } from "./examples.ts"
import { newDecisions, recordDecisions } from "./record-decisions.ts"
import { readDecision } from "./review-decision.ts"
import { guidelineDigest, reviewItems } from "./review-items.ts"

export interface ReviewImport {
  readonly read: number
  readonly added: number
  readonly unchanged: number
  readonly undecided: number
  readonly byVerdict: Readonly<Record<string, number>>
  readonly stillOpen: number
  readonly suspectsLeft: number
  readonly conflictPairsLeft: number
}

/** The decisions of the file are in the task's log, each once: importing again changes nothing. Rows join by id; only the decision columns are read; a row missing from the file is simply not decided. Any wrong row stops the import before a byte is written. */
export function importReview(
  context: StageContext,
  task: TaskSpecification,
  file: string,
  options: { reviewer: string | undefined; dryRun: boolean },
): ReviewImport {
  const rows = new TaskRows(context.workspace, task.task)
  const examples = taskExamples(task, rows)
  const items = new Map(reviewItems(rows, examples.sources).map((item) => [item.id, item]))
  const table = readTable(file)
  const issues: Issue[] = [...table.issues]
  const decided = new Map<string, { verdict: Decision["verdict"]; output: unknown; line: number }>()
  const decisions: Decision[] = []
  const at = context.now().toISOString()
  let undecided = 0
  for (const row of table.rows) {
    const read = readDecision(task, row, items, options.reviewer, file)
    if (read === undefined) {
      undecided++
      continue
    }
    if ("issues" in read) {
      issues.push(...read.issues)
      continue
    }
    const { decision } = read
    const before = decided.get(decision.item)
    if (before && (before.verdict !== decision.verdict || canonicalJson(before.output ?? null) !== canonicalJson(decision.output ?? null))) {
      issues.push({ file, line: row.line, path: "id", message: `${decision.item} was decided differently on line ${before.line}` })
      continue
    }
    if (before) continue
    decided.set(decision.item, { verdict: decision.verdict, output: decision.output, line: row.line })
    decisions.push({ ...decision, guideline: guidelineDigest(task), at, source: { file: basename(file), row: row.line } })
  }
  if (issues.length > 0)
    throw new DataError(
      `${new Set(issues.map(({ line }) => line)).size} rows of ${file} cannot be imported; nothing was written`,
      issues,
      "Mend those cells and import the file again.",
    )
  const added = newDecisions(rows, decisions)
  if (!options.dryRun) recordDecisions(rows, items, added, at, digestText(readBytes(file)).slice(7, 15))
  const byVerdict: Record<string, number> = {}
  for (const { verdict } of added) byVerdict[verdict] = (byVerdict[verdict] ?? 0) + 1
  const left = options.dryRun ? examples : taskExamples(task, rows)
  return {
    read: table.rows.length,
    added: added.length,
    unchanged: decisions.length - added.length,
    undecided,
    byVerdict,
    stillOpen: left.open.length,
    suspectsLeft: left.suspects.length,
    conflictPairsLeft: left.conflicts.length,
  }
}

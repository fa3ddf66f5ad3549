import { basename } from "node:path"
import { stringify } from "csv-stringify/sync"
import { canonicalJson, canonicalText, digestText } from "../core/canonical.ts"
import { DataError, PersonNeededError, type Issue } from "../core/errors.ts"
import type { Decision } from "../core/example.ts"
import { formatOutput, inputText, outputIssues, parseOutput } from "../core/output.ts"
import { nearest, show } from "../core/parse.ts"
import { labelsOf, type TaskSpecification } from "../core/task.ts"
import { readTable, type TableRow } from "../store/table.ts"
import { readBytes, writeAtomically } from "../store/files.ts"
import { TaskRows } from "../store/task-rows.ts"
import type { StageContext } from "./context.ts"
import { rowDecisions } from "./conflicts.ts"
import { guidelineDigest, reviewItems, taskExamples, type ReviewItem } from "./examples.ts"

const decisionColumns = ["decision", "corrected_output", "comment", "reviewer"] as const

/** The items that wait for a person as CSV, conflicts and suspected label errors after the others: one row an item, joined by id alone; empty decision columns to fill in. A spreadsheet may sort, filter and save it as it likes. */
export function exportReview(
  context: StageContext,
  task: TaskSpecification,
  options: { out: string; limit: number | undefined; reviewer: string | undefined; only: ReviewItem["kind"] | undefined },
): { rows: number; open: number; suspects: number; conflictPairs: number; file: string } {
  const examples = taskExamples(task, new TaskRows(context.workspace, task.task))
  const items = [...examples.open, ...examples.conflicts, ...examples.suspects]
    .filter(({ kind }) => options.only === undefined || kind === options.only)
    .slice(0, options.limit)
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
  const items = new Map(reviewItems(rows, examples).map((item) => [item.id, item]))
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
  const key = (decision: Decision) => canonicalJson([decision.item, decision.verdict, decision.output ?? null, decision.reviewer, decision.revision])
  const known = new Set(rows.decisions().map(key))
  const added = decisions.filter((decision) => !known.has(key(decision)))
  if (added.length > 0 && !options.dryRun) {
    const reviewers = [...new Set(added.map(({ reviewer }) => reviewer.toLowerCase().replace(/[^a-z0-9]+/g, "-")))].join("+").slice(0, 60)
    rows.writeSession(`${at.slice(0, 10)}-${reviewers}-${digestText(readBytes(file)).slice(7, 15)}`, [
      ...added,
      ...added.flatMap((decision) => rowDecisions(items.get(decision.item) as ReviewItem, decision)),
    ])
  }
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

/** How far the review is. */
export function reviewStatus(
  context: StageContext,
  task: TaskSpecification,
): { open: number; pending: number; conflicts: number; stale: number; accepted: number; rejected: number; suspects: number; conflictPairs: number } {
  const examples = taskExamples(task, new TaskRows(context.workspace, task.task))
  const count = (state: string) => [...examples.standings.values()].filter((standing) => standing.state === state).length
  return {
    open: examples.open.length,
    pending: count("pending"),
    conflicts: count("conflict"),
    stale: count("stale"),
    accepted: count("accepted"),
    rejected: count("rejected"),
    suspects: examples.suspects.length,
    conflictPairs: examples.conflicts.length,
  }
}

const words: Readonly<Record<string, Decision["verdict"]>> = {
  accept: "accept",
  accepted: "accept",
  yes: "accept",
  ok: "accept",
  y: "accept",
  edit: "edit",
  edited: "edit",
  correct: "edit",
  reject: "reject",
  rejected: "reject",
  no: "reject",
  n: "reject",
}

/** Of two rows: the output of a or of b is right for both, each is right as it is, or another one is right. */
const wordsOfConflicts: Readonly<Record<string, Decision["verdict"]>> = { ...words, a: "accept", b: "edit", both: "reject" }

/** The decision of a row; undefined when the row is not decided. */
function readDecision(
  task: TaskSpecification,
  row: TableRow,
  items: ReadonlyMap<string, ReviewItem>,
  reviewer: string | undefined,
  file: string,
): { decision: Omit<Decision, "guideline" | "at" | "source"> } | { issues: Issue[] } | undefined {
  const cell = (name: string) => String(row.fields[name] ?? "").trim()
  const problem = (path: string, message: string) => ({ issues: [{ file, line: row.line, path, message }] })
  if (!("id" in row.fields))
    throw new DataError(`${file} has no column "id"`, [], "Import the file that `tuneloop review export` wrote, with its columns' names.")
  if (!("decision" in row.fields))
    throw new DataError(`${file} has no column "decision"`, [], "Import the file that `tuneloop review export` wrote, with its columns' names.")
  const word = cell("decision").toLowerCase()
  const corrected = restore(String(row.fields["corrected_output"] ?? "")).trim()
  if (word === "") return corrected === "" ? undefined : problem("decision", "empty beside a corrected output; write edit")
  const item = items.get(cell("id"))
  const isConflict = item?.kind === "conflict"
  const verdict = (isConflict ? wordsOfConflicts : words)[word]
  if (verdict === undefined) {
    const allowed = isConflict ? ["a", "b", "both", "edit"] : ["accept", "edit", "reject"]
    const meant = nearest(word, allowed)
    return problem("decision", `got ${show(word)}; allowed: ${allowed.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`)
  }
  if (!item) return problem("id", `${show(cell("id"))} is not an item of the task ${task.task}`)
  const by = cell("reviewer") || reviewer
  if (!by) return problem("reviewer", "empty; write who decided, or give --reviewer NAME for the whole file")
  const exported = cell("revision")
  if (exported !== "" && !item.revision.slice("sha256:".length).startsWith(exported))
    return problem("revision", "the item changed since it was exported; export it again")
  const comment = cell("comment")
  const about = item.rows === undefined ? {} : { rows: item.rows.map(({ row }) => row) }
  const base = { item: item.id, ...about, reviewer: by, revision: item.revision, ...(comment === "" ? {} : { reason: comment }) }
  if (verdict === "reject") return { decision: { ...base, verdict } }
  if (verdict === "accept") {
    if (corrected !== "") {
      const output = parseOutput(task, corrected)
      const same = output !== undefined && item.output !== undefined && canonicalJson(output) === canonicalJson(item.output)
      if (!same) return problem("decision", "accept beside a corrected output; write edit, or empty the corrected output")
    }
    if (item.output === undefined)
      return problem("decision", "an input without an answer cannot be accepted; write edit and its output in corrected_output")
    // What is accepted of a conflict or of a suspected row is the suggestion, which the next search may change: it goes into the decision.
    return { decision: { ...base, verdict, ...(item.kind === "label-error" || isConflict ? { output: item.output } : {}) } }
  }
  if (isConflict && word === "b") {
    if (corrected !== "") return problem("decision", "b beside a corrected output; write edit, or empty the corrected output")
    return { decision: { ...base, verdict, output: item.current } }
  }
  if (corrected === "") return problem("corrected_output", "empty beside edit; write the right output")
  const output = parseOutput(task, corrected)
  if (output === undefined) return problem("corrected_output", outputProblem(task, corrected))
  return { decision: { ...base, verdict, output } }
}

function outputProblem(task: TaskSpecification, text: string): string {
  if (labelsOf(task).length > 0)
    return outputIssues(task, task.kind === "label" ? text : text.split(",").map((part) => part.trim()))[0]?.message ?? `got ${show(text)}`
  let value: unknown = text
  try {
    value = JSON.parse(text)
  } catch {
    if (task.kind === "json") return `not valid JSON: ${show(text)}`
  }
  return (
    outputIssues(task, value)
      .map(({ path, message }) => `${path}: ${message}`)
      .join("; ") || `got ${show(text)}`
  )
}

function cellOf(value: unknown): string {
  return value === undefined || value === null ? "" : typeof value === "string" ? canonicalText(value) : JSON.stringify(value)
}

/** A cell that a spreadsheet would read as a formula gets an apostrophe before it (OWASP, CSV injection). */
function neutralise(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
}

function restore(text: string): string {
  return /^'[=+\-@\t\r]/.test(text) ? text.slice(1) : text
}

/** Raised by a stage that cannot go on while items are open. */
export function reviewNeeded(task: TaskSpecification, open: number): PersonNeededError {
  return new PersonNeededError(
    `${open} items of ${task.task} wait for a decision`,
    `tuneloop review export ${task.task} --out review.csv, decide in the spreadsheet, then: tuneloop review import ${task.task} review.csv`,
  )
}

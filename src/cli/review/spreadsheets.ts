import { extname } from "node:path"
import { Option, type Command } from "commander"
import { reviewSplit } from "../../core/contracts/ledger.ts"
import { ToolkitError, UsageError } from "../../core/errors.ts"
import { count } from "../../evaluation/verdict/words.ts"
import { exportReview, type ReviewExport } from "../../stages/reviewing/review-export.ts"
import { importReview, type ReviewImport } from "../../stages/reviewing/review-import.ts"
import { reviewKinds } from "../../stages/standing/kinds.ts"
import { keptPath } from "../../store/rows/model-places.ts"
import type { Outputs } from "../../store/files/outputs.ts"
import type { Host } from "../host.ts"
import { workspaceOutputs } from "../outputs.ts"
import { readCheckedTask } from "../plugins.ts"
import { positive } from "../numbers.ts"
import { alsoWaiting, withCounts, wordsFor } from "./counts.ts"

const howToFillIn = [
  "Fill in the columns decision (accept, edit or reject), corrected_output (or corrected.*, a column each " +
    "value), comment and reviewer.",
  ...reviewKinds.toReversed().flatMap(({ help }) => help ?? []),
  "docs/reviewing.md is for reviewers.",
].join(" ")

export function registerExport(command: Command, host: Host): void {
  command
    .command("export")
    .argument("<task>", "the task's name")
    .option("--out <file>", "the file to write: .csv, or .xlsx for Excel", "review.csv")
    .option("--reviewer <name>", "fill in who decides")
    .option("--limit <n>", "at most so many items", positive)
    .option("--force", "replace a file that was filled in or is another's")
    .addOption(new Option("--only <kind>", "only items of this kind").choices(reviewKinds.map(({ name }) => name)))
    .description("write what waits for a decision to a spreadsheet")
    .addHelpText(
      "after",
      `\n${wrapped(howToFillIn)}\nExample: tuneloop review export ticket-triage --out review.xlsx --reviewer amara`,
    )
    .action(async (task: string, options: ExportFlags) => {
      if (![".csv", ".xlsx"].includes(extname(options.out).toLowerCase()))
        throw new UsageError(
          `cannot write ${options.out}; allowed: a file that ends in .csv or .xlsx`,
          "Give --out another name.",
        )
      const out = host.path(options.out)
      const outputs = workspaceOutputs(host)
      const specification = await readCheckedTask(host.workspace, task)
      requireReplaceable(outputs, task, out, options)
      const result = await exportReview(host.context(), specification, {
        out,
        limit: options.limit,
        reviewer: options.reviewer,
        only: options.only,
        beforeWriting: (rows) => recordSheet(host, task, out, rows),
      })
      if (result.withheld > 0)
        host.terminal.warn(
          `${count(result.withheld, "item")} with personal data or secrets not shown: privacy.personalData is refuse; ` +
            "take it out of them, or erase them",
        )
      if (result.rows > 0) outputs.note([out])
      host.print({ task, ...withCounts(result) }, describeExport(task, options.out, result, options.only))
    })
}

/** The sheet is in the ledger before it is there: an erasure tells of it. */
async function recordSheet(host: Host, task: string, out: string, rows: number): Promise<void> {
  const format = extname(out).slice(1).toLowerCase()
  const sheet = { version: "", holdout: "", format, split: reviewSplit, rows, digest: "" }
  await host
    .context()
    .ledger()
    .exports.record({ task, ...sheet, path: keptPath(host.workspace, out) })
}

interface ExportFlags {
  readonly out: string
  readonly reviewer?: string
  readonly limit?: number
  readonly only?: string
  readonly force?: boolean
}

/** A sheet that somebody filled in is imported before another takes its place. */
function requireReplaceable(outputs: Outputs, task: string, out: string, options: ExportFlags): void {
  try {
    outputs.require([out], { force: options.force === true })
  } catch (error) {
    if (!(error instanceof ToolkitError) || error.code !== "exists") throw error
    throw new ToolkitError(`${error.message}; decisions in it may not be imported yet`, {
      code: error.code,
      hint: `tuneloop review import ${task} ${options.out}, name another file with --out, or replace it with --force.`,
      exitCode: error.exitCode,
    })
  }
}

export function registerImport(command: Command, host: Host): void {
  command
    .command("import")
    .argument("<task>", "the task's name")
    .argument("<file>", "the file with decisions: .csv, .tsv, .txt or .xlsx")
    .option("--reviewer <name>", "who decided, for rows that do not say")
    .option("--dry-run", "say what would change, row by row, and change nothing")
    .option("--show <n>", "show at most so many changes (default: 20)", positive)
    .description("read the decisions from a spreadsheet; importing again changes nothing")
    .addHelpText(
      "after",
      "\nOnly the decision columns are read. Other cells that differ from what was\nexported are told, " +
        "and change nothing. Rows that are not in the file stay as\nthey are.\nExample: tuneloop review " +
        "import ticket-triage review.xlsx --dry-run",
    )
    .action(async (task: string, file: string, options: { reviewer?: string; dryRun?: boolean; show?: number }) => {
      const isDryRun = options.dryRun === true
      const { changes, ...result } = await importReview(
        host.context(),
        await readCheckedTask(host.workspace, task),
        host.path(file),
        {
          reviewer: options.reviewer,
          dryRun: isDryRun,
          ...(options.show === undefined ? {} : { shown: options.show }),
        },
      )
      // What was taken in lies in the task; decisions that were not are in the file alone.
      if (!isDryRun && result.notTaken.length === 0) workspaceOutputs(host).note([host.path(file)])
      for (const warning of warningsOf(task, file, result)) host.terminal.warn(warning)
      host.print(
        { task, dryRun: isDryRun, ...withCounts(result, "Left"), ...(isDryRun ? { changes } : {}) },
        [...(isDryRun ? describeChanges(changes, result.added) : []), describeImport(result, isDryRun)].join("\n"),
      )
    })
}

function describeExport(task: string, out: string, result: ReviewExport, only: string | undefined): string {
  if (result.rows === 0) {
    const others = waitingParts(result, () => true)
    return [
      `nothing ${only === undefined ? "" : `of the kind ${only} `}of ${task} waits for a decision; no file was written`,
      ...(others.length === 0 ? [] : [`${others.join(", ")} wait: tuneloop review export ${task} --out ${out}`]),
    ].join("\n")
  }
  const left = waitingParts(result, (field) => (result.written[field] ?? 0) === 0)
  const parts = waitingParts(result, (field) => (result.written[field] ?? 0) > 0, true)
  const lines = [`${parts.join(", ")} written to ${out}${left.length === 0 ? "" : ` (not in it: ${left.join(", ")})`}`]
  if (result.textFolder !== undefined)
    lines.push(
      `${count(result.longTexts, "text")} too long for a cell in ${result.textFolder}: send the folder with the file`,
    )
  return [
    ...lines,
    `Fill in the column decision (accept, edit or reject), then: tuneloop review import ${task} ${out}`,
  ].join("\n")
}

/** What waits, by what it is: with how many of it are in the file, or without. */
function waitingParts(
  { open, counts, written }: ReviewExport,
  isWanted: (field: string) => boolean,
  withWritten = false,
): string[] {
  const kinds = [
    { field: "open", waiting: open, words: open === 1 ? "open item" : "open items" },
    ...reviewKinds.flatMap(({ counted }) =>
      counted === undefined
        ? []
        : [
            {
              field: counted.field,
              waiting: counts[counted.field] ?? 0,
              words: wordsFor(counted, counts[counted.field] ?? 0),
            },
          ],
    ),
  ]
  return kinds
    .filter(({ field, waiting }) => waiting > 0 && isWanted(field))
    .map(({ field, waiting, words }) => `${withWritten ? `${written[field] ?? 0} of ` : ""}${waiting} ${words}`)
}

export function describeImport(result: Omit<ReviewImport, "changes">, isDryRun: boolean): string {
  const verdicts = Object.entries(result.byVerdict)
    .map(([verdict, decisions]) => `${decisions} ${verdict}`)
    .join(", ")
  const first =
    result.added === 0
      ? `unchanged: ${count(result.unchanged, "decision")} ${result.unchanged === 1 ? "is" : "are"} there already`
      : `${isDryRun ? "would add" : "added"} ${count(result.added, "decision")} (${verdicts}), ${result.unchanged} ` +
        `${result.unchanged === 1 ? "was" : "were"} there already`
  return (
    `${first}, ${count(result.undecided, "row")} undecided; ${count(result.stillOpen, "item")} still ` +
    `open${alsoWaiting(result.counts)}`
  )
}

function describeChanges(changes: ReviewImport["changes"], added: number): string[] {
  const lines = changes.flatMap(({ row, item, verdict, reviewer, before, after, reason }) => [
    `row ${row}  ${item}  ${verdict} by ${reviewer}${reason === undefined ? "" : `: ${oneLine(reason)}`}`,
    ...(before !== null && before !== after ? [`  - ${oneLine(before)}`] : []),
    ...(after === null ? [] : [`  ${before === after ? " " : "+"} ${oneLine(after)}`]),
  ])
  if (added > changes.length) lines.push(`… and ${added - changes.length} more (--show)`)
  return lines
}

const listedWarnings = 10

function warningsOf(task: string, file: string, result: Omit<ReviewImport, "changes">): string[] {
  const { notes, notTaken, differences, differingCells } = result
  const warnings = notes.map((note) => `${file}: ${note}`)
  for (const { row, item, reason } of notTaken.slice(0, listedWarnings))
    warnings.push(
      `${file}:${row}: ${item} ` +
        `${reason === "changed" ? `changed since it was exported; not taken: look at it again with tuneloop review export ${task}` : "is not in the task any more; not taken"}`,
    )
  if (notTaken.length > listedWarnings)
    warnings.push(`${file}: ${notTaken.length - listedWarnings} more decisions not taken, for the same reasons`)
  for (const { row, sheet, column, exported, found } of differences.slice(0, listedWarnings))
    warnings.push(
      `${file}${sheet === undefined ? "" : ` [${sheet}]`}:${row}: ${column} says ${quoted(found)}, ` +
        `exported was ${quoted(exported)}; not taken, only the decision columns are read`,
    )
  if (differingCells > listedWarnings)
    warnings.push(
      `${file}: ${count(differingCells - listedWarnings, "more cell")} outside the decision columns ` +
        "changed; none is taken",
    )
  return warnings
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text)
}

function oneLine(text: string): string {
  const line = text.replace(/\s*\n\s*/g, " ⏎ ")
  return line.length > 120 ? `${line.slice(0, 119)}…` : line
}

/** The text in lines of at most 79 characters. */
function wrapped(text: string): string {
  return text.replace(/(?=.{80})(.{1,79}) /g, "$1\n")
}

import type { Command } from "commander"
import { columnNotices, likelyNotice } from "../stages/arriving/column-notices.ts"
import { importInputs, importSeeds, type ImportResult } from "../stages/arriving/import-rows.ts"
import { count } from "../evaluation/verdict/words.ts"
import { formatIssue, UsageError } from "../core/errors.ts"
import type { Split } from "../core/rows/example.ts"
import type { TaskSpecification } from "../core/task/task.ts"
import { show } from "../core/parse.ts"
import type { Host } from "./host.ts"
import { readCheckedTask } from "./plugins.ts"

/** The `import` command of seeds and of inputs. */
export function registerImport(command: Command, host: Host, kind: "seed" | "input"): void {
  const what = kind === "seed" ? "gold examples" : "real inputs without answers"
  const importCommand = command
    .command("import")
    .argument("<task>", "the task's name")
    .argument("<file...>", "JSONL, JSON, CSV, TSV, Excel (.xlsx) or Parquet files")
    .option("--skip-invalid", "import the valid rows although others are invalid")
    .description(`import ${what}; importing a file again changes nothing`)
  addFileOptions(importCommand)
    .addHelpText(
      "after",
      kind === "seed"
        ? '\nRows: {"input": {"body": "…"}, "output": "…"}, {"messages": […]} with the answer\nlast, or a table ' +
            "with the fields and an output column.\nExample: tuneloop seed import ticket-triage gold.xlsx"
        : '\nRows: {"input": {"body": "…"}}, {"messages": […]}, or a table with the fields.\nExample: tuneloop ' +
            "input import ticket-triage export.jsonl",
    )
    .action(
      async (
        task: string,
        files: string[],
        options: { skipInvalid?: boolean; column?: ReadonlyMap<string, string>; sheet?: string },
      ) => {
        host.writesAllOrNothing()
        const specification = await readCheckedTask(host.workspace, task)
        const run = kind === "seed" ? importSeeds : importInputs
        const result = await run(
          host.context(),
          specification,
          files.map((file) => host.path(file)),
          {
            ...{ skipInvalid: options.skipInvalid === true, sheet: options.sheet, withoutEqual: true },
            columns: options.column ?? new Map(),
          },
        )
        noteFiles(host, result)
        host.print({ task, ...result }, describe(task, kind, result))
        host.next(nextAfter(specification, kind))
      },
    )
}

/** What was skipped, and what was not read: a column that was meant is missed by its rows. */
export function noteFiles(host: Host, { invalid, notes, unusedColumns, likelyGroups }: ImportResult): void {
  for (const issue of invalid) host.terminal.warn(`skipped ${formatIssue(issue)}`)
  for (const note of notes) host.terminal.note(note)
  for (const { file, columns } of unusedColumns)
    host.terminal.note(`${file}: not part of the task, and not read: ${columns.map(show).join(", ")}`)
  for (const likely of likelyGroups) host.terminal.note(likelyNotice(likely))
}

function nextAfter({ task, expand }: TaskSpecification, kind: "seed" | "input"): string {
  const strategies = Object.keys(expand.strategies)
  // Inputs are answered by people, or first by the strategy that labels them.
  if (kind === "input" && !strategies.includes("label")) return `tuneloop review export ${task} --out review.xlsx`
  return strategies.length > 0 ? `tuneloop expand ${task}` : `tuneloop build ${task}`
}

/** Which column is which, where a file calls them otherwise, and which sheet of a workbook is read. */
export function addFileOptions(command: Command): Command {
  return command
    .option(
      "--column <name=column>",
      "the column of an input field, output, a part of it (output.date), key, source or split; may be repeated",
      readColumn,
    )
    .option("--sheet <name>", "the sheet of a workbook (default: the only one with rows)")
}

function readColumn(given: string, before: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const [name, column] = [given.slice(0, given.indexOf("=")), given.slice(given.indexOf("=") + 1)]
  if (!given.includes("=") || name === "" || column === "")
    throw new UsageError(`--column got ${show(given)}; it must be name=column`, "Example: --column output=category")
  return new Map([...before, [name, column]])
}

/** The files of `train=a.csv test=b.csv c.csv`, and the split of those that name one. */
export function splitFiles(
  host: Host,
  given: readonly string[],
): { files: string[]; splitOf: ReadonlyMap<string, Split> } {
  const splitOf = new Map<string, Split>()
  const files = given.map((word) => {
    const [, split, path] = /^(train|validation|test)=(.+)$/.exec(word) ?? []
    const file = host.path(path ?? word)
    if (split !== undefined) splitOf.set(file, split as Split)
    return file
  })
  return { files, splitOf }
}

/** What of the new rows the task has already: how many of each sort, and the first of them. */
function describeEqual(task: string, { leftOut, conflicts, answered }: ImportResult["equal"]): string[] {
  const first = (rows: ImportResult["equal"]["leftOut"]) =>
    `${rows
      .slice(0, 3)
      .map(
        ({ place, row, split }) =>
          `${place} is ${row}${split === undefined || split === "train" ? "" : `, held out (${split})`}`,
      )
      .join("; ")}${rows.length > 3 ? "; …" : ""}`
  const seeds = leftOut.filter(({ kind }) => kind === "seed")
  const inputs = leftOut.filter(({ kind }) => kind === "input")
  return [
    ...(seeds.length > 0 ? [`  ${seeds.length} skipped as already gold examples: ${first(seeds)}`] : []),
    ...(inputs.length > 0 ? [`  ${inputs.length} skipped as already real inputs: ${first(inputs)}`] : []),
    ...(answered.length > 0 ? [`  ${answered.length} added that were there as real inputs: ${first(answered)}`] : []),
    ...(conflicts.length > 0
      ? [
          `  ${count(conflicts.length, "conflict")}, added: the same input has another output already: ` +
            `${first(conflicts)}`,
          `  say which is right: tuneloop build ${task}, then tuneloop review export ${task} --only conflict ` +
            "--out conflicts.csv",
        ]
      : []),
  ]
}

function describe(task: string, kind: "seed" | "input", result: ImportResult): string {
  const { read, added, corrected, unchanged, invalidRows, personalData, split, equal } = result
  const lines = [
    added + corrected === 0 && invalidRows + equal.leftOut.length === 0
      ? `unchanged: ${read === 1 ? "the row is" : `all ${read} rows are`} there already`
      : `${count(read, "row")} read: ${added} added, ${corrected} corrected, ${unchanged} unchanged, ` +
        `${invalidRows + equal.leftOut.length} skipped` +
        (invalidRows > 0 ? ` (${invalidRows} invalid, as --skip-invalid asks)` : ""),
    ...describeEqual(task, equal),
  ]
  if (personalData.length > 0)
    lines.push(
      `personal data or secrets in ${count(personalData.length, "row")}: ${personalData
        .slice(0, 5)
        .map(({ place, kinds }) => `${place} (${kinds.join(", ")})`)
        .join("; ")}${personalData.length > 5 ? "; …" : ""}`,
    )
  if (kind === "seed") {
    lines.push(
      `gold of ${task}: ${split.train} to train, ${split.validation} for validation, ${split.test} sealed ` +
        `for the test (the verdict's rule needs ${split.testNeeded} test rows, gold or answered inputs)`,
    )
    if (result.untested.length > 0) lines.push(`without a test example: ${result.untested.join(", ")}`)
    if (split.oneFamily !== undefined) lines.push(split.oneFamily)
    if (split.tooFew !== undefined) lines.push(split.tooFew)
  }
  lines.push(...columnNotices(split))
  return lines.join("\n")
}

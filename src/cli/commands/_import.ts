import type { Command } from "commander"
import { importInputs, importSeeds, type ImportResult } from "../../stages/import-rows.ts"
import { formatIssue } from "../../core/errors.ts"
import type { Host } from "../host.ts"
import { readCheckedTask } from "../plugins.ts"

/** The `import` command of seeds and of inputs. */
export function registerImport(command: Command, host: Host, kind: "seed" | "input"): void {
  const what = kind === "seed" ? "gold examples" : "real inputs without answers"
  command
    .command("import")
    .argument("<task>", "the task's name")
    .argument("<file...>", "JSONL, JSON, CSV or TSV files")
    .option("--skip-invalid", "import the valid rows although others are invalid")
    .description(`import ${what}; importing a file again changes nothing`)
    .addHelpText(
      "after",
      kind === "seed"
        ? '\nRows: {"input": {"body": "…"}, "output": "…"}, or a CSV with the fields\nand an output column.\nExample: tuneloop seed import ticket-triage gold.csv'
        : '\nRows: {"input": {"body": "…"}}, or a CSV with the fields.\nExample: tuneloop input import ticket-triage export.jsonl',
    )
    .action(async (task: string, files: string[], options: { skipInvalid?: boolean }) => {
      const specification = await readCheckedTask(host.workspace, task)
      const run = kind === "seed" ? importSeeds : importInputs
      const result = run(
        host.context(),
        specification,
        files.map((file) => host.path(file)),
        { skipInvalid: options.skipInvalid === true },
      )
      for (const issue of result.invalid) host.terminal.warn(`left out ${formatIssue(issue)}`)
      host.print({ task, ...result }, describe(task, kind, result))
      if (result.invalid.length > 0) process.exitCode = 1
    })
}

function describe(task: string, kind: "seed" | "input", result: ImportResult): string {
  const { read, added, corrected, unchanged, invalid, personalData, split } = result
  const lines = [
    added + corrected === 0 && invalid.length === 0
      ? `unchanged: all ${read} rows are there already`
      : `${read} rows read: ${added} added, ${corrected} corrected, ${unchanged} unchanged, ${invalid.length} left out`,
  ]
  if (personalData.length > 0)
    lines.push(
      `personal data or secrets in ${personalData.length} rows: ${personalData
        .slice(0, 5)
        .map(({ place, kinds }) => `${place} (${kinds.join(", ")})`)
        .join("; ")}${personalData.length > 5 ? "; …" : ""}`,
    )
  if (kind === "seed") {
    lines.push(
      `gold of ${task}: ${split.train} to train, ${split.validation} for validation, ${split.test} sealed for the test (the verdict's rule needs ${split.testNeeded})`,
    )
    if (result.untested.length > 0) lines.push(`without a test example: ${result.untested.join(", ")}`)
    if (split.tooFew !== undefined) lines.push(split.tooFew)
  }
  return lines.join("\n")
}

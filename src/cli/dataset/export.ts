import { join } from "node:path"
import type { Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import type { DatasetFormat } from "../../core/contracts/format.ts"
import { nearest, show } from "../../core/parse.ts"
import { exportDataset } from "../../stages/versions/export-dataset.ts"
import type { Host } from "../host.ts"
import { workspaceOutputs } from "../outputs.ts"
import { load, names } from "../plugins.ts"
import { resolveVersion } from "./versions.ts"

interface Options {
  readonly format: string
  readonly out: string
  readonly dataset: string
  readonly withTest?: boolean
  readonly force?: boolean
}

export function registerExport(command: Command, host: Host): void {
  command
    .command("export")
    .argument("<task>", "the task's name")
    .requiredOption("--format <name>", `one of ${names("formats").join(", ")}`)
    .requiredOption("--out <path>", "a folder for train and validation, or a file for train alone")
    .option("--dataset <id>", "the version: its id, the beginning of it, or latest", "latest")
    .option("--with-test", "the sealed test rows as well; this opening is recorded for good")
    .option("--force", "replace a file that is not an earlier export")
    .description("write a version as other trainers and services read it")
    .addHelpText(
      "after",
      "\nExample: tuneloop dataset export ticket-triage --format messages --out data/\nA row that the " +
        "format cannot carry stops the export; docs/plug-ins.md lists\nthe formats and who reads them.",
    )
    .action(async (name: string, options: Options) => {
      const task = host.workspace.readTask(name)
      const version = resolveVersion(host, options.dataset, name).id
      const format = { name: options.format, module: await loadFormat(options.format) }
      const output = host.path(options.out)
      // A folder is named to be written into.
      workspaceOutputs(host).requireFree([join(output, "train.jsonl"), output])
      const files = await exportDataset(host.context(), task, {
        version,
        format,
        output,
        withTest: options.withTest === true,
        force: options.force === true,
      })
      const state = files.every((file) => file.state === "unchanged") ? "unchanged" : "exported"
      host.print(
        { task: name, version, format: options.format, state, files, openedTest: options.withTest === true },
        [
          `${state}: ${version} as ${options.format}`,
          ...files.map(({ path, split, rows }) => `${path}  ${rows} ${split} rows`),
          ...(options.withTest ? ["the test rows were opened, which the ledger and every later report say"] : []),
        ].join("\n"),
      )
    })
}

async function loadFormat(name: string): Promise<DatasetFormat> {
  const existing = names("formats")
  if (existing.includes(name)) return load<DatasetFormat>("formats", name)
  const meant = nearest(name, existing)
  throw new UsageError(
    `there is no format ${show(name)}; allowed: ${existing.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`,
    "docs/plug-ins.md says who reads which.",
  )
}

import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Command } from "commander"
import { makeFolder, readText, writeAtomically } from "../../store/files/files.ts"
import { Workspace } from "../../store/workspace.ts"
import type { Host } from "../host.ts"
import { packageRoot } from "../version.ts"
import { refreshSchemas } from "./_schemas.ts"

const settings = `# yaml-language-server: $schema=schemas/workspace.json
# Settings of this workspace; every key is optional (tuneloop config show).
schemaVersion: 1
`

/** The task that comes with the package. */
const sample = "ticket-triage"

/** What the machine writes for itself. */
const ignoredPaths = [".tuneloop/", "jobs/runs/", ".*.tmp"]

export function register(command: Command, host: Host): void {
  command
    .argument("[dir]", "the folder", ".")
    .option("--sample", `with a specification and a job to start from: those of ${sample}`)
    .addHelpText("after", "\nExample: tuneloop init my-workspace --sample")
    .action((given: string, options: { sample?: boolean }) => initialise(host, given, options))
}

function initialise(host: Host, given: string, options: { readonly sample?: boolean }): void {
  const folder = host.path(given)
  makeFolder(folder)
  const made: string[] = []
  const write = (name: string, text: string) => {
    if (existsSync(join(folder, name))) return
    writeAtomically(join(folder, name), text)
    made.push(name)
  }
  write("tuneloop.yaml", settings)
  write(".gitignore", ignoredPaths.map((path) => `${path}\n`).join(""))
  const ignored = readText(join(folder, ".gitignore"))
  if (!ignored.includes(".tuneloop"))
    host.terminal.warn(`${join(folder, ".gitignore")} was there already; add to it: ${ignoredPaths.join(" ")}`)
  const workspace = Workspace.open(folder)
  workspace.makeFolders()
  if (options.sample === true)
    for (const name of [`specs/${sample}.yaml`, `jobs/${sample}.yaml`]) write(name, readText(join(packageRoot, name)))
  const onForeign = (file: string) =>
    host.terminal.warn(`${file} is not Tuneloop's and stays; editors that are sent there complete nothing of ours`)
  made.push(...refreshSchemas(workspace, { make: true, onForeign }))
  const next =
    options.sample === true
      ? `make specs/${sample}.yaml and jobs/${sample}.yaml your own, then: tuneloop spec check ${sample}`
      : "write specs/<task>.yaml (init --sample brings one), then: tuneloop seed import <task> <file>"
  host.print(
    { workspace: folder, made },
    made.length === 0
      ? `unchanged: ${folder} is a workspace already`
      : `${made.includes("tuneloop.yaml") ? `made a workspace in ${folder}` : `wrote ${made.join(", ")} in ${folder}`}\n` +
          `Next: ${next}\n` +
          "An editor completes it when it begins with: # yaml-language-server: $schema=../schemas/task.json",
  )
}

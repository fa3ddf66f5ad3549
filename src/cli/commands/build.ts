import type { Command } from "commander"
import { build, describeDrops, type BuildResult } from "../../stages/build.ts"
import type { Host } from "../host.ts"
import { readCheckedTask } from "../plugins.ts"

export function register(command: Command, host: Host): void {
  command
    .argument("<task>", "the task's name")
    .addHelpText("after", "\nExample: tuneloop build ticket-triage")
    .action(async (task: string) => {
      const result = build(host.context(), await readCheckedTask(host.workspace, task))
      host.print(buildData(result), describeBuild(result))
    })
}

/** The `--json` object of a build; a stable contract. */
export function buildData({ state, manifest, rows, open }: BuildResult): Record<string, unknown> {
  const { task, id: version, holdout, read, kept, dropped, conflicts, leaks } = manifest
  return { task, state, version, holdout, rows, read, kept, dropped, conflicts, leaks, open }
}

export function describeBuild({ state, manifest, rows, open, conflicts }: BuildResult): string {
  const lines = [
    `${state === "unchanged" ? "unchanged" : "built"}: ${manifest.id}, ${rows.train} rows to train on; holdout ${manifest.holdout}, ${rows.validation} validation and ${rows.test} test rows`,
    `read ${manifest.read} = kept ${manifest.kept} + dropped ${manifest.read - manifest.kept} (${describeDrops(manifest.dropped)})`,
    `leaks: none by ${manifest.leaks.checks.join(", ")}`,
  ]
  if (conflicts.length > 0)
    lines.push(
      `${conflicts.length} pairs of near-duplicates have different outputs, to look at: ${conflicts
        .slice(0, 3)
        .map(({ a, b }) => `${a} and ${b}`)
        .join("; ")}${conflicts.length > 3 ? "; …" : ""}`,
    )
  if (open > 0) lines.push(`${open} items wait for a decision and are not in it`)
  return lines.join("\n")
}

import type { Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import type { RowChange, VersionDiff } from "../../curation/version/version-diff.ts"
import { compareVersions } from "../../stages/versions/compare-versions.ts"
import type { Host } from "../host.ts"
import { resolveVersion } from "./versions.ts"

export function registerDiff(command: Command, host: Host): void {
  command
    .command("diff")
    .argument("<a>", "the first version: its id, the beginning of it, or latest")
    .argument("<b>", "the second version")
    .description("what came, went and changed between two versions, and why")
    .addHelpText("after", "\nExample: tuneloop dataset diff ds_3f09 latest")
    .action((first: string, second: string) => {
      // `latest` is that of the task of the version that is named.
      const a = resolveVersion(
        host,
        first,
        first === "latest" && second !== "latest" ? resolveVersion(host, second).task : undefined,
      )
      const b = resolveVersion(host, second, second === "latest" ? a.task : undefined)
      if (a.task !== b.task)
        throw new UsageError(
          `${a.id} is of the task ${a.task}, ${b.id} of ${b.task}`,
          "Name two versions of one task; tuneloop dataset ls lists them.",
        )
      const diff = compareVersions(host.context(), host.workspace.readTask(a.task), a.id, b.id)
      host.print({ task: a.task, a: a.id, b: b.id, ...diff }, describe(a.id, b.id, diff))
    })
}

function describe(a: string, b: string, diff: VersionDiff): string {
  const { recipe, came, went, changed, out, unchanged } = diff
  if (recipe.length + came.length + went.length + changed.length + out.length === 0)
    return `${a} and ${b} are the same: ${unchanged} rows`
  return [
    `${a} → ${b}: ${came.length} came, ${went.length} went, ${changed.length} changed, ${unchanged} unchanged`,
    ...recipe.map(({ key, before, after }) => `recipe: ${key} ${JSON.stringify(before)} → ${JSON.stringify(after)}`),
    ...section("+", "came", came),
    ...section("-", "went", went),
    ...section("~", "changed", changed),
    ...section(" ", "left out by both, or by the one that read it", out),
  ].join("\n")
}

const shownRows = 20

function section(sign: string, title: string, rows: readonly RowChange[]): string[] {
  if (rows.length === 0) return []
  const counts = [...Map.groupBy(rows, ({ kind }) => kind)]
    .map(([kind, group]) => `${group.length} ${group.length > 1 && kind.endsWith("decision") ? `${kind}s` : kind}`)
    .join(", ")
  const lines = rows
    .slice(0, shownRows)
    .map(({ id, why, before, after }) => `${sign} ${id} ${why}${sign === "~" ? outputs(before, after) : ""}`)
  return [
    "",
    `${title}: ${counts}`,
    ...lines,
    ...(rows.length > shownRows ? [`  … and ${rows.length - shownRows} more (--json has all)`] : []),
  ]
}

function outputs(before: RowChange["before"], after: RowChange["after"]): string {
  const [was, is] = [JSON.stringify(before?.output), JSON.stringify(after?.output)]
  return was === is || was === undefined ? "" : `: ${short(was)} → ${short(is ?? "")}`
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}

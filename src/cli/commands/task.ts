import { InvalidArgumentError, type Command } from "commander"
import { exitCodes, UsageError } from "../../core/errors.ts"
import { migrate, type LabelChange, type MigrationResult } from "../../stages/arriving/migrate.ts"
import type { Host } from "../host.ts"
import { readCheckedTask } from "../plugins.ts"
import { setExitCode } from "../machine.ts"

export function register(command: Command, host: Host): void {
  command
    .command("migrate")
    .argument("<task>", "the task's name")
    .option("--rename <old=new>", "a label has another name; may be repeated", changeOf("rename"))
    .option("--merge <a,b=c>", "several labels become one; may be repeated", changeOf("merge"))
    .option("--split <a=b,c>", "a label becomes several; may be repeated", changeOf("split"))
    .option("--yes", "migrate; without it you see what would change")
    .description("change the labels of a task: rename, merge or split them")
    .addHelpText(
      "after",
      "\nWrite the new labels into the specification first. Files of rows and decisions\nstay as they " +
        "are: the change is kept in migrations.jsonl, and all that is read\nhas the new names. Old names " +
        "are retired for good. Rows with a label that is\nsplit go into the next review export. Nothing " +
        "that is held out moves.\nExample: tuneloop task migrate ticket-triage --split " +
        "account=login,profile",
    )
    .action(
      async (
        name: string,
        options: { rename?: LabelChange[]; merge?: LabelChange[]; split?: LabelChange[]; yes?: boolean },
      ) => {
        const changes = [...(options.rename ?? []), ...(options.merge ?? []), ...(options.split ?? [])]
        if (changes.length === 0) throw new UsageError("nothing to change", "Give --rename, --merge or --split.")
        requireOnce(changes)
        const task = await readCheckedTask(host.workspace, name)
        const result = migrate(host.context(), task, changes, { yes: options.yes === true })
        host.print({ task: name, ...result }, describe(name, result))
        if (result.state === "planned") setExitCode(exitCodes.personNeeded)
      },
    )
}

/** Reads `a,b=c` and adds it to those that were given before. */
function changeOf(kind: LabelChange["kind"]): (text: string, before: LabelChange[] | undefined) => LabelChange[] {
  return (text, before = []) => {
    const [left, right, ...rest] = text.split("=")
    const list = (part: string | undefined) => (part ?? "").split(",").map((label) => label.trim())
    const [from, into] = [list(left), list(right)]
    const fits =
      kind === "rename"
        ? from.length === 1 && into.length === 1
        : kind === "merge"
          ? from.length > 1 && into.length === 1
          : from.length === 1 && into.length > 1
    if (!fits || rest.length > 0 || [...from, ...into].includes(""))
      throw new InvalidArgumentError(`write ${{ rename: "old=new", merge: "a,b=c", split: "a=b,c" }[kind]}`)
    return [...before, { kind, from, into }]
  }
}

function requireOnce(changes: readonly LabelChange[]): void {
  const from = changes.flatMap((change) => change.from)
  const twice = from.find((label, index) => from.indexOf(label) !== index)
  if (twice !== undefined) throw new UsageError(`the label ${twice} is changed twice`, "Say once what becomes of it.")
}

function describe(task: string, { state, changes, asked }: MigrationResult): string {
  if (state === "unchanged") return `unchanged: the labels of ${task} were migrated before`
  const lines = changes.map(
    ({ kind, from, into, seeds, candidates, decisions }) =>
      `${kind} ${from.join(", ")} to ${into.join(", ")}: ${seeds} seeds, ${candidates} candidates, ` +
      `${decisions} decisions`,
  )
  const next =
    asked > 0
      ? [
          `${asked} rows ${state === "planned" ? "would be" : "are"} asked about: tuneloop review export ` +
            `${task} --only relabel --out relabel.csv`,
        ]
      : []
  return [
    ...lines,
    ...next,
    ...(state === "planned" ? ["nothing was written; migrate with --yes"] : ["migrated"]),
  ].join("\n")
}

import { existsSync } from "node:fs"
import type { Command } from "commander"
import { labelsOf, outOfScopeLabel, type TaskSpecification } from "../../core/task/task.ts"
import { promptVersion } from "../../core/task/prompt.ts"
import { DataError } from "../../core/errors.ts"
import { columnNoticesOf } from "../../stages/arriving/column-notices.ts"
import { unknownLabelsNotice } from "../../stages/arriving/unknown-labels.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import type { Workspace } from "../../store/workspace.ts"
import type { Host } from "../host.ts"
import { readCheckedTasks } from "../plugins.ts"
import { refreshSchemas } from "./_schemas.ts"

export function register(command: Command, host: Host): void {
  command
    .command("check")
    .argument("[task]", "the task's name; default: every task")
    .description("check a specification and list every problem at once")
    .addHelpText("after", "\nExample: tuneloop spec check ticket-triage")
    .action(async (task: string | undefined) => {
      const tasks = task === undefined ? host.workspace.tasks() : [task]
      const { checked, refused } = await readCheckedTasks(host.workspace, tasks)
      if (refused !== undefined && checked.length === 0) throw refused
      refresh(host)
      host.print(
        {
          tasks: checked.map((specification) => ({
            task: specification.task,
            kind: specification.kind,
            prompt: promptVersion(specification),
            valid: true,
            notices: notices(host.workspace, specification),
          })),
        },
        checked
          .flatMap((specification) => [
            `specs/${specification.task}.yaml is valid: kind ` +
              `${specification.kind}${labelsOf(specification).length > 0 ? `, ${labelsOf(specification).length} labels` : ""}, prompt ${promptVersion(specification)}`,
            ...notices(host.workspace, specification).map((notice) => `  ${notice}`),
          ])
          .join("\n") || host.workspace.withoutTasks,
      )
      if (refused !== undefined) throw refused
      const [only, ...others] = checked
      if (only === undefined) return
      const isNew = !existsSync(new TaskRows(host.workspace, only.task).seedsFile)
      host.next(
        others.length > 0
          ? "tuneloop status"
          : isNew
            ? `tuneloop seed import ${only.task} <file>`
            : `tuneloop status ${only.task}`,
      )
    })
}

/** What is allowed and worth a thought. */
function notices(workspace: Workspace, task: TaskSpecification): string[] {
  const unknown = unknownLabelsNotice(workspace, task)
  return [
    ...(unknown === undefined ? [] : [`${unknown.message}: ${unknown.command}`]),
    ...scopeNotices(task),
    ...columnNoticesOf(workspace, task),
  ]
}

function scopeNotices(task: TaskSpecification): string[] {
  if (task.kind !== "label") return []
  const outOfScope = outOfScopeLabel(task)
  if (outOfScope === undefined)
    return [
      "no label is for what is out of scope: a model must then give one of the others to anything; add " +
        "one and name it in output.outOfScope",
    ]
  return outOfScope.isDeclared
    ? []
    : [
        `the label ${outOfScope.label} is taken as out of scope by its name, in a slice of its own in ` +
          `evaluations; say so: output.outOfScope: ${outOfScope.label}`,
      ]
}

/** A check is right in a workspace that may only be read, too. */
function refresh(host: Host): void {
  try {
    const written = refreshSchemas(host.workspace, { make: false })
    if (written.length > 0) host.terminal.note(`brought up to date for editors: ${written.join(", ")}`)
  } catch (error) {
    if (!(error instanceof DataError)) throw error
  }
}

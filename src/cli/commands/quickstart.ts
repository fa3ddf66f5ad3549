import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import { importInputs, importSeeds } from "../../stages/arriving/import-rows.ts"
import { importReview } from "../../stages/reviewing/review-import.ts"
import { readText, writeAtomically } from "../../store/files/files.ts"
import { Workspace } from "../../store/workspace.ts"
import { packageRoot, type Host } from "../host.ts"
import { readCheckedTask } from "../plugins.ts"
import { describeImport } from "../review/spreadsheets.ts"
import { describeEvaluation } from "./evaluate.ts"
import { finish, grow, jobOf, stage } from "./run.ts"

const task = "ticket-triage"

export function register(command: Command, host: Host): void {
  command
    .addHelpText(
      "after",
      "\nThe review step uses decisions that were recorded when the sample was made;\neverything else is " +
        "done here and now.",
    )
    .action(async () => {
      const workspace = prepare(host)
      const context = host.context(workspace)
      const specification = await readCheckedTask(workspace, task)
      host.terminal.note(`quickstart: the sample task ${task}, in ${host.terminal.paint(workspace.root, "1")}`)
      const samples = join(packageRoot, "datasets", task)
      const seeds = await importSeeds(context, specification, [join(samples, "seeds.jsonl")], { skipInvalid: false })
      stage(
        host,
        "seeds",
        seeds.added === 0
          ? `unchanged: ${seeds.read} gold examples`
          : `${seeds.added} gold examples, written one by one for this sample`,
      )
      const inputs = await importInputs(context, specification, [join(samples, "inputs.jsonl")], { skipInvalid: false })
      stage(
        host,
        "inputs",
        inputs.added === 0
          ? `unchanged: ${inputs.read} messages without answers`
          : `${inputs.added} messages without answers`,
      )
      await grow(host, context, specification)
      const review = await importReview(context, specification, join(samples, "recorded-review.csv"), {
        reviewer: undefined,
        dryRun: false,
      })
      stage(
        host,
        "review",
        `${describeImport(review, false)}\n(recorded decisions: made when the sample was written, replayed here)`,
      )
      const result = await finish(host, context, specification, jobOf(workspace, specification, undefined))
      const { evaluation } = result
      const report = join(workspace.root, evaluation.report)
      host.print(
        {
          workspace: workspace.root,
          version: result.build.manifest.id,
          holdout: result.build.manifest.holdout,
          run: result.run,
          evaluation: evaluation.evaluation,
          contenders: evaluation.contenders,
          verdict: evaluation.verdict,
          reason: evaluation.reason,
          notes: evaluation.notes,
          report,
        },
        `\n${describeEvaluation(host, { ...evaluation, report })}`,
      )
    })
}

/**
 * The quickstart's own workspace, with the sample's specification and job as they are now: the checkout stays clean.
 */
function prepare(host: Host): Workspace {
  const { folder, isNamed } = host.workspaceFolder()
  const root = !isNamed
    ? join(existsSync(join(folder, "specs", `${task}.yaml`)) ? packageRoot : folder, ".tuneloop", "quickstart")
    : folder
  for (const file of [join("specs", `${task}.yaml`), join("jobs", `${task}.yaml`)]) {
    const target = join(root, file)
    const sample = readText(join(packageRoot, file))
    if (existsSync(target) && readText(target) === sample) continue
    // A workspace that was named may be someone's own, with a task of the sample's name.
    if (existsSync(target) && isNamed)
      throw new UsageError(
        `${target} is not the one of this sample, and it would be written over`,
        "Name another workspace, or move the file.",
      )
    writeAtomically(target, sample)
  }
  return Workspace.open(root)
}

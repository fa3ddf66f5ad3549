import type { Command } from "commander"
import { ToolkitError } from "../../core/errors.ts"
import { bringArtifacts } from "../../stages/training/run-model.ts"
import { syncRun } from "../../stages/training/sync.ts"
import { type CheckpointChoice, chosenCheckpoint } from "../../core/training/checkpoints.ts"
import type { ModelRef } from "../../core/training/model-ref.ts"
import type { RunSummary } from "../../core/training/run.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import { checkpointOption } from "../checkpoint-option.ts"
import type { Host } from "../host.ts"
import { resolveRun } from "../resolve-run.ts"
import { backendOfRun } from "./run-backend.ts"

export function registerFetch(command: Command, host: Host): void {
  command
    .command("fetch")
    .argument("<run>", "the run's id, or `latest`")
    .description("bring what a run made: results, checkpoints, adapters")
    .addOption(checkpointOption())
    .addHelpText(
      "after",
      "\nEach file is verified by the size or digest that the provider states. What is\n" +
        "here already is not brought again.\nExample: tuneloop runs fetch latest",
    )
    .action(async (given: string, { checkpoint }: { checkpoint?: CheckpointChoice }) => {
      const run = await resolveRun(host, given)
      const context = host.context()
      const backend = await backendOfRun(host, run)
      const summary = await syncRun(context, run, backend)
      if (summary.job === undefined)
        throw new ToolkitError(`${run} is ${summary.state} and has no job that made anything`, {
          code: "no-job",
          hint: "tuneloop runs sync looks at all runs that are not over.",
        })
      const artifacts = await bringArtifacts(context, summary, backend, checkpoint)
      const choice = checkpoint ?? readPlan(runFiles(context.workspace, run))?.checkpoint ?? "last"
      const model = servedAs(summary, choice)
      host.print(
        { run, state: summary.state, artifacts, model: model ?? null },
        [
          ...(artifacts.length === 0 ? [`${backend.name} has no files of ${run} that could be brought`] : []),
          ...artifacts.map(
            ({ path, bytes, isNew }) => `${isNew ? "brought" : "here already"}: ${path}, ${bytes} bytes`,
          ),
          ...(model?.kind === "hosted" ? [`the model answers at the provider: ${model.id}`] : []),
        ].join("\n"),
      )
    })
}

/** The model under the name of the chosen checkpoint, where it has one. */
function servedAs(summary: RunSummary, choice: CheckpointChoice): ModelRef | undefined {
  const { model } = summary
  const chosen = chosenCheckpoint(summary, choice)
  if (model?.kind !== "hosted" || chosen === undefined) return model
  return chosen.model === undefined ? undefined : { ...model, id: chosen.model }
}

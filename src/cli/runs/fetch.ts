import type { Command } from "commander"
import { ToolkitError } from "../../core/errors.ts"
import { bringArtifacts } from "../../stages/training/run-model.ts"
import { syncRun } from "../../stages/training/sync.ts"
import type { Host } from "../host.ts"
import { resolveRun } from "../resolve-run.ts"
import { backendOfRun } from "./run-backend.ts"

export function registerFetch(command: Command, host: Host): void {
  command
    .command("fetch")
    .argument("<run>", "the run's id, or `latest`")
    .description("bring what a run made: results, checkpoints, adapters")
    .addHelpText(
      "after",
      "\nEach file is verified by the size or digest that the provider states. What is\n" +
        "here already is not brought again.\nExample: tuneloop runs fetch latest",
    )
    .action(async (given: string) => {
      const run = await resolveRun(host, given)
      const context = host.context()
      const backend = await backendOfRun(host, run)
      const summary = await syncRun(context, run, backend)
      if (summary.job === undefined)
        throw new ToolkitError(`${run} is ${summary.state} and has no job that made anything`, {
          code: "no-job",
          hint: "tuneloop runs sync looks at all runs that are not over.",
        })
      const artifacts = await bringArtifacts(context, summary, backend)
      const { model } = summary
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

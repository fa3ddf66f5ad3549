import type { Command } from "commander"
import { tokenCounts } from "../../stages/versions/token-counts.ts"
import type { Host } from "../host.ts"
import { readCheckedTask } from "../plugins.ts"
import { table } from "../terminal.ts"

export function registerTokens(command: Command, host: Host): void {
  command
    .command("tokens")
    .argument("<job>", "the job's name: its base model has the tokenizer")
    .description("count the tokens of a job's rows, and list those over its maxLength")
    .addHelpText(
      "after",
      "\nCounted by the base model's own tokenizer, where the trainer environment is\nthere already; " +
        "nothing is installed or fetched.\nExample: tuneloop dataset tokens ticket-triage",
    )
    .action(async (name: string) => {
      const job = host.workspace.readJob(name)
      const task = await readCheckedTask(host.workspace, job.task)
      const { plan, splits } = await tokenCounts(host.context(), job, task, await host.backend(job.backend))
      const { maxLength } = job.hyperparameters
      const rows = splits.map((part) => [
        part.split,
        ...[part.rows, part.total, part.shortest, part.median, part.p95, part.longest, part.tooLong.length].map(String),
      ])
      const listed = splits.flatMap(({ tooLong, failed }) => [
        ...tooLong.map(({ id, tokens }) => `${id}: ${tokens} tokens`),
        ...failed.map(({ id, why }) => `${id}: does not render: ${why}`),
      ])
      host.print(
        { job: name, task: job.task, dataset: plan.dataset, baseModel: plan.baseModel, maxLength, splits },
        [
          `${plan.dataset}, tokens by ${plan.baseModel}`,
          table(["split", "rows", "tokens", "shortest", "median", "p95", "longest", `over ${maxLength}`], rows),
          ...(listed.length === 0
            ? []
            : ["the trainer refuses these rows; shorten them, or raise hyperparameters.maxLength:"]),
          ...listed.slice(0, 50).map((line) => `  ${line}`),
          ...(listed.length > 50 ? [`  … and ${listed.length - 50} more (--json has all)`] : []),
        ].join("\n"),
      )
    })
}

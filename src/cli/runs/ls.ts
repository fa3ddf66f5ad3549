import type { Command } from "commander"
import type { Host } from "../host.ts"
import { fittedTable } from "../terminal.ts"
import { runCost } from "../../core/training/spending.ts"
import { shortCost } from "../text/run-record.ts"
import { listStored } from "./ls-on.ts"
import { currentSummary } from "./run-backend.ts"

export function registerLs(command: Command, host: Host): void {
  command
    .command("ls")
    .option("--on <backend>", "what lies at the backend: files, jobs and deployments,\nwith their runs")
    .description("list the runs, newest first, with what they cost (estimate)")
    .addHelpText("after", "\nExample: tuneloop runs ls --on openai-compatible")
    .action(async ({ on }: { on?: string }) => (on === undefined ? listRuns(host) : listStored(host, on)))
}

async function listRuns(host: Host): Promise<void> {
  const ledger = host.context().readLedger()
  const summaries = []
  for (const { run, job, task } of await ledger.runs.list()) {
    const summary = await currentSummary(host, run)
    summaries.push({ ...summary, ...runCost(await ledger.runs.events(run)), job, task })
  }
  host.print(
    {
      runs: summaries.map(({ run, job, task, state, step, totalSteps, startedAt, endedAt, estimateUsd, costUsd }) => ({
        ...{ run, job, task, state, step, totalSteps, startedAt, endedAt, estimateUsd, costUsd },
      })),
    },
    summaries.length === 0
      ? "no runs yet; start one: tuneloop train <job>"
      : fittedTable(
          ["run", "state", "step", "loss", "eval loss", "cost"],
          summaries.map((summary) => [
            summary.run,
            summary.state,
            `${summary.step}/${summary.totalSteps ?? "?"}`,
            lastValue(summary.metrics, "loss"),
            lastValue(summary.metrics, "evalLoss"),
            shortCost(summary),
          ]),
          { width: host.terminal.outputWidth },
        ),
  )
}

function lastValue(metrics: readonly { values: Readonly<Record<string, number>> }[], name: string): string {
  return metrics.findLast((point) => point.values[name] !== undefined)?.values[name]?.toFixed(3) ?? "–"
}

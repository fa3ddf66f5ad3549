import type { Command } from "commander"
import type { Host } from "../host.ts"
import { table } from "../terminal.ts"
import { currentSummary } from "./run-backend.ts"

export function registerLs(command: Command, host: Host): void {
  command
    .command("ls")
    .description("list the runs, newest first")
    .action(async () => {
      const summaries = []
      for (const { run, job, task } of await host.context().readLedger().runs.list())
        summaries.push({ ...(await currentSummary(host, run)), job, task })
      host.print(
        {
          runs: summaries.map(({ run, job, task, state, step, totalSteps, startedAt, endedAt }) => ({
            run,
            job,
            task,
            state,
            step,
            totalSteps,
            startedAt,
            endedAt,
          })),
        },
        summaries.length === 0
          ? "no runs yet; start one: tuneloop train <job>"
          : table(
              ["run", "state", "step", "loss", "eval loss"],
              summaries.map((summary) => [
                summary.run,
                summary.state,
                `${summary.step}/${summary.totalSteps ?? "?"}`,
                lastValue(summary.metrics, "loss"),
                lastValue(summary.metrics, "evalLoss"),
              ]),
            ),
      )
    })
}

function lastValue(metrics: readonly { values: Readonly<Record<string, number>> }[], name: string): string {
  return metrics.findLast((point) => point.values[name] !== undefined)?.values[name]?.toFixed(3) ?? "–"
}

import { existsSync } from "node:fs"
import type { Command } from "commander"
import type { TrainingPlan } from "../../core/contracts/backend.ts"
import { renderLossPlot } from "../../evaluation/report/terminal.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import type { Host } from "../host.ts"
import { now } from "../machine.ts"
import { resolveRun } from "../resolve-run.ts"
import { describeReason, describeState } from "../text/run.ts"
import { currentSummary } from "./run-backend.ts"

export function registerShow(command: Command, host: Host): void {
  command
    .command("show")
    .argument("<run>", "the run's id, or `latest`")
    .description("show a run: its state, plan and loss")
    .action(async (given: string) => {
      const run = await resolveRun(host, given)
      const summary = await currentSummary(host, run)
      const files = runFiles(host.workspace, run)
      const plan = readPlan(files)
      const { state, attempt, step, totalSteps, message, hint, metrics } = summary
      host.print(
        {
          ...{ run, state, attempt, step, totalSteps, message, hint, metrics, plan },
          events: await host.context().readLedger().runs.events(run),
          adapter: existsSync(files.adapter) ? host.workspace.show(files.adapter) : null,
          lineage: plan && {
            dataset: plan.dataset,
            holdout: plan.holdout,
            prompt: plan.prompt,
            baseModel: plan.baseModel,
          },
        },
        [
          [`${run}: ${describeState(summary, now())}`, ...describeReason(summary)].join("\n"),
          plan === undefined ? "" : describePlanned(plan),
          renderLossPlot(metrics, { width: host.terminal.width, height: 14 }),
        ]
          .filter((part) => part !== "")
          .join("\n\n"),
      )
    })
}

function describePlanned({ baseModel, method, dataset, files, holdout, prompt }: TrainingPlan): string {
  return `${baseModel}, ${method.name}, ${dataset} (${files.train.rows} rows), holdout ${holdout}, prompt ${prompt}`
}

import type { Command } from "commander"
import { exitCodes } from "../../core/errors.ts"
import { isTerminal } from "../../core/training/run.ts"
import { renderLossPlot } from "../../evaluation/report/terminal.ts"
import { waitForRun } from "../../stages/training/wait.ts"
import type { Host } from "../host.ts"
import { now, setExitCode } from "../machine.ts"
import { resolveRun } from "../resolve-run.ts"
import { describeEnd, describeProgress, describeReason } from "../text/run.ts"
import { backendOfRun } from "./run-backend.ts"

export function registerWatch(command: Command, host: Host): void {
  command
    .command("watch")
    .argument("<run>", "the run's id, or `latest`")
    .description("follow a run until it is over; Ctrl-C leaves it running")
    .action(async (given: string) => {
      const run = await resolveRun(host, given)
      const summary = await waitForRun(host.context(), run, await backendOfRun(host, run), (current) =>
        host.terminal.progress(describeProgress(current, now())),
      )
      const { state, step, totalSteps, message, metrics } = summary
      const plot = renderLossPlot(metrics, { width: host.terminal.width, height: 14 })
      host.print(
        { run, state, step, totalSteps },
        isTerminal(state)
          ? `${run} ${describeEnd(summary)}${message ? `: ${message}` : ""}\n\n${plot}`
          : summary.job === undefined
            ? [`${run} is ${state} and has no job to wait for`, ...describeReason(summary)].join("\n")
            : `${run} goes on; cancel it: tuneloop runs cancel ${run}`,
      )
      if (state === "failed" || state === "uncertain") setExitCode(exitCodes.failure)
    })
}

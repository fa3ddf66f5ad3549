import type { Command } from "commander"
import { count } from "../../evaluation/verdict/words.ts"
import { isTerminal } from "../../core/training/run.ts"
import { runCost } from "../../core/training/spending.ts"
import { stopGenerations } from "../../stages/evaluating/generation.ts"
import { cancelLateJobs, cancelRun } from "../../stages/training/cancel.ts"
import type { Host } from "../host.ts"
import { resolveRun } from "../resolve-run.ts"
import { describeCost, describeSpent } from "../text/run-record.ts"
import { backendOfRun } from "./run-backend.ts"

export function registerCancel(command: Command, host: Host): void {
  command
    .command("cancel")
    .argument("<run>", "the run's id, or `latest`")
    .option("--late", "a job that turned up after `runs resolve`; the run goes on")
    .description("stop a run, or the generation that an evaluation of it left at work; its last checkpoint stays")
    .action(async (given: string, { late }: { late?: boolean }) => {
      const run = await resolveRun(host, given)
      const backend = await backendOfRun(host, run)
      if (late) return printLate(host, run, await cancelLateJobs(host.context(), run, backend))
      const generations = await stopGenerations(host.context(), run, backend)
      const { state, step } = await cancelRun(host.context(), run, backend)
      const { runs } = host.context().readLedger()
      const job = (await runs.list()).find((row) => row.run === run)?.job ?? "<job>"
      const cost = runCost(await runs.events(run))
      host.print(
        { run, state, ...cost, ...(generations > 0 ? { stoppedGenerations: generations } : {}) },
        [
          generations > 0
            ? `${run} is ${state}; its generation is stopped, go on with it: tuneloop evaluate ${run}`
            : state === "cancelled"
              ? `${run} is cancelled after ${count(step, "step")}; ` +
                // A service trains a new job from the start, and is paid for all of it.
                `${step > 0 && backend.rows === undefined ? "go on from its last checkpoint" : "train it anew"}: ` +
                `tuneloop train ${job}`
              : `${run} is ${state}`,
          ...(state === "cancelled" ? describeSpent(cost) : describeCost(cost, isTerminal(state))),
        ].join("\n"),
      )
    })
}

function printLate(host: Host, run: string, jobs: readonly string[]): void {
  host.print(
    { run, lateJobs: jobs },
    jobs.length === 0 ? `no job of ${run} turned up late` : `cancelled, or over already: ${jobs.join(", ")}`,
  )
}

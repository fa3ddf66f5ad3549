import type { Command } from "commander"
import { stopGenerations } from "../../stages/evaluating/generation.ts"
import { cancelRun } from "../../stages/training/cancel.ts"
import type { Host } from "../host.ts"
import { resolveRun } from "../resolve-run.ts"
import { backendOfRun } from "./run-backend.ts"

export function registerCancel(command: Command, host: Host): void {
  command
    .command("cancel")
    .argument("<run>", "the run's id, or `latest`")
    .description("stop a run, or the generation that an evaluation of it left at work; its last checkpoint stays")
    .action(async (given: string) => {
      const run = await resolveRun(host, given)
      const backend = await backendOfRun(host, run)
      const generations = await stopGenerations(host.context(), run, backend)
      const { state, step } = await cancelRun(host.context(), run, backend)
      const runs = await host.context().readLedger().runs.list()
      const job = runs.find((row) => row.run === run)?.job ?? "<job>"
      host.print(
        { run, state, ...(generations > 0 ? { stoppedGenerations: generations } : {}) },
        generations > 0
          ? `${run} is ${state}; its generation is stopped, go on with it: tuneloop evaluate ${run}`
          : state === "cancelled"
            ? `${run} is cancelled after ${step} steps; go on from its last checkpoint: tuneloop train ${job}`
            : `${run} is ${state}`,
      )
    })
}

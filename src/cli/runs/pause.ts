import type { Command } from "commander"
import { pauseOrResume } from "../../stages/training/pause.ts"
import type { Host } from "../host.ts"
import { resolveRun } from "../resolve-run.ts"
import { backendOfRun } from "./run-backend.ts"

export function registerPause(command: Command, host: Host): void {
  for (const [what, description, next] of [
    ["pause", "let a run stand still; it keeps what it has", "let it go on: tuneloop runs resume"],
    ["resume", "let a run that stands still go on", "follow it: tuneloop runs watch"],
  ] as const)
    command
      .command(what)
      .argument("<run>", "the run's id, or `latest`")
      .description(description)
      .action(async (given: string) => {
        const run = await resolveRun(host, given)
        const { state } = await pauseOrResume(host.context(), run, await backendOfRun(host, run), what)
        host.print({ run, state }, `${run} is ${state}; ${next} ${run}`)
      })
}

import type { Command } from "commander"
import { exitCodes } from "../../core/errors.ts"
import { type LookedAtRun, syncAll } from "../../stages/training/sync-all.ts"
import type { Host } from "../host.ts"
import { setExitCode } from "../machine.ts"
import { table } from "../terminal.ts"

export function registerSync(command: Command, host: Host): void {
  command
    .command("sync")
    .description("look once at every run that is not over, of all backends")
    .addHelpText(
      "after",
      "\nA run that cannot be looked at stays as it was last known, the others go on, and\n" +
        "the exit code is 1.\nExample, from cron: tuneloop runs sync --json",
    )
    .action(async () => {
      const runs = await syncAll(host.context(), (choice) => host.backend(choice))
      for (const { run, outcome, reason, hint } of runs)
        if (reason !== undefined)
          host.terminal.warn(`${run} ${words[outcome]}: ${reason}${outcome === "uncertain" && hint ? `\n${hint}` : ""}`)
      host.print(
        { runs },
        runs.length === 0
          ? "every run is over"
          : table(
              ["run", "backend", "was", "is", "new events", "looked at"],
              runs.map(({ run, backend, before, state, newEvents, outcome }) => [
                ...[run, backend ?? "–", before, state, String(newEvents), short[outcome]],
              ]),
            ),
      )
      if (runs.some(({ outcome }) => outcome === "unreachable" || outcome === "failed")) setExitCode(exitCodes.failure)
    })
}

type Outcome = LookedAtRun["outcome"]

const short: Readonly<Record<Outcome, string>> = {
  current: "yes",
  none: "yes, no job yet",
  uncertain: "yes, uncertain",
  unreachable: "no, unreachable",
  failed: "no, failed",
}
const words: Readonly<Record<Outcome, string>> = {
  current: "is current",
  none: "has no job",
  uncertain: "is uncertain",
  unreachable: "is as it was last known, its provider is unreachable",
  failed: "is as it was last known, it could not be looked at",
}

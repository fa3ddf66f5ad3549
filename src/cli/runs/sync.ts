import type { Command } from "commander"
import { exitCodes } from "../../core/errors.ts"
import { type LookedAtLease, syncLeases } from "../../stages/deploying/sync-leases.ts"
import { type LookedAtRun, syncAll } from "../../stages/training/sync-all.ts"
import type { Host } from "../host.ts"
import { fittedTable } from "../terminal.ts"
import { now, setExitCode } from "../machine.ts"
import { describeEndedLease, describeLease, leaseData } from "../text/lease.ts"

export function registerSync(command: Command, host: Host): void {
  command
    .command("sync")
    .description("look once at every run that is not over, and end leases whose time is up")
    .addHelpText(
      "after",
      "\nA run that cannot be looked at stays as it was last known, the others go on, and\n" +
        "the exit code is 1. What is deployed is torn down when its lease is over, or\n" +
        "when the evaluation that it was for broke off.\nExample, from cron: tuneloop runs sync --json",
    )
    .action(async () => {
      const runs = await syncAll(host.context(), (choice) => host.backend(choice))
      const told = new Set<string>()
      for (const looked of runs) {
        if (looked.reason === undefined) continue
        const step = stepAfter(looked)
        // One service that is away is away for all its runs.
        const next = told.has(step) ? "" : `\n  ${step}`
        host.terminal.warn(`${looked.run} ${words[looked.outcome]}: ${looked.reason}${next}`)
        told.add(step)
      }
      const leases = await syncLeases(host.context(), (choice) => host.backend(choice))
      host.print(
        { runs, leases: leases.map(({ lease, ...looked }) => ({ ...leaseData(lease, now()), ...looked })) },
        [
          runs.length === 0
            ? "every run is over"
            : fittedTable(
                ["run", "backend", "was", "is", "new events", "looked at"],
                runs.map(({ run, backend, before, state, newEvents, outcome }) => [
                  ...[run, backend ?? "–", before, state, String(newEvents), short[outcome]],
                ]),
                { width: host.terminal.outputWidth },
              ),
          ...leases.map(describeLooked),
        ].join("\n"),
      )
      const outcomes = [...runs, ...leases].map(({ outcome }) => outcome)
      if (outcomes.some((outcome) => outcome === "unreachable" || outcome === "failed")) setExitCode(exitCodes.failure)
    })
}

function describeLooked({ lease, outcome, reason }: LookedAtLease): string {
  switch (outcome) {
    case "ended":
      return `${lease.run} ${describeEndedLease(lease)}`
    case "never made":
      return `${lease.run} is not deployed: the service made nothing for its lease`
    case "billing":
    case "stopping":
      return describeLease(lease, now())
    case "busy":
      return `${describeLease(lease, now())} (another command is at it)`
    default:
      return `${describeLease(lease, now())} (it could not be looked at: ${reason ?? outcome})`
  }
}

/** What to do about a run that could not be looked at. */
function stepAfter({ outcome, hint, backend }: LookedAtRun): string {
  if (outcome === "uncertain") return hint ?? again
  if (outcome === "unreachable")
    return (
      "Its job goes on there by itself. Check the network, the address (baseUrl) and " +
      `the service's status page, and what doctor says: tuneloop doctor --backend ${backend ?? "<backend>"}\n  ${again}`
    )
  return hint === undefined ? again : `${hint}\n  ${again}`
}
const again = "Look again: tuneloop runs sync"

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

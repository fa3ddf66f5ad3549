import type { Command } from "commander"
import type { StandingDeployment } from "../../core/contracts/deployment.ts"
import { exitCodes, ToolkitError, UsageError } from "../../core/errors.ts"
import type { Lease } from "../../core/training/leases.ts"
import { type DeployingBackend, requireDeployer } from "../../stages/deploying/deployers.ts"
import { openLease, strayDeployments, undeployRun } from "../../stages/deploying/undeploy.ts"
import { placesOf } from "../../stages/training/stored.ts"
import type { Host } from "../host.ts"
import { now, setExitCode } from "../machine.ts"
import { resolveRun } from "../resolve-run.ts"
import { describeEndedLease, describeLease, leaseData } from "../text/lease.ts"
import { describePlace } from "./ls-on.ts"
import { backendOfRun } from "./run-backend.ts"

interface Options {
  readonly on?: string
  readonly dryRun?: boolean
}

export function registerUndeploy(command: Command, host: Host): void {
  command
    .command("undeploy")
    .argument("[run]", "the run's id, or `latest`")
    .option("--on <backend>", "every deployment of this workspace there")
    .option("--dry-run", "print what stands and what it costs, and end nothing")
    .description("end what is deployed for a run, so that it bills no more")
    .addHelpText(
      "after",
      "\nIt is safe to repeat, and waits up to two minutes for what the service drains\n" +
        "before it stops. What was not deployed by this workspace is named and left\nalone.\n" +
        "Example: tuneloop runs undeploy latest",
    )
    .action(async (given: string | undefined, { on, dryRun }: Options) => {
      if ((given === undefined) === (on === undefined))
        throw new UsageError("either a run or --on BACKEND is needed", "tuneloop status lists what is billing.")
      const found = on === undefined ? await ofRun(host, given ?? "") : await ofBackend(host, on)
      for (const { lease } of found.leases) host.terminal.note(describeLease(lease, now()))
      const ended = dryRun ? [] : await endAll(host, found.leases)
      host.print(
        {
          ...(dryRun ? { dryRun: true, standing: found.leases.map(({ lease }) => leaseData(lease, now())) } : {}),
          ended: ended.map((lease) => leaseData(lease, now())),
          others: found.others,
        },
        [...(dryRun ? [] : describeEnded(ended)), ...found.others.map(describeOther)].join("\n"),
      )
    })
}

/** What cannot be ended is named, and keeps no other from its end; alone it is an error. */
async function endAll(host: Host, leases: Found["leases"]): Promise<Lease[]> {
  const ended: Lease[] = []
  for (const { lease, backend } of leases)
    try {
      const end = await undeployRun(host.context(), lease.run, backend)
      if (end !== undefined) ended.push(end)
    } catch (error) {
      if (!(error instanceof ToolkitError) || leases.length === 1 || host.context().signal.aborted) throw error
      host.terminal.warn(`${lease.run} may go on billing: ${error.message}\n${error.hint ?? ""}`.trimEnd())
      setExitCode(exitCodes.failure)
    }
  return ended
}

interface Found {
  readonly leases: readonly { readonly lease: Lease; readonly backend: DeployingBackend }[]
  /** What stands there under no open lease of this workspace. */
  readonly others: readonly StandingDeployment[]
}

async function ofRun(host: Host, given: string): Promise<Found> {
  const run = await resolveRun(host, given)
  const backend = requireDeployer(await backendOfRun(host, run))
  const lease = await openLease(host.context(), run)
  return { leases: lease === undefined ? [] : [{ lease, backend }], others: [] }
}

/** A place that cannot be asked is named, and the others are looked at. */
async function ofBackend(host: Host, name: string): Promise<Found> {
  const context = host.context()
  const leases: { lease: Lease; backend: DeployingBackend }[] = []
  const others: StandingDeployment[] = []
  for (const place of await placesOf(context, name, host.withDefaults)) {
    const backend = requireDeployer(await host.backend(place.choice))
    for (const run of place.runs) {
      const lease = await openLease(context, run)
      if (lease !== undefined) leases.push({ lease, backend })
    }
    try {
      others.push(...(await strayDeployments(context, backend)))
    } catch (error) {
      if (!(error instanceof ToolkitError)) throw error
      host.terminal.warn(`${describePlace(place)} could not be asked what else stands there: ${error.message}`)
      setExitCode(exitCodes.failure)
    }
  }
  return { leases, others }
}

function describeEnded(ended: readonly Lease[]): string[] {
  if (ended.length === 0) return ["nothing of this workspace is deployed there"]
  return ended.map((lease) => `${lease.run} ${describeEndedLease(lease)}`)
}

function describeOther({ id, model, providerStatus, backend, hardware }: StandingDeployment): string {
  return (
    `left alone: ${id} (${model}, ${hardware ?? "unknown hardware"}, ${providerStatus}) at ${backend}: ` +
    "it was deployed by Tuneloop, under no lease of this workspace that goes on"
  )
}

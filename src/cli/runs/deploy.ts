import type { Command } from "commander"
import { ToolkitError } from "../../core/errors.ts"
import type { Lease } from "../../core/training/leases.ts"
import { type DeployingBackend, requireDeployer } from "../../stages/deploying/deployers.ts"
import { deployRun } from "../../stages/deploying/deploy.ts"
import { planDeployment } from "../../stages/deploying/plan-deployment.ts"
import { undeployRun } from "../../stages/deploying/undeploy.ts"
import { whenReady } from "../../stages/deploying/wait-ready.ts"
import { askAgreement } from "../consent.ts"
import type { Host } from "../host.ts"
import { now } from "../machine.ts"
import { hours as hoursIn } from "../numbers.ts"
import { resolveRun } from "../resolve-run.ts"
import { describeDeployment, describeLease, leaseData } from "../text/lease.ts"
import { backendOfRun } from "./run-backend.ts"

interface Options {
  readonly hours: number
  readonly hardware?: string
  readonly wait?: boolean
  readonly dryRun?: boolean
}

export function registerDeploy(command: Command, host: Host): void {
  command
    .command("deploy")
    .argument("<run>", "the run's id, or `latest`")
    .option("--hours <n>", "how long its lease is", hoursIn, 1)
    .option("--hardware <id>", "the machine, by the service's own name (default: the\ncheapest that is free)")
    .option("--wait", "stay until it answers")
    .option("--dry-run", "print the plan and its price, and deploy nothing")
    .option("--yes", "deploy without asking")
    .description("serve the model of a run for money, under a lease")
    .addHelpText(
      "after",
      "\nYou see the price first. One lease at a time: a run that is deployed already is\n" +
        "unchanged. A lease that is over is torn down by the next `runs sync`.\n" +
        "Example: tuneloop runs deploy latest --hours 2",
    )
    .action(async (given: string, { wait, dryRun, ...wish }: Options) => {
      const run = await resolveRun(host, given)
      const context = host.context()
      const backend = requireDeployer(await backendOfRun(host, run))
      if (dryRun) {
        const plan = await planDeployment(context, run, backend, { ...wish, purpose: "serving" })
        const { hours, usd, offer } = plan
        return host.print({ run, dryRun: true, backend: backend.name, hours, usd, offer }, describeDeployment(plan))
      }
      const consent = (plan: Parameters<typeof describeDeployment>[0]) =>
        askAgreement(backend.name, describeDeployment(plan), host.asker)
      const { state, lease } = await deployRun(context, run, backend, { ...wish, consent })
      if (wait) await waitForIt(host, backend, lease)
      const place = lease.deployment && backend.chat?.({ kind: "deployment", ...lease.deployment })
      host.print(
        { outcome: state, ...leaseData(lease, now()), endpoint: place ?? null },
        [
          `${state === "unchanged" ? "unchanged: " : ""}${describeLease(lease, now())}`,
          ...(place === undefined ? [] : [`ask it at ${place.baseUrl}, model ${place.model}`]),
        ].join("\n"),
      )
    })
}

/** One that came to nothing is ended; an interrupt ends the waiting only. */
async function waitForIt(host: Host, backend: DeployingBackend, lease: Lease): Promise<void> {
  try {
    await whenReady(host.context(), backend, lease)
  } catch (error) {
    if (host.signal.aborted) host.terminal.note(describeLease(lease, now()))
    else if (error instanceof ToolkitError && error.code === "deployment-failed")
      await undeployRun(host.context(), lease.run, backend)
    throw error
  }
}

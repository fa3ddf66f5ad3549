import { existsSync } from "node:fs"
import type { Command } from "commander"
import type { TrainingPlan } from "../../core/contracts/backend.ts"
import { renderLossPlot } from "../../evaluation/report/terminal.ts"
import { type Lease, leasesOf } from "../../core/training/leases.ts"
import { runCost } from "../../core/training/spending.ts"
import { checkpointsOf } from "../../core/training/checkpoints.ts"
import { isTerminal } from "../../core/training/run.ts"
import { type AdoptedRun, readAdopted } from "../../store/rows/adopted-runs.ts"
import { erasedRun, type ErasedRun } from "../../store/erasing/run-erasure.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import type { Host } from "../host.ts"
import { now } from "../machine.ts"
import { adoptedSettings } from "../text/adopted-settings.ts"
import { resolveRun } from "../resolve-run.ts"
import { describeCheckpoints, describeCost, describeLateJobs } from "../text/run-record.ts"
import { describeEndedLease, describeLease, leaseData } from "../text/lease.ts"
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
      const events = await host.context().readLedger().runs.events(run)
      const cost = runCost(events)
      const leases = leasesOf(events)
      const plan = readPlan(files)
      const adopted = readAdopted(files)
      const erased = erasedRun(host.workspace, run)
      const { state, attempt, step, totalSteps, message, hint, metrics } = summary
      host.print(
        {
          ...{ run, state, attempt, step, totalSteps, message, hint, metrics, plan },
          ...(adopted === undefined ? {} : { adopted }),
          ...(erased === undefined ? {} : { erased }),
          ...cost,
          ...{ uploads: summary.uploads, checkpoints: checkpointsOf(summary), lateJobs: summary.lateJobs },
          deployments: leases.map((lease) => leaseData(lease, now())),
          events,
          adapter: existsSync(files.adapter) ? host.workspace.show(files.adapter) : null,
          lineage: plan && {
            dataset: plan.dataset,
            holdout: plan.holdout,
            prompt: plan.prompt,
            baseModel: plan.baseModel,
          },
        },
        [
          [
            `${run}: ${describeState(summary, now())}`,
            ...describeReason(summary),
            ...(erased === undefined ? [] : [describeErased(erased)]),
          ].join("\n"),
          [
            ...(plan === undefined ? [] : [describePlanned(plan)]),
            ...(adopted === undefined ? [] : [describeAdopted(adopted)]),
            ...(adopted !== undefined && cost.costUsd === null
              ? ["cost: not known"]
              : describeCost(cost, isTerminal(state))),
            ...describeLateJobs(summary),
          ].join("\n"),
          leases.map(describeOne).join("\n"),
          describeCheckpoints(summary, plan?.checkpoint ?? "last").join("\n"),
          renderLossPlot(metrics, { width: host.terminal.width, height: 14 }),
        ]
          .filter((part) => part !== "")
          .join("\n\n"),
      )
    })
}

function describeErased({ at, gone, changed }: ErasedRun): string {
  const lost = changed.length === 0 ? "" : `; of ${changed.join(", ")} what they said of them`
  return `rows of it were erased on ${at.slice(0, 10)}: gone are ${gone.join(", ") || "no whole files"}${lost}`
}

function describeOne(lease: Lease): string {
  return lease.state === "over" ? describeEndedLease(lease) : describeLease(lease, now())
}

function describePlanned({ baseModel, objective, method, dataset, files, holdout, prompt }: TrainingPlan): string {
  const [how, what] = objective === "dpo" ? [`dpo and ${method.name}`, "preferences"] : [method.name, "rows"]
  return `${baseModel}, ${how}, ${dataset} (${files.train.rows} ${what}), holdout ${holdout}, prompt ${prompt}`
}

function describeAdopted({ baseModel, objective, job, adoptedAt, dataset, said }: AdoptedRun): string {
  const unknown = [...(dataset === undefined ? ["dataset"] : []), "holdout", "prompt"]
  const settings = adoptedSettings(said)
  return [
    `${baseModel ?? "a base model that the service does not name"}${objective === undefined ? "" : `, ${objective}`}` +
      `${dataset === undefined ? "" : `, ${dataset}`}, adopted on ${adoptedAt.slice(0, 10)} as the job ${job}`,
    settings.length === 0
      ? "settings: the service says none by a name that is known here; all that it says: --json"
      : `settings, as the service has them: ${settings.join(", ")}`,
    `not known: ${unknown.join(", ")}`,
  ].join("\n")
}

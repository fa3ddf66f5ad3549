import type { Command } from "commander"
import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import { isTerminal, type RunSummary } from "../../core/training/run.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { StageContext } from "../../stages/context.ts"
import { requireAccepted, requireSupported } from "../../stages/training/capabilities.ts"
import { ceilingRefusal, estimatedUsd } from "../../stages/training/ceilings.ts"
import { planTraining } from "../../stages/training/plan-training.ts"
import { failedRun, uncertainRun } from "../../stages/training/run-errors.ts"
import { modelOf } from "../../stages/training/run-model.ts"
import { train, type TrainResult } from "../../stages/training/train.ts"
import { waitForRun } from "../../stages/training/wait.ts"
import { runFiles } from "../../store/rows/run-files.ts"
import type { Host } from "../host.ts"
import { readCheckedTask } from "../plugins.ts"
import { describePlan } from "../describe-plan.ts"
import { describeEnd, describeProgress } from "../text/run.ts"

export function register(command: Command, host: Host): void {
  command
    .argument("<job>", "the job's name")
    .option("--wait", "stay until the run is over; Ctrl-C leaves it running")
    .option("--dry-run", "print the plan and the estimate, and start nothing")
    .option("--yes", "start without asking, where the backend costs money")
    .addHelpText(
      "after",
      "\nA plan that is trained already is unchanged; one that is training is\nreattached to.\n" +
        "Example: tuneloop train ticket-triage --wait",
    )
    .action(async (name: string, options: { wait?: boolean; dryRun?: boolean; yes?: boolean }) => {
      const job = host.workspace.readJob(name)
      const task = await readCheckedTask(host.workspace, job.task)
      const training = { context: host.context(), job, task, backend: await host.backend(job.backend) }
      if (options.dryRun) {
        if (await printPlan(host, training)) host.next(`tuneloop train ${name} --wait`)
        return
      }
      const result = await trainAndWait(host, training, options.wait === true)
      host.print(
        { run: result.run.run, state: result.run.state, outcome: result.state, plan: result.planned.plan },
        describe(host, result),
      )
      const { run } = result.run
      host.next(result.run.state === "succeeded" ? `tuneloop evaluate ${run}` : `tuneloop runs watch ${run}`)
    })
}

/** A job with all that it takes to train it. */
interface Training {
  readonly context: StageContext
  readonly job: JobSpecification
  readonly task: TaskSpecification
  readonly backend: FineTuneBackend
}

/** Trains the job and, when asked to, stays until the run is over; an interrupt leaves it running. */
export async function trainAndWait(
  host: Host,
  { context, job, task, backend }: Training,
  wait: boolean,
): Promise<TrainResult> {
  const result = await train(context, job, task, backend)
  if (result.state === "reattached") host.terminal.note(`${result.run.run} is training already; reattached`)
  if (!wait || isTerminal(result.run.state)) return finished(result, job)
  const run = await waitForRun(context, result.run.run, backend, (summary) =>
    host.terminal.progress(describeProgress(summary, context.now())),
  )
  host.terminal.endProgress()
  if (isTerminal(run.state)) return finished({ ...result, run }, job)
  if (!context.signal.aborted) throw uncertainRun(run)
  host.terminal.note(`${run.run} goes on without this command\n${nextCommands(run.run)}`)
  throw new Error("interrupted")
}

function finished(result: TrainResult, job: JobSpecification): TrainResult {
  if (result.run.state === "failed" || result.run.state === "cancelled") throw failedRun(result.run, job.job)
  return result
}

function describe(host: Host, { state, run }: TrainResult): string {
  if (state === "unchanged") return `unchanged: ${run.run} has trained this plan`
  if (run.state === "succeeded") return `${run.run} ${describeEnd(run)}; ${describeModel(host, run)}`
  return `${run.run} is ${run.state}\n${nextCommands(run.run)}`
}

function nextCommands(run: string): string {
  return `  watch it:  tuneloop runs watch ${run}\n  cancel it: tuneloop runs cancel ${run}`
}

function describeModel(host: Host, run: RunSummary): string {
  const model = modelOf(host.context(), run)
  if (model === undefined || "location" in model)
    return `adapter in ${host.workspace.show(model?.location ?? runFiles(host.workspace, run.run).adapter)}`
  return `model ${"id" in model ? model.id : model.model}`
}

/** Prints the plan, and says whether `train` would start it. */
async function printPlan(host: Host, { context, job, task, backend }: Training): Promise<boolean> {
  requireSupported(context, backend, job)
  const planned = planTraining(context, job, task, backend)
  await requireAccepted(context, backend, planned.plan, { isDryRun: true })
  const estimate = await backend.estimate(planned.plan)
  const [firstRow = ""] = planned.rendered.train
  const usd = estimatedUsd(backend, estimate)
  const refusal = await ceilingRefusal(context, job, usd)
  host.print(
    {
      plan: planned.plan,
      planDigest: planned.digest,
      checkpoint: planned.plan.checkpoint ?? "last",
      estimate,
      notes: backend.notes,
      refusal: refusal?.message ?? null,
    },
    [
      describePlan({
        backend: backend.name,
        plan: planned.plan,
        planDigest: planned.digest,
        estimate,
        isUnpriced: usd === undefined,
        notes: backend.notes,
        firstRow: firstRow.trimEnd(),
      }),
      ...(refusal === undefined ? [] : [`would be refused: ${refusal.message}`, refusal.hint ?? ""]),
    ].join("\n"),
  )
  return refusal === undefined
}

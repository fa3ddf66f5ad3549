import type { Command } from "commander"
import type { Estimate, FineTuneBackend } from "../../core/contracts/backend.ts"
import { exitCodes, ToolkitError } from "../../core/errors.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import { unknownLabelsNotice } from "../../stages/arriving/unknown-labels.ts"
import { requireAccepted, requireSupported } from "../../stages/training/capabilities.ts"
import { ceilingRefusal, estimatedUsd } from "../../stages/training/ceilings.ts"
import { planTraining, type PlannedTraining } from "../../stages/training/plan-training.ts"
import type { Host } from "../host.ts"
import { now, setExitCode } from "../machine.ts"
import { readCheckedJob, readCheckedTask } from "../plugins.ts"
import { describePlan } from "../describe-plan.ts"
import { describeSunset } from "../sunset.ts"

export function register(command: Command, host: Host): void {
  command
    .command("check")
    .argument("<job>", "the job's name")
    .description("check a job: its file, backend, dataset, plan and estimate")
    .addHelpText("after", "\nStarts nothing and writes nothing.\nExample: tuneloop job check ticket-triage")
    .action(async (name: string) => {
      const job = await readCheckedJob(host.workspace, name)
      const checked = await checkJob(host, job)
      const { problems, planned, estimate, notices } = checked
      host.print(
        {
          job: name,
          ok: problems.length === 0,
          problems,
          notices,
          plan: planned?.plan,
          planDigest: planned?.digest,
          estimate,
        },
        describeJob(host, job, checked),
      )
      if (problems.length > 0) setExitCode(exitCodes.usage)
      else host.next(`tuneloop train ${name} --wait`)
    })
}

interface Problem {
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
}

interface CheckedJob {
  readonly problems: readonly Problem[]
  readonly notices: readonly string[]
  readonly planned: PlannedTraining | undefined
  readonly estimate: Estimate | undefined
  readonly isUnpriced: boolean
  /** What to know of the backend. */
  readonly notes: readonly string[]
}

/** Everything that can be known of the job without starting it; one problem does not hide the next. */
async function checkJob(host: Host, job: JobSpecification): Promise<CheckedJob> {
  const problems: Problem[] = []
  const attempt = async <Value>(work: () => Promise<Value> | Value): Promise<Value | undefined> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ToolkitError)) throw error
      problems.push({ code: error.code, message: error.message, hint: error.hint })
      return undefined
    }
  }
  const backend = await attempt((): Promise<FineTuneBackend> => host.backend(job.backend))
  if (backend !== undefined) await attempt(() => requireSupported(host.context(), backend, job))
  const task = await attempt(() => readCheckedTask(host.workspace, job.task))
  const unknown = task && unknownLabelsNotice(host.workspace, task)
  if (unknown !== undefined) problems.push({ code: "invalid-data", message: unknown.message, hint: unknown.command })
  // Without the job's objective the backend has no rows for it, and that is said already.
  const canRender = backend === undefined || backend.capabilities().objectives.includes(job.objective)
  const planned = task && canRender ? await attempt(() => planTraining(host.context(), job, task, backend)) : undefined
  const estimate = planned && backend && (await attempt(() => backend.estimate(planned.plan)))
  const costUsd = backend && estimate && estimatedUsd(backend, estimate)
  if (planned && backend && estimate) {
    if (problems.length === 0)
      await attempt(() => requireAccepted(host.context(), backend, planned.plan, { isDryRun: true }))
    const refusal = await ceilingRefusal(host.context(), job, costUsd)
    if (refusal !== undefined) problems.push({ code: refusal.code, message: refusal.message, hint: refusal.hint })
  }
  const sunset =
    backend?.sunset === undefined ? undefined : describeSunset(backend.host ?? backend.name, backend.sunset, now())
  if (sunset?.isOver) problems.push({ code: "closed", message: sunset.text, hint: "Name another backend in the job." })
  const notices = sunset === undefined || sunset.isOver ? [] : [sunset.text]
  return { problems, notices, planned, estimate, isUnpriced: costUsd === undefined, notes: backend?.notes ?? [] }
}

function describeJob(host: Host, job: JobSpecification, checked: CheckedJob): string {
  const { problems, notices, planned, estimate, isUnpriced, notes } = checked
  const file = host.workspace.show(host.workspace.jobFile(job.job))
  const found = problems.flatMap(({ message, hint }) => [
    `  ${message}`,
    ...(hint === undefined ? [] : [`    ${hint.replaceAll("\n", "\n    ")}`]),
  ])
  const verdict =
    problems.length === 0
      ? "is ready to train"
      : problems.length === 1
        ? "has 1 problem"
        : `has ${problems.length} problems`
  const plan =
    planned === undefined || estimate === undefined
      ? []
      : [
          describePlan({
            backend: job.backend.name,
            plan: planned.plan,
            planDigest: planned.digest,
            estimate,
            isUnpriced,
            notes,
            firstRow: firstOf(planned.rendered.train),
          }),
        ]
  return [`${file} ${verdict}`, ...found, ...notices, ...plan].join("\n")
}

function firstOf(lines: Iterable<string>): string {
  const [first = ""] = lines
  return first.trimEnd()
}

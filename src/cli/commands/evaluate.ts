import type { Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import { nearest, show } from "../../core/parse.ts"
import { renderContenders } from "../../evaluation/report/terminal.ts"
import type { StageContext } from "../../stages/context.ts"
import { evaluate, type Evaluation } from "../../stages/evaluating/evaluate.ts"
import { Versions } from "../../store/rows/versions.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import type { Host } from "../host.ts"
import { loadMetrics, readCheckedTask } from "../plugins.ts"
import { resolveRun } from "../resolve-run.ts"
import { machineInWords } from "../machine.ts"

export function register(command: Command, host: Host): void {
  command
    .argument("<run>", "the run's id, or `latest`")
    .option("--against <contenders>", "contenders, separated by commas (default: evaluation.contenders of the job)")
    .option(
      "--holdout <id>",
      "another holdout than the run's own, or `latest`: rows that a\ncontender has seen leave the comparison",
    )
    .addHelpText(
      "after",
      "\nThe test set is opened once an evaluation, and each opening is recorded.\nExample: tuneloop evaluate latest",
    )
    .action(async (given: string, options: { against?: string; holdout?: string }) => {
      const context = host.context()
      const run = await resolveRun(host, given)
      const { state, result } = await evaluateRun(
        host,
        context,
        run,
        options.against?.split(",").map((name) => name.trim()),
        options.holdout,
      )
      host.print(
        evaluationData(result),
        `${state === "unchanged" ? `unchanged: ${result.evaluation}\n\n` : ""}${describeEvaluation(host, result)}`,
      )
    })
}

/** Evaluates the run by the settings of its job. */
export async function evaluateRun(
  host: Host,
  context: StageContext,
  run: string,
  against: readonly string[] | undefined,
  holdout?: string,
): Promise<{ state: "evaluated" | "unchanged"; result: Evaluation }> {
  const plan = readPlan(runFiles(context.workspace, run))
  if (!plan) throw new UsageError(`the run ${run} has no plan`, "tuneloop runs ls lists the runs.")
  const job = context.workspace.readJob(plan.job)
  const task = await readCheckedTask(context.workspace, plan.task)
  const contenders = against ?? job.evaluation.contenders
  const known = ["zero-shot", "few-shot", "linear", "tuned"]
  const unknown = contenders.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    const meant = nearest(unknown, known)
    throw new UsageError(
      `there is no contender ${show(unknown)}; allowed: ${known.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`,
      "Give --against other names, or edit evaluation.contenders in the job.",
    )
  }
  return evaluate(
    context,
    task,
    { ...job, evaluation: { ...job.evaluation, contenders: [...contenders] } },
    run,
    await host.backend(plan.backend),
    await loadMetrics(),
    machineInWords(),
    holdout === undefined ? undefined : resolveHoldout(context, plan.task, holdout),
  )
}

/** The id of a holdout that the task has. */
function resolveHoldout(context: StageContext, task: string, given: string): string {
  const versions = new Versions(context.workspace, task)
  const latest = versions.latest()
  const id = given === "latest" && latest !== undefined ? versions.manifest(latest as `ds_${string}`).holdout : given
  if (id.startsWith("hold_") && versions.has(id)) return id
  const existing = versions.holdoutIds()
  throw new UsageError(
    `task ${task} has no holdout ${show(given)}; allowed: ${["latest", ...existing].join(", ")}`,
    existing.length === 0 ? `Make one: tuneloop build ${task}` : "Name one of them.",
  )
}

/** The `--json` object of an evaluation; a stable contract. */
export function evaluationData(result: Evaluation): Record<string, unknown> {
  const { schemaVersion: _version, confusion: _confusion, at: _at, tainted = [], ...told } = result
  return { ...told, tainted }
}

export function describeEvaluation(host: Host, result: Evaluation): string {
  const { verdict, reason, rule } = result
  return `${renderContenders({ ...result, verdict: { verdict, reason, rule } }, { width: host.terminal.width, colour: host.terminal.outputColour })}\n\nreport: ${result.report}`
}

import type { Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import { nearest, show } from "../../core/parse.ts"
import { renderContenders } from "../../evaluation/terminal.ts"
import type { StageContext } from "../../stages/context.ts"
import { evaluate, type Evaluation } from "../../stages/score.ts"
import { readPlan, runFiles } from "../../store/run-files.ts"
import type { Host } from "../host.ts"
import { loadMetrics, readCheckedTask } from "../plugins.ts"
import { resolveRun } from "./_resolve-run.ts"

export function register(command: Command, host: Host): void {
  command
    .argument("<run>", "the run's id, or `latest`")
    .option("--against <contenders>", "contenders, separated by commas (default: evaluation.contenders of the job)")
    .addHelpText("after", "\nThe test set is opened once an evaluation, and each opening is recorded.\nExample: tuneloop evaluate latest")
    .action(async (given: string, options: { against?: string }) => {
      const context = host.context()
      const run = resolveRun(host, given)
      const { state, result } = await evaluateRun(
        host,
        context,
        run,
        options.against?.split(",").map((name) => name.trim()),
      )
      host.print(evaluationData(result), `${state === "unchanged" ? `unchanged: ${result.evaluation}\n\n` : ""}${describeEvaluation(host, result)}`)
    })
}

/** Evaluates the run by the settings of its job. */
export async function evaluateRun(
  host: Host,
  context: StageContext,
  run: string,
  against: readonly string[] | undefined,
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
    host.machine(),
  )
}

/** The `--json` object of an evaluation; a stable contract. */
export function evaluationData(result: Evaluation): Record<string, unknown> {
  const { evaluation, run, task, dataset, holdout, metric, incumbent, rule, contenders, comparisons, verdict, reason, power, wear, notes, report } =
    result
  return { evaluation, run, task, dataset, holdout, metric, incumbent, rule, contenders, comparisons, verdict, reason, power, wear, notes, report }
}

export function describeEvaluation(host: Host, result: Evaluation): string {
  const { verdict, reason, rule } = result
  return `${renderContenders({ ...result, verdict: { verdict, reason, rule } }, { width: host.terminal.width, colour: host.terminal.outputColour })}\n\nreport: ${result.report}`
}

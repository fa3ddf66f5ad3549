import { renderReport } from "../../evaluation/report/report.ts"
import type { ReportData } from "../../evaluation/report/report-data.ts"
import { ToolkitError } from "../../core/errors.ts"
import { reduceRun, type RunSummary } from "../../core/training/run.ts"
import { writeAtomically } from "../../store/files/files.ts"
import { sweepAnswers } from "../../store/erasing/run-erasure.ts"
import { evaluationFile, freeReportFile } from "../../store/rows/run-files.ts"
import { TaskWatch } from "../../store/erasing/task-watch.ts"
import type { StageContext } from "../context.ts"
import { warnOfShortAnswers } from "./answer-length.ts"
import { agreeToDeploy } from "./ask-deployed.ts"
import { chosenModel } from "../training/chosen-model.ts"
import { collectAnswers, type Answers } from "./answers.ts"
import { planEvaluation, type EvaluationPlan, type EvaluationRequest } from "./evaluation-plan.ts"
import { readEvaluation, type Evaluation } from "./evaluation-result.ts"
import { reportDataOf } from "./fill-report.ts"
import { requireRecorded } from "./recordings.ts"
import { requireIncumbent, score } from "./scoring.ts"
import { requireServedBase } from "./served-base.ts"
import { openTestRows, type EvaluationRows } from "./test-rows.ts"

/**
 * The verdict on a finished run: every contender scored on the sealed test set, the rule applied, the report written. A
 * later holdout than the run's own may be named; test rows that a contender was trained on, or nearly, then leave for
 * all of them. The same run, settings and rule are evaluated once: then `unchanged`, with no process started and the
 * test set not opened again.
 */
export async function evaluate(
  context: StageContext,
  request: EvaluationRequest,
): Promise<{ state: "evaluated" | "unchanged"; result: Evaluation }> {
  const { workspace } = context
  const plan = planEvaluation(context, request)
  const finished = readEvaluation(workspace, plan.run, plan.id)
  if (finished !== undefined && plan.served?.retryEmpty !== true) return { state: "unchanged", result: finished }
  const summary = await requireFinished(context, plan.run)
  // What cannot be asked is said before the test set is opened.
  chosenModel(context, summary, plan.checkpoint)
  requireIncumbent(context, plan)
  requireRecorded(workspace, plan)
  if (request.job.evaluation.maxNewTokens !== undefined)
    warnOfShortAnswers(context, plan.task, plan.training, plan.job.evaluation.maxNewTokens)
  await requireServedBase(context, plan)
  await agreeToDeploy(context, plan, summary)
  const watch = new TaskWatch(workspace, plan.task.task)
  const rows = await openTestRows(context, plan)
  const answers = await watched(context, plan, watch, () => collectAnswers(context, plan, rows, summary))
  const scored = score(context, plan, rows.test, answers)
  const report = await reportDataOf(context, { plan, rows, scored, validation: answers.validation, summary })
  const page = freeReportFile(workspace, plan.run, plan.id)
  const result = resultOf(plan, rows, answers, { data: report, file: workspace.show(page) })
  watch.commit(() => {
    writeAtomically(page, renderReport(report))
    // The result is written last: where it is, the report is as well.
    writeAtomically(evaluationFile(workspace, plan.run, plan.id), `${JSON.stringify(result, null, 2)}\n`)
  })
  return { state: "evaluated", result }
}

/** The answers, unless rows were erased while they were asked for: then nothing that the work left has any of them. */
async function watched(
  { workspace, now }: StageContext,
  { task, run }: EvaluationPlan,
  watch: TaskWatch,
  work: () => Promise<Answers>,
): Promise<Answers> {
  try {
    const answers = await work()
    watch.commit(() => undefined)
    return answers
  } catch (error) {
    if (watch.hasChanged()) sweepAnswers(workspace, task.task, run, now().toISOString())
    throw error
  }
}

async function requireFinished(context: StageContext, run: string): Promise<RunSummary> {
  const summary = reduceRun(run, await context.ledger().runs.events(run))
  if (summary.state === "succeeded") return summary
  throw new ToolkitError(`run ${run} is ${summary.state}; only a finished run can be evaluated`, {
    code: "run-not-finished",
    hint: `tuneloop runs watch ${run}`,
  })
}

function resultOf(
  plan: EvaluationPlan,
  { tainted }: EvaluationRows,
  answers: Answers,
  { data, file }: { readonly data: ReportData; readonly file: string },
): Evaluation {
  const { verdict, provenance } = data
  return {
    schemaVersion: 1,
    evaluation: plan.id,
    run: plan.run,
    task: plan.task.task,
    dataset: plan.training.dataset,
    holdout: plan.holdout,
    tainted,
    metric: data.metric,
    incumbent: data.incumbent,
    rule: verdict.rule,
    contenders: data.contenders,
    comparisons: data.comparisons,
    ...(data.confusion === undefined ? {} : { confusion: data.confusion }),
    ...(data.prevalence === undefined ? {} : { prevalence: data.prevalence }),
    ...(data.outOfScope === undefined ? {} : { outOfScope: data.outOfScope }),
    verdict: verdict.verdict,
    reason: verdict.reason,
    power: verdict.power,
    wear: provenance.wear,
    notes: data.notes,
    report: file,
    answers: answers.files,
    at: provenance.at,
  }
}

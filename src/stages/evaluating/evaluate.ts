import { existsSync } from "node:fs"
import { join } from "node:path"
import { confusionOf, type Confusion } from "../../evaluation/scores/confusion.ts"
import { scoreContenders, type ContenderScores } from "../../evaluation/scores/contenders.ts"
import type { Comparison } from "../../evaluation/scores/comparisons.ts"
import type { ContenderRows, NamedMetric } from "../../evaluation/scores/measured.ts"
import { evaluationNotes, prevalenceNote, taintNote, wornNote } from "../../evaluation/verdict/notes.ts"
import { scoresAtPrevalence, type PrevalenceScores } from "../../evaluation/scores/prevalence.ts"
import type { ReportData } from "../../evaluation/report/report-data.ts"
import { outOfScopeScores, type OutOfScope } from "../../evaluation/scores/slices.ts"
import { renderReport } from "../../evaluation/report/report.ts"
import type { Wear } from "../../evaluation/verdict/wear.ts"
import { decide, type Verdict } from "../../evaluation/verdict/verdict.ts"
import { countStrata, prevalenceOf, weightsFor } from "../../curation/holdout/prevalence.ts"
import type { Taint } from "../../curation/leaks/taint.ts"
import { digest } from "../../core/canonical.ts"
import type { FineTuneBackend, TrainingPlan } from "../../core/contracts/backend.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { Example } from "../../core/rows/example.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import { formatOutput, inputText, sameOutput, stratumOf } from "../../core/task/output.ts"
import { reduceRun, type RunSummary } from "../../core/training/run.ts"
import { decidingMetric, labelsOf, outOfScopeLabel, type TaskSpecification } from "../../core/task/task.ts"
import { readText, writeAtomically } from "../../store/files/files.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { StageContext } from "../context.ts"
import { holdoutWear } from "../arriving/holdout-wear.ts"
import {
  collectAnswers,
  evaluationFile,
  evaluationId,
  requirePlan,
  scoredRows,
  type Answers,
} from "./collect-answers.ts"

/** The result of an evaluation, as kept in `evaluations/<id>.json`. */
export interface Evaluation {
  readonly schemaVersion: 1
  readonly evaluation: string
  readonly run: string
  readonly task: string
  readonly dataset: string
  readonly holdout: string
  /**
   * The test rows that a contender was trained on, or nearly: none was scored on them. Absent in evaluations of before
   * they were looked for.
   */
  readonly tainted?: readonly Taint[] | undefined
  readonly metric: string
  readonly incumbent: string
  readonly rule: string
  readonly contenders: readonly ContenderScores[]
  readonly comparisons: readonly Comparison[]
  readonly confusion?: Confusion | undefined
  readonly prevalence?: PrevalenceScores | undefined
  readonly outOfScope?: OutOfScope | undefined
  readonly verdict: Verdict["verdict"]
  readonly reason: string
  readonly power: Verdict["power"]
  /** How worn the test set is, this evaluation included; absent in evaluations of before it was told. */
  readonly wear?: Wear | undefined
  readonly notes: readonly string[]
  readonly report: string
  readonly at: string
}

/**
 * The verdict on a finished run: every contender scored on the sealed test set, the rule applied, the report written. A
 * later holdout than the run's own may be named; test rows that a contender was trained on, or nearly, then leave for
 * all of them. The same run, settings and rule are evaluated once: then `unchanged`, with no process started and the
 * test set not opened again.
 */
export async function evaluate(
  context: StageContext,
  task: TaskSpecification,
  job: JobSpecification,
  run: string,
  backend: FineTuneBackend,
  metrics: readonly NamedMetric[],
  machine: string,
  holdout?: string,
): Promise<{ state: "evaluated" | "unchanged"; result: Evaluation }> {
  const plan = requirePlan(context, task, run)
  const file = evaluationFile(context, run, evaluationId(task, job, run, plan, holdout))
  if (existsSync(file)) return { state: "unchanged", result: JSON.parse(readText(file)) as Evaluation }
  const summary = reduceRun(run, await context.ledger().runs.events(run))
  if (summary.state !== "succeeded")
    throw new ToolkitError(`run ${run} is ${summary.state}; only a finished run can be evaluated`, {
      code: "run-not-finished",
      hint: `tuneloop runs watch ${run}`,
    })
  const answers = await collectAnswers(context, task, job, run, backend, holdout)
  const report = await reportData(context, task, job, summary, answers, metrics, machine)
  const reportFile = join(context.workspace.runFolder(run), "report.html")
  writeAtomically(reportFile, renderReport(report))
  const result: Evaluation = {
    schemaVersion: 1,
    evaluation: answers.evaluation,
    run,
    task: task.task,
    dataset: plan.dataset,
    holdout: answers.holdout,
    tainted: answers.tainted,
    metric: report.metric,
    incumbent: report.incumbent,
    rule: report.verdict.rule,
    contenders: report.contenders,
    comparisons: report.comparisons,
    ...(report.confusion === undefined ? {} : { confusion: report.confusion }),
    ...(report.prevalence === undefined ? {} : { prevalence: report.prevalence }),
    ...(report.outOfScope === undefined ? {} : { outOfScope: report.outOfScope }),
    verdict: report.verdict.verdict,
    reason: report.verdict.reason,
    power: report.verdict.power,
    wear: report.provenance.wear,
    notes: report.notes,
    report: context.workspace.show(reportFile),
    at: report.provenance.at,
  }
  // The result is written last: where it is, the report is as well.
  writeAtomically(file, `${JSON.stringify(result, null, 2)}\n`)
  return { state: "evaluated", result }
}

async function reportData(
  context: StageContext,
  task: TaskSpecification,
  job: JobSpecification,
  summary: RunSummary,
  answers: Answers,
  metrics: readonly NamedMetric[],
  machine: string,
): Promise<ReportData> {
  const { plan, test } = answers
  const metric = decidingMetric(task)
  const contenders = answers.contenders.map((contender) => ({
    name: contender.name,
    rows: scoredRows(task, test, contender),
    predictions: contender.predictions,
  }))
  const scoring = scoreContenders({ task, contenders, metrics, seed: plan.seed })
  const { incumbent } = task.verdict
  const comparison = scoring.comparisons.find((candidate) => candidate.b === incumbent && candidate.metric === metric)
  const value = (name: string) =>
    scoring.contenders.find((contender) => contender.name === name)?.metrics[metric]?.value
  const tuned = value("tuned")
  const incumbentValue = value(incumbent)
  if (comparison === undefined || tuned === undefined || incumbentValue === undefined)
    throw new ToolkitError(`the incumbent ${incumbent} was not scored with the metric ${metric}`, {
      code: "no-incumbent",
      exitCode: 2,
      hint: `Add ${incumbent} to evaluation.contenders in ${context.workspace.show(context.workspace.jobFile(job.job))}, or name another verdict.incumbent or verdict.metric.`,
    })
  const verdict = decide({
    rule: task.verdict,
    metric,
    rows: test.length,
    tuned,
    incumbent: incumbentValue,
    interval: { low: comparison.low, high: comparison.high },
    pValue: comparison.pValue,
    discordance: comparison.discordance,
  })
  const prevalence = atPrevalence(task, test, contenders, metrics, plan.seed)
  const outOfScope = outOfScopeLabel(task)
  const wear = await holdoutWear(context, task, answers.holdout)
  const tunedRows = contenders.find(({ name }) => name === "tuned")?.rows ?? []
  return {
    task: task.task,
    description: task.description,
    job: job.job,
    run: summary.run,
    evaluation: answers.evaluation,
    verdict,
    metric,
    incumbent,
    confidence: task.verdict.confidence,
    notes: [
      ...evaluationNotes(task, metric, scoring, contenders),
      ...prevalenceNote(metric, incumbent, prevalence),
      ...taintNote(answers.tainted),
      ...wornNote(task, wear),
    ],
    contenders: scoring.contenders,
    comparisons: scoring.comparisons,
    ...(task.kind === "label" ? { confusion: confusionOf(tunedRows, labelsOf(task)) } : {}),
    ...(prevalence === undefined ? {} : { prevalence }),
    ...(outOfScope === undefined ? {} : { outOfScope: outOfScopeScores(task, outOfScope, contenders) }),
    training: summary.metrics,
    failures: failures(task, answers),
    provenance: { ...(await provenance(context, summary, plan, answers, machine)), wear },
  }
}

/** The figures at the prevalence that the specification gives; undefined where it gives none. */
function atPrevalence(
  task: TaskSpecification,
  test: readonly Example[],
  contenders: readonly ContenderRows[],
  metrics: readonly NamedMetric[],
  seed: number,
): PrevalenceScores | undefined {
  const prevalence = prevalenceOf(task)
  if (prevalence === undefined) return undefined
  const byStratum = weightsFor(
    prevalence,
    countStrata(
      task,
      test.map(({ output }) => output),
    ),
    Infinity,
  )
  const weights = Float64Array.from(test, ({ output }) => byStratum[stratumOf(task, output)] ?? 0)
  return scoresAtPrevalence({ task, prevalence, weights, contenders, metrics, seed })
}

const shownFailures = 50

function failures(task: TaskSpecification, answers: Answers): ReportData["failures"] {
  const { examples } = answers.validation
  const rows = scoredRows(task, examples, answers.validation.answers)
  const raw = new Map(answers.validation.answers.predictions.map((prediction) => [prediction.id, prediction.output]))
  const wrong = rows.flatMap((row, index) => {
    const example = examples[index]
    if (example === undefined || (row.output !== undefined && sameOutput(task, row.reference, row.output))) return []
    return [
      {
        id: row.id,
        input: inputText(task, example.input),
        expected: formatOutput(task, row.reference),
        answer: row.output === undefined ? (raw.get(row.id) ?? "") : formatOutput(task, row.output),
        isReadable: row.output !== undefined,
      },
    ]
  })
  return { validationRows: examples.length, wrong: wrong.length, shown: wrong.slice(0, shownFailures) }
}

async function provenance(
  context: StageContext,
  summary: RunSummary,
  plan: TrainingPlan,
  answers: Answers,
  machine: string,
): Promise<ReportData["provenance"]> {
  const seconds =
    summary.startedAt && summary.endedAt ? (Date.parse(summary.endedAt) - Date.parse(summary.startedAt)) / 1000 : null
  return {
    dataset: plan.dataset,
    holdout: answers.holdout,
    prompt: plan.prompt,
    baseModel: plan.baseModel,
    revision: plan.revision,
    backend: plan.backend.name,
    method: plan.method,
    hyperparameters: plan.hyperparameters,
    seed: plan.seed,
    rows: { train: answers.trainRows, validation: answers.validation.examples.length, test: answers.test.length },
    planDigest: digest(plan),
    testOpenings: (await context.ledger().openings.of(answers.holdout)).length,
    tainted: answers.tainted,
    leaks: new Versions(context.workspace, plan.task).manifest(plan.dataset as `ds_${string}`).leaks,
    trainingSeconds: seconds,
    machine,
    toolVersion: context.toolVersion,
    at: context.now().toISOString(),
  }
}

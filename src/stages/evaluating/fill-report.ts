import type { ReportData } from "../../evaluation/report/report-data.ts"
import { confusionOf } from "../../evaluation/scores/confusion.ts"
import { evaluationNotes, prevalenceNote, taintNote, wornNote } from "../../evaluation/verdict/notes.ts"
import { digest } from "../../core/canonical.ts"
import { withoutThoughts } from "../../core/asking/thoughts.ts"
import type { Example } from "../../core/rows/example.ts"
import { formatOutput, inputText, sameOutput } from "../../core/task/output.ts"
import { labelsOf, type TaskSpecification } from "../../core/task/task.ts"
import { type RunSummary, trainingSeconds } from "../../core/training/run.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { StageContext } from "../context.ts"
import { holdoutWear } from "../arriving/holdout-wear.ts"
import { adoptedNote } from "./adopted-training.ts"
import type { ContenderAnswers } from "./answers.ts"
import type { EvaluationPlan } from "./evaluation-plan.ts"
import { scoredRows } from "./scored-rows.ts"
import type { Scored } from "./scoring.ts"
import type { EvaluationRows } from "./test-rows.ts"

export interface Evaluated {
  readonly plan: EvaluationPlan
  readonly rows: EvaluationRows
  readonly scored: Scored
  /** The tuned model on the validation rows. */
  readonly validation: ContenderAnswers
  readonly summary: RunSummary
}

/** Everything that the report of the evaluation shows. */
export async function reportDataOf(context: StageContext, evaluated: Evaluated): Promise<ReportData> {
  const { plan, rows, scored, validation, summary } = evaluated
  const { task } = plan
  const { metric, contenders, comparisons, prevalence, outOfScope, verdict } = scored
  const { incumbent } = task.verdict
  const wear = await holdoutWear(context, task, plan.holdout)
  const tunedRows = scored.rows.find(({ name }) => name === "tuned")?.rows ?? []
  const alternatives = plan.contenders.flatMap(({ name, contender }) =>
    contender.alternative === undefined ? [] : [{ name, ...contender.alternative }],
  )
  return {
    task: task.task,
    description: task.description,
    job: plan.job.job,
    run: summary.run,
    evaluation: plan.id,
    verdict,
    metric,
    incumbent,
    confidence: task.verdict.confidence,
    notes: [
      ...evaluationNotes({ task, metric, scoring: { contenders, comparisons }, rows: scored.rows, alternatives }),
      ...prevalenceNote(metric, incumbent, prevalence),
      ...taintNote(rows.tainted),
      ...wornNote(task, wear),
      ...(plan.adopted === undefined ? [] : [adoptedNote(plan.adopted)]),
    ],
    contenders,
    explained: Object.fromEntries(plan.contenders.map(({ name, contender }) => [name, contender.summary])),
    comparisons,
    ...(task.kind === "label" ? { confusion: confusionOf(tunedRows, labelsOf(task)) } : {}),
    ...(prevalence === undefined ? {} : { prevalence }),
    ...(outOfScope === undefined ? {} : { outOfScope }),
    training: summary.metrics,
    failures: failures(task, rows.validation, validation),
    provenance: { ...(await provenance(context, evaluated)), wear },
  }
}

const shownFailures = 50

function failures(
  task: TaskSpecification,
  examples: readonly Example[],
  answers: ContenderAnswers,
): ReportData["failures"] {
  const rows = scoredRows(task, examples, answers)
  const raw = new Map(answers.predictions.map(({ id, output }) => [id, withoutThoughts(output).text]))
  const wrong = rows.flatMap((row, index) => {
    const example = examples[index]
    if (example === undefined || (row.output !== undefined && sameOutput(task, example.output, row.output))) return []
    return [
      {
        id: row.id,
        input: inputText(task, example.input),
        expected: formatOutput(task, example.output),
        answer: row.output === undefined ? (raw.get(row.id) ?? "") : formatOutput(task, row.output),
        isReadable: row.output !== undefined,
      },
    ]
  })
  return { validationRows: examples.length, wrong: wrong.length, shown: wrong.slice(0, shownFailures) }
}

async function provenance(
  context: StageContext,
  { plan, rows, summary }: Evaluated,
): Promise<ReportData["provenance"]> {
  const { training, holdout, machine } = plan
  const trainedOn = summary.details["machine"]
  return {
    dataset: training.dataset,
    holdout,
    prompt: training.prompt,
    baseModel: training.baseModel,
    revision: training.revision,
    backend: training.backend.name,
    method: training.method,
    hyperparameters: training.hyperparameters,
    seed: training.seed,
    rows: { train: rows.train.length, validation: rows.validation.length, test: rows.test.length },
    planDigest: digest(training),
    testOpenings: (await context.ledger().openings.of(holdout)).length,
    tainted: rows.tainted,
    leaks: new Versions(context.workspace, training.task).manifest(training.dataset).leaks,
    trainingSeconds: trainingSeconds(summary),
    ...(typeof trainedOn === "string" && trainedOn !== "" ? { trainedOn } : {}),
    evaluatedOn: machine,
    toolVersion: context.toolVersion,
    at: context.now().toISOString(),
  }
}

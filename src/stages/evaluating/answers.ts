import { withoutThoughts } from "../../core/asking/thoughts.ts"
import type { Prediction } from "../../core/contracts/backend.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { RunSummary } from "../../core/training/run.ts"
import { keepAnswers, readAnswers } from "../../store/rows/answers.ts"
import { requirePrivate } from "../privacy.ts"
import type { StageContext } from "../context.ts"
import { needsDeployment } from "../deploying/deployers.ts"
import { withKeys, type KeyedQuestion } from "./answers-key.ts"
import { askDeployed } from "./ask-deployed.ts"
import { askServed, type ServedQuestion } from "./ask-served.ts"
import { answersElsewhere } from "./carry-over.ts"
import type { EvaluationPlan } from "./evaluation-plan.ts"
import { generate, type GeneratedQuestion } from "./generation.ts"
import { keptAnswers } from "./recordings.ts"
import { questionsOf, validationLabel } from "./questions.ts"
import { placeOf } from "./served-models.ts"
import type { EvaluationRows } from "./test-rows.ts"

/** What a contender answered. */
export interface ContenderAnswers {
  readonly name: string
  readonly predictions: readonly Prediction[]
}

/** What all contenders answered, before it is scored. */
export interface Answers {
  readonly contenders: readonly ContenderAnswers[]
  /** The tuned model's answers to the validation rows, for looking at failures. */
  readonly validation: ContenderAnswers
  /** Where the answers are kept, by label; as a person in the workspace would write it. */
  readonly files: Readonly<Record<string, string>>
}

/**
 * The answers of every contender to the test rows, and of the tuned model to the validation rows. They are kept by
 * contender, model, prompt, decoding and rows, and what is there is not asked for again: a new rule, metric or number
 * of resamples starts no process.
 */
export async function collectAnswers(
  context: StageContext,
  plan: EvaluationPlan,
  rows: EvaluationRows,
  summary: RunSummary,
): Promise<Answers> {
  const questions = await withKeys(context, plan, questionsOf(context, plan, rows, summary))
  const found = questions.map(
    (question) => recorded(context, plan, question) ?? known(context, plan, question) ?? computed(context, question),
  )
  const missing = questions.filter((_, index) => found[index] === undefined)
  const { served, weighed, undeployed } = partition(plan, missing.flatMap(generated))
  const isHere = plan.backend.name === "local"
  requirePrivateQuestions(plan, [...served, ...undeployed, ...(isHere ? [] : weighed)])
  // First what costs nothing: where it cannot be done, nothing is paid for. What is paid by the hour comes last.
  if (weighed.length > 0) await generate(context, plan, weighed, partition(plan, questions.flatMap(generated)).weighed)
  if (served.length > 0) await askServed(context, plan, served)
  if (undeployed.length > 0) await askDeployed(context, plan, undeployed)
  const answered = questions.map((question, index) => ({
    label: question.label,
    name: question.contender,
    predictions: found[index] ?? requireAnswers(plan, question),
  }))
  const validation = answered.find(({ label }) => label === validationLabel)
  return {
    contenders: answered.filter((answers) => answers !== validation),
    validation: validation ?? { name: "tuned", predictions: [] },
    files: Object.fromEntries(questions.map(({ label, file }) => [label, context.workspace.show(file)])),
  }
}

/** Nothing is asked elsewhere of a row that may not leave the workspace. */
function requirePrivateQuestions(
  { task, holdout, training }: EvaluationPlan,
  questions: readonly GeneratedQuestion[],
): void {
  for (const { rows, work } of questions) {
    const asked = rows.map(({ id, input }) => ({ id, input }))
    requirePrivate(task, asked, holdout)
    if (work.kind === "generate") requirePrivate(task, work.shown ?? [], training.dataset)
  }
}

/** The answers of a recording, which is read anew each time: what it holds counts. Undefined for other contenders. */
function recorded(
  { workspace }: StageContext,
  { task }: EvaluationPlan,
  { work, rows, file }: KeyedQuestion,
): Prediction[] | undefined {
  if (work.kind !== "kept") return undefined
  const answers = keptAnswers(workspace, task.task, work.recording, rows)
  keepAnswers(file, answers)
  return answers
}

/** The answers that are there: kept, or elsewhere and from now on kept. */
function known(context: StageContext, plan: EvaluationPlan, question: KeyedQuestion): Prediction[] | undefined {
  const kept = readAnswers(question.file, idsOf(question))
  if (kept !== undefined) return isAskedAgain(plan, question, kept) ? undefined : kept
  const elsewhere = answersElsewhere(context, plan, question)
  if (elsewhere !== undefined) keepAnswers(question.file, elsewhere)
  return elsewhere
}

/** Whether rows without a text are to be asked again; weights at temperature 0 would answer as they did. */
function isAskedAgain(plan: EvaluationPlan, question: KeyedQuestion, kept: readonly Prediction[]): boolean {
  return (
    plan.served?.retryEmpty === true &&
    generated(question).some(({ model }) => placeOf(plan.backend, model) !== undefined) &&
    kept.some(({ output }) => withoutThoughts(output).text.trim() === "")
  )
}

/** The answers of a contender that needs no model elsewhere, timed one by one; undefined for others. */
function computed(context: StageContext, { work, rows, file }: KeyedQuestion): Prediction[] | undefined {
  if (work.kind !== "computed") return undefined
  const answer = work.learn()
  const predictions = rows.map((row): Prediction => {
    const before = context.monotonicMs()
    const output = answer(row)
    const latencyMs = context.monotonicMs() - before
    return { id: row.id, output, latencyMs, inputTokens: 0, outputTokens: 0, finish: "stop" }
  })
  keepAnswers(file, predictions)
  return predictions
}

function generated(question: KeyedQuestion): GeneratedQuestion[] {
  return question.work.kind === "generate" ? [{ ...question, model: question.work.model }] : []
}

/**
 * The questions to models that a service serves, to those that it serves while they are deployed, and those that are
 * answered where the weights are.
 */
function partition(
  plan: EvaluationPlan,
  questions: readonly GeneratedQuestion[],
): {
  readonly served: readonly ServedQuestion[]
  readonly undeployed: readonly GeneratedQuestion[]
  readonly weighed: readonly GeneratedQuestion[]
} {
  const places = questions.map((question) => ({ question, place: placeOf(plan.backend, question.model) }))
  const unplaced = places.flatMap(({ question, place }) => (place === undefined ? [question] : []))
  return {
    served: places.flatMap(({ question, place }) => (place === undefined ? [] : [{ ...question, place }])),
    undeployed: unplaced.filter(({ model }) => needsDeployment(plan.backend, model)),
    weighed: unplaced.filter(({ model }) => !needsDeployment(plan.backend, model)),
  }
}

function requireAnswers({ backend, run }: EvaluationPlan, question: KeyedQuestion): Prediction[] {
  const answers = readAnswers(question.file, idsOf(question))
  if (answers !== undefined) return answers
  throw new ToolkitError(`the backend ${backend.name} did not answer every row for ${question.label}`, {
    code: "incomplete-answers",
    hint: `Run it again: tuneloop evaluate ${run}`,
  })
}

function idsOf({ rows }: KeyedQuestion): string[] {
  return rows.map(({ id }) => id)
}

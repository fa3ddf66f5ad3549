import { trainLinearModel } from "../../curation/learned/linear-model.ts"
import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import type { ContenderTools, ContenderWork } from "../../core/contracts/contender.ts"
import { templateChat } from "../../core/contracts/chat-rows.ts"
import { toolsOf } from "../../core/contracts/format.ts"
import type { Example } from "../../core/rows/example.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { baseOf, type ModelRef } from "../../core/training/model-ref.ts"
import type { RunSummary } from "../../core/training/run.ts"
import { runFiles } from "../../store/rows/run-files.ts"
import { taskQuestion } from "../asking/task-question.ts"
import type { StageContext } from "../context.ts"
import { chosenModel } from "../training/chosen-model.ts"
import type { EvaluationPlan } from "./evaluation-plan.ts"
import { isServed } from "./served-models.ts"
import type { EvaluationRows } from "./test-rows.ts"

/** What one contender is asked. */
export interface Question {
  /** The contender's name, or what stands for the tuned model on validation. */
  readonly label: string
  readonly contender: string
  readonly rows: readonly Example[]
  readonly work: ContenderWork
  /** Whether some rows are answered one at a time to measure latency. */
  readonly latency: boolean
}

/** The label of the tuned model's answers to the validation rows. */
export const validationLabel = "tuned-validation"

/** Every contender on the test rows, in their order, and last the tuned model on the validation rows. */
export function questionsOf(
  context: StageContext,
  plan: EvaluationPlan,
  rows: EvaluationRows,
  summary: RunSummary,
): Question[] {
  const tools = contenderTools(context, plan, summary)
  const questions = plan.contenders.map(({ name, contender, options }): Question => {
    const work = contender.work({ task: plan.task, train: rows.train }, tools, options)
    return { label: name, contender: name, rows: rows.test, work, latency: true }
  })
  const tuned = questions.find(({ contender }) => contender === "tuned")
  if (tuned === undefined) throw new RangeError("an evaluation needs the tuned model among its contenders")
  return [...questions, { ...tuned, label: validationLabel, rows: rows.validation, latency: false }]
}

/** What is asked, a line a row, as a generation reads it; of a model that is served, as its server is asked. */
export function* linesAsked(
  { task, backend }: Pick<EvaluationPlan, "task" | "backend">,
  { rows, work }: Question,
): Generator<string> {
  const ask = askOf(task, backend, work)
  for (const row of rows) yield JSON.stringify({ id: row.id, ...ask(row) })
}

function askOf(task: TaskSpecification, backend: FineTuneBackend, work: ContenderWork): (row: Example) => object {
  if (work.kind !== "generate") return ({ input }) => ({ input })
  const { model, question } = work
  return isServed(backend, model)
    ? (row) => taskQuestion(task, row.input, question(row))
    : (row) => templateChat({ messages: question(row), tools: toolsOf(task, row.input) })
}

function contenderTools(
  context: StageContext,
  { run, training, checkpoint }: EvaluationPlan,
  summary: RunSummary,
): ContenderTools {
  const base = baseOf(training)
  const usual: ModelRef = { kind: "adapter", base, location: runFiles(context.workspace, run).adapter }
  return {
    base: { kind: "base", ...base },
    tuned: chosenModel(context, summary, checkpoint) ?? usual,
    trainClassifier(rows) {
      const model = trainLinearModel(rows)
      return (text) => model.predict(text).label
    },
  }
}

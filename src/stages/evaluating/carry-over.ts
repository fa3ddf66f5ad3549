import { readAnswers } from "../../store/rows/answers.ts"
import { earlierAnswers, type EarlierAnswers } from "../../store/rows/earlier-answers.ts"
import type { Prediction } from "../../core/contracts/backend.ts"
import type { StageContext } from "../context.ts"
import { digestOfLines, type KeyedQuestion } from "./answers-key.ts"
import type { EvaluationPlan } from "./evaluation-plan.ts"

/**
 * The answers to the question that are somewhere else: those of before the base model's pin was known, or those that an
 * earlier version kept under the evaluation that asked for them. Undefined where nothing answers exactly this question,
 * and for a base model that has changed since the run.
 */
export function answersElsewhere(
  context: StageContext,
  plan: EvaluationPlan,
  question: KeyedQuestion,
): Prediction[] | undefined {
  const ids = question.rows.map(({ id }) => id)
  if (question.work.kind !== "generate" || !question.isBaseOfRun) return undefined
  const ofRun = readAnswers(question.fileOfRun, ids)
  if (ofRun !== undefined) return ofRun
  for (const earlier of earlierAnswers(context.workspace, plan.run, question.label)) {
    if (!isSameDecoding(plan, question, earlier) || digestOfLines(earlier.rows()) !== question.rowsDigest) continue
    const answers = readAnswers(earlier.answers, ids)
    if (answers !== undefined) return answers
  }
  return undefined
}

/** An evaluation of the same id had the same settings; of another one the request says what they were. */
function isSameDecoding(
  { id, job }: EvaluationPlan,
  { latency }: KeyedQuestion,
  { evaluation, decoding }: EarlierAnswers,
): boolean {
  if (evaluation === id) return true
  const { maxNewTokens, latencyRows } = job.evaluation
  return decoding?.maxNewTokens === maxNewTokens && (!latency || decoding.latencyRows === latencyRows)
}

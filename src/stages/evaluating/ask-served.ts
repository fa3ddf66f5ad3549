import { digest } from "../../core/canonical.ts"
import type { ChatPlace, Prediction } from "../../core/contracts/backend.ts"
import type { ChatModel, ModelAnswer } from "../../core/contracts/model.ts"
import { ToolkitError } from "../../core/errors.ts"
import { keepAnswers } from "../../store/rows/answers.ts"
import { askAll, unanswered } from "../asking/ask.ts"
import { Asking } from "../asking/asking.ts"
import { heldOutModel } from "../asking/held-out-model.ts"
import { chatAnswerer, type KeyedRequest, requireAllowedHost } from "../asking/request.ts"
import { taskRequest } from "../asking/task-question.ts"
import type { StageContext } from "../context.ts"
import { explained } from "./base-not-served.ts"
import type { EvaluationPlan } from "./evaluation-plan.ts"
import type { GeneratedQuestion } from "./generation.ts"
import type { ServedModels } from "./served-models.ts"
import { servedPrediction } from "./served-prediction.ts"

/** A question to a model that is served somewhere. */
export interface ServedQuestion extends GeneratedQuestion {
  readonly place: ChatPlace
  /**
   * Whether the model is deployed, and paid by the hour. Its questions are known by the model, which stays, and not by
   * the deployment, which does not.
   */
  readonly isDeployed?: boolean
}

/**
 * The missing questions, all to deployed models or none, are answered, each in its file: by the ledger, below every
 * ceiling, each row once, after a crash as well. How long an answer took is known of those that came now. Nothing of a
 * row is in an error.
 */
export async function askServed(
  context: StageContext,
  plan: EvaluationPlan,
  missing: readonly ServedQuestion[],
): Promise<void> {
  const { served } = plan
  if (served === undefined)
    throw new ToolkitError("nobody can be asked here for the answers of a served model", {
      code: "no-generation",
      hint: `Evaluate by the command line: tuneloop evaluate ${plan.run}`,
    })
  const asking = askingOf(
    context,
    plan,
    served,
    missing.every(({ isDeployed }) => isDeployed === true),
  )
  const asked = missing.map((question) => ({ question, requests: requestsOf(plan, question) }))
  await requireConsent(context, asked, asking, served)
  for (const { question, requests } of asked) {
    const times = new Map<string, number>()
    const answers = await askAll(context, {
      purpose: `evaluated:${question.label}`,
      requests,
      open: () => chatAnswerer(timed(context, heldOutModel(named(served.open(question.place), question)), times)),
      asking,
    }).catch((error: unknown) => {
      // A question to a model that is served may be refused with 400 for what it says.
      throw question.model.kind === "base" ? explained(context, plan, error, [404]) : error
    })
    keepAnswers(question.file, predictionsOf(question, requests, answers, times))
  }
}

/** The model under the name that its server knows now. */
function named(model: ChatModel, { place }: ServedQuestion): ChatModel {
  return { ...model, ask: (request, ...rest) => model.ask({ ...request, model: place.model }, ...rest) }
}

/** The same model, of whose answers it is noted how long they took, by the key of the request: from sending it on. */
function timed({ monotonicMs }: StageContext, model: ChatModel, times: Map<string, number>): ChatModel {
  return {
    ...model,
    ask: async (request, ...rest) => {
      const before = monotonicMs()
      const answer = await model.ask(request, ...rest)
      times.set(digest(request), monotonicMs() - before)
      return answer
    },
  }
}

interface AskedQuestion {
  readonly question: ServedQuestion
  readonly requests: readonly KeyedRequest[]
}

/** On which terms the evaluation asks. */
export function askingOf(
  context: StageContext,
  { task, run }: EvaluationPlan,
  served: ServedModels,
  isFree: boolean,
): Asking {
  return new Asking(context, {
    isFree,
    task: task.task,
    pace: { concurrency: task.expand.pace.concurrency, patienceSeconds: task.expand.pace.patienceSeconds },
    budgetUsd: served.budgetUsd,
    retryEmpty: served.retryEmpty,
    taskCeiling: { limitUsd: task.expand.budgetUsd, setting: "expand.budgetUsd" },
    comeBack: () => `tuneloop evaluate ${run}`,
  })
}

/** One request a row, in their order; a row that is asked in two evaluations is one request. */
function requestsOf(plan: EvaluationPlan, { work, rows, ...question }: ServedQuestion): KeyedRequest[] {
  if (work.kind !== "generate") return []
  const { task, job, training } = plan
  const { baseUrl } = question.place
  const asked = { baseUrl, model: nameOf(question), maxTokens: job.evaluation.maxNewTokens, seed: training.seed }
  const shown = work.shown?.map(({ id }) => id) ?? []
  return rows.map((row) => ({
    ...taskRequest(task, row.input, { ...asked, messages: work.question(row) }),
    rows: [row.id, ...shown],
  }))
}

function nameOf({ model, place, isDeployed }: Pick<ServedQuestion, "model" | "place" | "isDeployed">): string {
  return isDeployed === true && model.kind === "hosted" ? model.id : place.model
}

async function requireConsent(
  context: StageContext,
  asked: readonly AskedQuestion[],
  asking: Asking,
  { consent }: ServedModels,
): Promise<void> {
  const byHost = Map.groupBy(asked, ({ question }) => new URL(question.place.baseUrl).host)
  for (const [host, questions] of byHost) {
    for (const { question } of questions) requireAllowedHost(context, question.place.baseUrl)
    const requests = new Map(questions.flatMap((each) => each.requests.map(({ key, request }) => [key, request])))
    const keyed = Array.from(requests, ([key, request]) => ({ key, request }))
    const worst = (await unanswered(context, keyed, asking)).map(({ request }) => asking.money.worstUsd(request))
    const worstUsd = worst.includes(null) ? null : worst.reduce<number>((sum, usd) => sum + (usd ?? 0), 0)
    if (worst.length > 0 && worstUsd !== 0) await consent({ host, questions: worst.length, worstUsd })
  }
}

function predictionsOf(
  { rows }: ServedQuestion,
  requests: readonly KeyedRequest[],
  answers: ReadonlyMap<string, ModelAnswer>,
  times: ReadonlyMap<string, number>,
): Prediction[] {
  return rows.flatMap(({ id }, place): Prediction[] => {
    const key = requests[place]?.key ?? ""
    const answer = answers.get(key)
    if (answer === undefined) return []
    const { text: output, ...rest } = answer
    return [servedPrediction(id, { output, ...rest }, times.get(key))]
  })
}

import { digest } from "../../core/canonical.ts"
import { baseOf } from "../../core/training/model-ref.ts"
import { askAll, unanswered } from "../asking/ask.ts"
import { chatAnswerer, requireAllowedHost } from "../asking/request.ts"
import type { StageContext } from "../context.ts"
import { canDeploy } from "../deploying/deployers.ts"
import { askingOf } from "./ask-served.ts"
import { askBase, explained } from "./base-not-served.ts"
import type { EvaluationPlan } from "./evaluation-plan.ts"

/**
 * The base model answers at its service, where a contender needs it. A service that deploys tuned models does not serve
 * every base that it tunes, and only an answer shows it: one question without a row is asked, once, before the test set
 * is opened or anything is deployed for nothing.
 */
export async function requireServedBase(context: StageContext, plan: EvaluationPlan): Promise<void> {
  const { backend, training, served } = plan
  if (served === undefined || !canDeploy(backend) || askBase(plan).length === 0) return
  const place = backend.chat?.({ kind: "base", ...baseOf(training) })
  if (place === undefined || (await isOpened(context, plan))) return
  requireAllowedHost(context, place.baseUrl)
  const request = {
    ...{ provider: "openai", baseUrl: place.baseUrl, model: place.model },
    messages: [{ role: "user" as const, content: "Answer with one word." }],
    ...{ temperature: 0, maxTokens: 1, seed: training.seed },
  }
  const requests = [{ key: digest(request), request }]
  const asking = askingOf(context, plan, served, false)
  const worstUsd = asking.money.worstUsd(request)
  if (worstUsd !== 0 && (await unanswered(context, requests, asking)).length > 0)
    await served.consent({ host: new URL(place.baseUrl).host, questions: 1, worstUsd })
  try {
    const open = () => chatAnswerer(served.open(place))
    await askAll(context, { purpose: "evaluated:base", requests, open, asking })
  } catch (error) {
    throw explained(context, plan, error, [400, 404])
  }
}

/** An evaluation that has opened the test set may have every answer already. */
async function isOpened(context: StageContext, { id, holdout }: EvaluationPlan): Promise<boolean> {
  return (await context.readLedger().openings.of(holdout)).some(({ evaluation }) => evaluation === id)
}

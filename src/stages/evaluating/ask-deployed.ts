import { PersonNeededError } from "../../core/errors.ts"
import type { RunSummary } from "../../core/training/run.ts"
import type { StageContext } from "../context.ts"
import { needsDeployment } from "../deploying/deployers.ts"
import { agreeBeforehand, type DeployTerms, whileDeployed } from "../deploying/while-deployed.ts"
import { requireAllowedHost } from "../asking/request.ts"
import { modelOf } from "../training/run-model.ts"
import { askServed } from "./ask-served.ts"
import type { EvaluationPlan } from "./evaluation-plan.ts"
import type { GeneratedQuestion } from "./generation.ts"

/**
 * Whoever pays has agreed to deploy the run's model, where it is certain that it has to be. Throws before the test set
 * is opened for nothing.
 */
export async function agreeToDeploy(context: StageContext, plan: EvaluationPlan, summary: RunSummary): Promise<void> {
  const { backend, run } = plan
  const model = modelOf(context, summary)
  if (model === undefined || !needsDeployment(backend, model)) return
  const place = backend.chat?.({ kind: "deployment", backend: backend.name, id: "", model: "" })
  // Where it may not be asked it is deployed for nothing.
  if (place !== undefined) requireAllowedHost(context, place.baseUrl)
  await agreeBeforehand(context, run, backend, termsOf(plan))
}

/** The run's model is deployed while it is asked. */
export async function askDeployed(
  context: StageContext,
  plan: EvaluationPlan,
  questions: readonly GeneratedQuestion[],
): Promise<void> {
  const { backend, run } = plan
  const [question] = questions
  if (question === undefined || !needsDeployment(backend, question.model)) return
  await whileDeployed(context, run, backend, termsOf(plan), async ({ id, model, backend: name }, within) => {
    const place = backend.chat?.({ kind: "deployment", backend: name, id, model })
    if (place === undefined) throw new Error(`${name} does not say where what it deployed is asked`)
    await askServed(
      within,
      plan,
      questions.map((each) => ({ ...each, place, isDeployed: true })),
    )
  })
}

function termsOf({ deploying, run, backend }: EvaluationPlan): DeployTerms {
  if (deploying !== undefined) return deploying
  throw new PersonNeededError(
    `the model of ${run} answers nobody at ${backend.name} before it is deployed`,
    `tuneloop evaluate ${run} --deploy`,
  )
}

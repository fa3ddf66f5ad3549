import { silenceOf } from "../../core/asking/spoken.ts"
import type { ModelAnswer } from "../../core/contracts/model.ts"
import type { PlannedPrompt } from "../../core/contracts/strategy.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { askAll } from "../asking/ask.ts"
import type { Asking } from "../asking/asking.ts"
import { chatAnswerer } from "../asking/request.ts"
import type { StageContext } from "../context.ts"
import type { AskedPrompt } from "./asked-prompt.ts"
import { type GrowingModel, growingRequests } from "./asking-terms.ts"

/** The prompts with the answers of the task's model, or of another at the same server, in the order of the prompts. */
export async function askToGrow(
  context: StageContext,
  task: TaskSpecification,
  prompts: readonly PlannedPrompt[],
  {
    purpose,
    asking,
    modelName,
    ...growing
  }: GrowingModel & { readonly purpose: string; readonly asking: Asking; readonly modelName?: string | undefined },
): Promise<AskedPrompt[]> {
  const { model } = growing
  const requests = growingRequests(context, task, prompts, growing, modelName)
  const answers =
    model === undefined
      ? new Map<string, ModelAnswer>()
      : await askAll(context, { purpose, requests, open: () => chatAnswerer(model()), asking })
  return requests.map(({ key, prompt, request }) => {
    const answer = answers.get(key) ?? nothing
    const { text, thought } = answer
    return { key, prompt, text, thought, silence: silenceOf(answer), model: `${request.provider}:${request.model}` }
  })
}

const nothing: ModelAnswer = { text: "", inputTokens: null, outputTokens: null }

import { ToolkitError } from "../../core/errors.ts"
import type { ChatModel } from "../../core/contracts/model.ts"
import type { PlannedPrompt } from "../../core/contracts/strategy.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { AskingTerms } from "../asking/asking.ts"
import { type PlannedRequest, requestsOf } from "../asking/request.ts"
import type { StageContext } from "../context.ts"

export type AskingOptions = Pick<AskingTerms, "budgetUsd" | "batch" | "wait" | "retryEmpty">

/** On which terms the specification's `expand` has models asked. */
export function askingTerms({ task, expand }: TaskSpecification, options: AskingOptions = {}): AskingTerms {
  return {
    task,
    pace: expand.pace,
    budgetUsd: options.budgetUsd,
    taskCeiling: { limitUsd: expand.budgetUsd, setting: "expand.budgetUsd" },
    batch: options.batch,
    wait: options.wait,
    retryEmpty: options.retryEmpty,
    comeBack: (purpose) => `tuneloop expand ${task} --strategy ${purpose} --batch`,
  }
}

/** The terms for embeddings: the pace in the specification is that of the model that grows, another server's. */
export function embeddingTerms(task: TaskSpecification): AskingTerms {
  const terms = askingTerms(task)
  const { concurrency, patienceSeconds } = terms.pace
  return { ...terms, pace: { concurrency, patienceSeconds } }
}

/** Who is asked to grow, when it is known. */
export interface GrowingModel {
  readonly model: (() => ChatModel & { baseUrl: string }) | undefined
  /** Where the model is asked, for a plan: nobody needs a key for it. Default: what the model says of itself. */
  readonly address?: string | undefined
  readonly environmentModel: string | undefined
}

/** The name of the model that grows, unless a check names another. */
export function growingModelName(task: TaskSpecification, { environmentModel }: GrowingModel): string | undefined {
  return task.expand.model?.model ?? environmentModel
}

/**
 * The prompts as requests to the task's model, or to another at the same server. Throws when no model is named, or when
 * the examples may not go to its host.
 */
export function growingRequests(
  context: StageContext,
  task: TaskSpecification,
  prompts: readonly PlannedPrompt[],
  growing: GrowingModel,
  modelName = growingModelName(task, growing),
): PlannedRequest[] {
  if (modelName === undefined || growing.model === undefined)
    throw new ToolkitError(`task ${task.task} names no model to grow examples with`, {
      code: "no-model",
      exitCode: 2,
      hint: `Set expand.model.model in ${context.workspace.show(context.workspace.specFile(task.task))} or TUNELOOP_MODEL in the environment; a server on this machine needs no key (expand.model.baseUrl: http://127.0.0.1:11434/v1).`,
    })
  const { provider = "openai", temperature = 0.8, maxTokens = 1024 } = task.expand.model ?? {}
  const baseUrl = growing.address ?? growing.model().baseUrl
  return requestsOf(context, { provider, baseUrl, model: modelName, temperature, maxTokens }, prompts)
}

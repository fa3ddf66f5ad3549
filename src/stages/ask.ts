import PQueue from "p-queue"
import { digest } from "../core/canonical.ts"
import { GateError, ToolkitError } from "../core/errors.ts"
import type { ChatModel, ModelRequest } from "../core/model.ts"
import { withRetries } from "../core/retry.ts"
import type { PlannedPrompt } from "../core/strategy.ts"
import type { TaskSpecification } from "../core/task.ts"
import type { StageContext } from "./context.ts"

const concurrency = 4

export interface PlannedRequest {
  readonly key: string
  readonly prompt: PlannedPrompt
  readonly request: ModelRequest
}

/** Each prompt as a request to the task's model, keyed by its content. Throws when no model is named, or when the examples may not go to its host. */
export function requestsOf(
  context: StageContext,
  task: TaskSpecification,
  prompts: readonly PlannedPrompt[],
  options: { model: (() => ChatModel & { baseUrl: string }) | undefined },
  modelName: string | undefined,
): PlannedRequest[] {
  if (modelName === undefined || options.model === undefined)
    throw new ToolkitError(`task ${task.task} names no model to grow examples with`, {
      code: "no-model",
      exitCode: 2,
      hint: `Set expand.model.model in ${context.workspace.show(context.workspace.specFile(task.task))} or TUNELOOP_MODEL in the environment; a server on this machine needs no key (expand.model.baseUrl: http://127.0.0.1:11434/v1).`,
    })
  const { baseUrl } = options.model()
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$/g, "")
  if (!context.workspace.settings.allowedHosts.includes(host))
    throw new GateError(
      `examples may not be sent to ${host}; allowed: ${context.workspace.settings.allowedHosts.join(", ")}`,
      "Add the host to allowedHosts in tuneloop.yaml if the data may go there.",
    )
  return prompts.map((prompt) => {
    const request = {
      provider: task.expand.model?.provider ?? "openai",
      baseUrl,
      model: modelName,
      messages: prompt.messages,
      temperature: task.expand.model?.temperature ?? 0.8,
      maxTokens: task.expand.model?.maxTokens ?? 1024,
      seed: prompt.seed,
      ...(prompt.schema === undefined ? {} : { schema: prompt.schema }),
    }
    return { key: digest(request), prompt, request }
  })
}

/** Every request has its answer in the ledger: asked now, or answered before and not sent again. Each is in the ledger before it is sent. */
export async function askAll(
  context: StageContext,
  task: TaskSpecification,
  strategy: string,
  requests: readonly PlannedRequest[],
  open: (() => ChatModel & { baseUrl: string }) | undefined,
): Promise<void> {
  const ledger = context.ledger()
  const missing = requests.filter(({ key }) => ledger.answer(key) === undefined)
  if (missing.length === 0 || !open) return
  const model = open()
  const queue = new PQueue({ concurrency })
  // The first failure stops what has not begun; what was answered is kept.
  const stop = new AbortController()
  const signal = AbortSignal.any([context.signal, stop.signal])
  let done = requests.length - missing.length
  const ask = async ({ key, request }: PlannedRequest) => {
    if (signal.aborted) return
    const answer = await withRetries(
      () => {
        ledger.beginRequest(key, request, { task: task.task, strategy })
        return model.ask(request, signal)
      },
      {
        sleep: context.sleep,
        random: () => 0.5,
        signal,
        onRetry: (error, delayMs) => context.report.warn(`${error.message}; trying again in ${Math.round(delayMs / 1000)} s`),
      },
    )
    ledger.recordAnswer(key, answer)
    context.report.progress(`${strategy}: ${++done} of ${requests.length} answered`)
  }
  try {
    await Promise.all(missing.map((request) => queue.add(() => ask(request))))
  } catch (error) {
    stop.abort()
    queue.clear()
    await queue.onIdle().catch(() => undefined)
    throw error
  }
}

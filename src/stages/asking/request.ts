import { addressRefusal } from "../../core/addresses.ts"
import { digest } from "../../core/canonical.ts"
import { heldBack, unreadAnswer } from "../../core/asking/spoken.ts"
import { GateError, ProviderError } from "../../core/errors.ts"
import type { BatchService, ChatModel, ModelAnswer, ModelRequest, ResponseHeaders } from "../../core/contracts/model.ts"
import type { PlannedPrompt } from "../../core/contracts/strategy.ts"
import type { StageContext } from "../context.ts"

/** A request by its content: equal requests have equal keys, and are asked once. */
export interface KeyedRequest {
  readonly key: string
  readonly request: ModelRequest
  /** The ids of the rows that it shows: an erasure finds it by them. */
  readonly rows?: readonly string[] | undefined
}

export interface PlannedRequest extends KeyedRequest {
  readonly prompt: PlannedPrompt
}

/** Which model is asked, where, and how it shall answer. */
export type ChosenModel = Pick<ModelRequest, "provider" | "baseUrl" | "model" | "temperature" | "maxTokens">

/** Each prompt as a request to the model, keyed by its content. Throws where examples may not go to its host. */
export function requestsOf(
  context: StageContext,
  { provider, baseUrl, model, temperature, maxTokens }: ChosenModel,
  prompts: readonly PlannedPrompt[],
): PlannedRequest[] {
  requireAllowedHost(context, baseUrl)
  return prompts.map((prompt) => {
    const request = {
      provider,
      baseUrl,
      model,
      messages: prompt.messages,
      temperature,
      maxTokens,
      seed: prompt.seed,
      ...(prompt.schema === undefined ? {} : { schema: prompt.schema }),
    }
    return { key: digest(request), prompt, request, rows: prompt.parents }
  })
}

/** Throws a GateError where the workspace does not let examples go to the address. */
export function requireAllowedHost(context: StageContext, baseUrl: string): void {
  const refusal = addressRefusal(baseUrl, context.workspace.settings.allowedHosts)
  if (refusal !== undefined) throw new GateError(refusal.message, refusal.hint)
}

/** Requests that go to the server in one call, and are answered by it together. */
export interface Call {
  readonly requests: readonly KeyedRequest[]
  /** Makes the call, once; an answer for each request, in their order. */
  send(signal: AbortSignal, onHeaders: (headers: ResponseHeaders) => void): Promise<readonly ModelAnswer[]>
}

/** Who answers, and how requests go there. */
export interface Answerer {
  readonly name: string
  callsOf(requests: readonly KeyedRequest[]): Iterable<Call>
  /** Present where many requests can be left there together, to be answered later. */
  readonly batches?: BatchService | undefined
  /** What is counted as they are answered. */
  readonly counted: "answered" | "texts"
}

/**
 * A chat model answers each request in a call of its own. What a rule on content forbids it to answer, and what is too
 * long or too deep to be read, is an answer without a text: the other requests are asked all the same.
 */
export function chatAnswerer(model: ChatModel): Answerer {
  return {
    name: model.name,
    batches: model.batches,
    counted: "answered",
    callsOf: (requests) =>
      requests.map((keyed) => ({
        requests: [keyed],
        send: async (signal, onHeaders) => [
          await model.ask(keyed.request, signal, onHeaders).catch((error: unknown) => {
            if (!(error instanceof ProviderError)) throw error
            if (error.isRefusal) return heldBack(error.message)
            if (error.unread !== undefined) return unreadAnswer(error.unread)
            throw error
          }),
        ],
      })),
  }
}

import { InferenceClient, InferenceClientProviderApiError } from "@huggingface/inference"
import { CredentialError, ProviderError } from "../core/errors.ts"
import type { ModelModule } from "../core/model.ts"
import { isRetryableStatus } from "../core/retry.ts"

const router = "https://router.huggingface.co/v1"

/** Hugging Face Inference Providers, or an endpoint of one's own that speaks their chat completions (`expand.model.baseUrl`). The router sends a request on to a provider: its host must be in the workspace's allowedHosts. */
const module: ModelModule = {
  summary: "Hugging Face Inference Providers, or an inference endpoint of one's own",
  environment: [{ name: "HF_TOKEN", purpose: "token of Hugging Face", secret: true }],
  create(environment, options) {
    const token = environment["HF_TOKEN"]
    const baseUrl = options.baseUrl ?? router
    if (!token && options.baseUrl === undefined)
      throw new CredentialError("Hugging Face needs a token and HF_TOKEN is not set", "Set HF_TOKEN in the environment.")
    const client = new InferenceClient(token, options.baseUrl === undefined ? {} : { endpointUrl: options.baseUrl })
    return {
      name: "huggingface",
      baseUrl,
      async ask(request, signal) {
        try {
          const { model, messages, temperature, seed } = request
          const completion = await client.chatCompletion(
            { model, messages: messages.map(({ role, content }) => ({ role, content })), temperature, seed, max_tokens: request.maxTokens },
            { signal, retry_on_error: false },
          )
          const text = completion.choices[0]?.message.content
          if (typeof text !== "string")
            throw new ProviderError(`${baseUrl} answered without a text`, { provider: "huggingface", hint: "Check that the model is a chat model." })
          return { text, inputTokens: completion.usage?.prompt_tokens ?? null, outputTokens: completion.usage?.completion_tokens ?? null }
        } catch (error) {
          throw translate(error, baseUrl, request.model)
        }
      },
    }
  },
}
export default module

function translate(error: unknown, baseUrl: string, model: string): unknown {
  const host = new URL(baseUrl).host
  if (error instanceof InferenceClientProviderApiError) {
    const { status } = error.httpResponse
    if (status === 401 || status === 403)
      return new CredentialError(`${host} refused the token (HTTP ${status})`, "Check HF_TOKEN: set, and allowed to use inference providers.")
    return new ProviderError(`${host} answered HTTP ${status}: ${error.message.slice(0, 300)}`, {
      provider: "huggingface",
      status,
      isRetryable: isRetryableStatus(status),
      hint: `Is the model ${JSON.stringify(model)} served there?`,
    })
  }
  if (error instanceof TypeError)
    return new ProviderError(`cannot reach ${host}: ${(error.cause as Error | undefined)?.message ?? error.message}`, {
      provider: "huggingface",
      isRetryable: true,
      hint: `Is ${baseUrl} up?`,
      cause: error,
    })
  return error
}

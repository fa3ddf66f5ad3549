import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError, AuthenticationError, PermissionDeniedError } from "openai"
import { CredentialError, ProviderError } from "../core/errors.ts"
import type { ModelModule, ModelRequest } from "../core/model.ts"
import { isRetryableStatus, retryAfterMs } from "../core/retry.ts"

const defaultBaseUrl = "https://api.openai.com/v1"

/** Any server that speaks OpenAI's chat completions: OpenAI itself, Ollama, vLLM, llama.cpp, `transformers serve`. */
const module: ModelModule = {
  summary: "Any OpenAI-compatible chat server (OpenAI, Ollama, vLLM, llama.cpp, transformers serve)",
  environment: [
    { name: "OPENAI_API_KEY", purpose: "key of the server; servers on this machine need none", secret: true },
    { name: "OPENAI_BASE_URL", purpose: "address of the server, when the specification names none" },
    { name: "TUNELOOP_MODEL", purpose: "the model's name, when the specification names none" },
  ],
  create(environment, options) {
    const baseUrl = options.baseUrl ?? environment["OPENAI_BASE_URL"] ?? defaultBaseUrl
    const apiKey = environment["OPENAI_API_KEY"]
    if (!apiKey && !isLoopback(baseUrl))
      throw new CredentialError(
        `${new URL(baseUrl).host} needs a key and OPENAI_API_KEY is not set`,
        "Set OPENAI_API_KEY in the environment, or name a server on this machine in expand.model.baseUrl.",
      )
    // Retries are the stage's: the SDK's own would multiply them. A redirect could send examples to a host that is not allowed.
    const client = new OpenAI({ apiKey: apiKey ?? "none", baseURL: baseUrl, maxRetries: 0, timeout: 600_000, fetchOptions: { redirect: "manual" } })
    return {
      name: "openai",
      baseUrl,
      async ask(request, signal) {
        try {
          const completion = await client.chat.completions.create(bodyOf(request), { signal })
          const text = completion.choices?.[0]?.message?.content
          if (typeof text !== "string")
            throw new ProviderError(`${request.baseUrl} answered without a text`, {
              provider: "openai",
              hint: "Check that the server speaks chat completions and that the model is loaded.",
            })
          return { text, inputTokens: completion.usage?.prompt_tokens ?? null, outputTokens: completion.usage?.completion_tokens ?? null }
        } catch (error) {
          throw translate(error, request, apiKey)
        }
      },
    }
  },
}
export default module

function bodyOf(request: ModelRequest): OpenAI.ChatCompletionCreateParamsNonStreaming {
  return {
    model: request.model,
    messages: request.messages as unknown as OpenAI.ChatCompletionMessageParam[],
    temperature: request.temperature,
    max_tokens: request.maxTokens,
    seed: request.seed,
  }
}

function translate(error: unknown, request: ModelRequest, apiKey: string | undefined): unknown {
  const host = new URL(request.baseUrl).host
  if (error instanceof AuthenticationError || error instanceof PermissionDeniedError)
    return new CredentialError(
      `${host} refused the key (HTTP ${error.status})`,
      "Check OPENAI_API_KEY: set, of this server, and allowed to use the model.",
    )
  if (error instanceof APIConnectionTimeoutError)
    return new ProviderError(`${host} did not answer in time`, { provider: "openai", isRetryable: true, cause: error })
  if (error instanceof APIConnectionError && error.message !== "Request was aborted.")
    return new ProviderError(`cannot reach ${host}: ${(error.cause as Error | undefined)?.message ?? error.message}`, {
      provider: "openai",
      isRetryable: true,
      hint: `Is the server at ${request.baseUrl} running?`,
      cause: error,
    })
  if (error instanceof APIError && typeof error.status === "number" && error.status < 400)
    return new ProviderError(`${host} sent the request on to another address (HTTP ${error.status}); examples do not follow a redirect`, {
      provider: "openai",
      status: error.status,
      hint: `Name the final address in expand.model.baseUrl, and its host in allowedHosts if the data may go there.`,
    })
  // A server may repeat the key in its answer.
  if (error instanceof APIError && typeof error.status === "number")
    return new ProviderError(
      `${host} answered HTTP ${error.status}: ${(apiKey ? error.message.replaceAll(apiKey, "[secret]") : error.message).slice(0, 300)}`,
      {
        provider: "openai",
        status: error.status,
        isRetryable: isRetryableStatus(error.status) && error.code !== "insufficient_quota",
        retryAfterMs: error.headers === undefined ? undefined : retryAfterMs(error.headers),
        hint: error.status === 404 ? `Does the server have the model ${JSON.stringify(request.model)}?` : "See the server's log.",
        cause: error,
      },
    )
  // The connection broke after the headers (TypeError), or the body is not the whole JSON (SyntaxError).
  if (error instanceof TypeError || error instanceof SyntaxError)
    return new ProviderError(`${host} broke off its answer: ${error.message.slice(0, 100)}`, { provider: "openai", isRetryable: true, cause: error })
  return error
}

function isLoopback(url: string): boolean {
  return ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname)
}

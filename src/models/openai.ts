import OpenAI from "openai"
import { ConfigError, CredentialError } from "../core/errors.ts"
import { isLoopback } from "../core/prices.ts"
import type { ModelModule, ModelRequest } from "../core/model.ts"
import { defaultTimeoutMs, guardedCall, textOf, tokensOf } from "./_guarded-call.ts"
import { askWithSchema, responseFormat } from "./_structured-answer.ts"

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
    const baseUrl = options.baseUrl ?? addressOf(environment["OPENAI_BASE_URL"]) ?? defaultBaseUrl
    const apiKey = environment["OPENAI_API_KEY"]
    if (!apiKey && !isLoopback(baseUrl))
      throw new CredentialError(
        `${new URL(baseUrl).host} needs a key and OPENAI_API_KEY is not set`,
        "Set OPENAI_API_KEY in the environment, or name a server on this machine in expand.model.baseUrl.",
      )
    const memory = { refusesSchemas: false }
    return {
      name: "openai",
      baseUrl,
      async ask(asked, signal, onHeaders) {
        const { fetch, timeoutMs = defaultTimeoutMs } = options
        const key = { variable: "OPENAI_API_KEY", value: apiKey }
        const settings = { provider: "openai", baseUrl, model: asked.model, fetch, timeoutMs, signal, key, onHeaders }
        return askWithSchema(memory, asked, (request) =>
          guardedCall(settings, async (guarded) => {
            // Retries are the stage's and the time is the guard's: the SDK's own would multiply them.
            const client = new OpenAI({ apiKey: apiKey || "none", baseURL: baseUrl, maxRetries: 0, timeout: 2 * timeoutMs, fetch: guarded })
            const completion = await client.chat.completions.create(bodyOf(request), { signal })
            return { text: textOf(completion, settings), ...tokensOf(completion) }
          }),
        )
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
    ...(request.schema === undefined ? {} : { response_format: responseFormat(request.schema) }),
  }
}

function addressOf(given: string | undefined): string | undefined {
  if (!given) return undefined
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return given
  throw new ConfigError(
    "the environment is invalid: 1 problem",
    [{ path: "OPENAI_BASE_URL", message: `got ${JSON.stringify(given)}; must be an address that begins with http:// or https://` }],
    "Set OPENAI_BASE_URL to the server's address, for example http://127.0.0.1:11434/v1.",
  )
}

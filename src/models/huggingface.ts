import { InferenceClient } from "@huggingface/inference"
import { CredentialError } from "../core/errors.ts"
import type { ModelModule } from "../core/contracts/model.ts"
import { answerOf } from "./_chat-answer.ts"
import { defaultTimeoutMs, guardedCall } from "./_guarded-call.ts"
import { askWithSchema, responseFormat } from "./_structured-answer.ts"

const router = "https://router.huggingface.co/v1"

/**
 * Hugging Face Inference Providers, or an endpoint of one's own that speaks their chat completions
 * (`expand.model.baseUrl`). The router sends a request on to a provider: its host must be in the workspace's
 * allowedHosts.
 */
const module: ModelModule = {
  summary: "Hugging Face Inference Providers, or an inference endpoint of one's own",
  environment: [{ name: "HF_TOKEN", purpose: "token of Hugging Face", secret: true }],
  address: (_environment, baseUrl) => baseUrl ?? router,
  create(environment, options) {
    const token = environment["HF_TOKEN"]
    if (options.baseUrl === undefined && !token)
      throw new CredentialError(
        "Hugging Face needs a token and HF_TOKEN is not set",
        "Set HF_TOKEN in the environment.",
      )
    if (options.baseUrl === undefined && !token?.startsWith("hf_"))
      throw new CredentialError(
        "HF_TOKEN is no token of Hugging Face: those begin with hf_",
        "Make one at https://huggingface.co/settings/tokens.",
      )
    const baseUrl = module.address(environment, options.baseUrl)
    const client = new InferenceClient(token, options.baseUrl === undefined ? {} : { endpointUrl: options.baseUrl })
    const memory = { refusesSchemas: false }
    return {
      name: "huggingface",
      baseUrl,
      async ask(asked, signal, onHeaders) {
        const { fetch, timeoutMs = defaultTimeoutMs } = options
        const key = { variable: "HF_TOKEN", value: token }
        const settings = {
          provider: "huggingface",
          baseUrl,
          model: asked.model,
          fetch,
          timeoutMs,
          signal,
          key,
          onHeaders,
        }
        return askWithSchema(memory, asked, (request) =>
          guardedCall(settings, async (guarded) => {
            const { model, messages, temperature, seed, maxTokens, schema, tools } = request
            const completion = await client.chatCompletion(
              {
                model,
                messages: messages as ChatMessage[],
                temperature,
                seed,
                max_tokens: maxTokens,
                ...(tools === undefined ? {} : { tools: tools as ChatTool[] }),
                ...(schema === undefined ? {} : { response_format: responseFormat(schema) }),
              },
              // Retries are the stage's: the SDK's own would multiply them.
              { signal, retry_on_error: false, fetch: guarded },
            )
            return answerOf(completion, settings)
          }),
        )
      },
    }
  },
}
export default module

type ChatInput = Parameters<InferenceClient["chatCompletion"]>[0]
type ChatMessage = ChatInput["messages"][number]
type ChatTool = NonNullable<ChatInput["tools"]>[number]

import { CredentialError, ProviderError } from "../core/errors.ts"
import type { Embedder } from "../core/asking/embedding.ts"
import { isLoopback } from "../core/asking/prices.ts"
import { defaultTimeoutMs, guardedCall } from "./_guarded-call.ts"

/**
 * Any server that speaks OpenAI's embeddings: OpenAI itself, Ollama, vLLM, llama.cpp, text-embeddings-inference. The
 * key is OPENAI_API_KEY; servers on this machine need none. An answer that does not have one vector for each text is an
 * error, never a shorter list.
 */
export function openEmbedder(
  environment: Readonly<Record<string, string | undefined>>,
  {
    baseUrl,
    fetch,
    timeoutMs = defaultTimeoutMs,
  }: { baseUrl: string; fetch: typeof globalThis.fetch; timeoutMs?: number },
): Embedder {
  const apiKey = environment["OPENAI_API_KEY"]
  if (!apiKey && !isLoopback(baseUrl))
    throw new CredentialError(
      `${new URL(baseUrl).host} needs a key and OPENAI_API_KEY is not set`,
      "Set OPENAI_API_KEY in the environment, or name a server on this machine in build.semantic.baseUrl.",
    )
  return {
    baseUrl,
    async embed({ model, texts, dimensions }, signal, onHeaders) {
      const key = { variable: "OPENAI_API_KEY", value: apiKey }
      return guardedCall(
        { provider: "embeddings", baseUrl, model, fetch, timeoutMs, signal, key, onHeaders, mostBytes },
        async (guarded) => {
          // Numbers as they are: not every server knows the other encoding.
          const body = {
            model,
            input: texts,
            encoding_format: "float",
            ...(dimensions === undefined ? {} : { dimensions }),
          }
          const response = await guarded(`${baseUrl.replace(/\/+$/, "")}/embeddings`, {
            method: "POST",
            headers: { "content-type": "application/json", ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
            body: JSON.stringify(body),
          })
          const answer: unknown = await response.json()
          return { vectors: vectorsOf(answer, texts.length, new URL(baseUrl).host), inputTokens: tokensOf(answer) }
        },
      )
    },
  }
}

/** Of 64 texts, with 8,192 numbers each. */
const mostBytes = 64e6

function vectorsOf(answer: unknown, wanted: number, host: string): Float32Array[] {
  const data = (answer as { data?: unknown } | null)?.data
  const rows = Array.isArray(data) ? (data as ({ index?: unknown; embedding?: unknown } | null)[]) : []
  const vectors = Array<Float32Array | undefined>(wanted).fill(undefined)
  for (const [place, row] of rows.entries()) {
    const { index, embedding } = row ?? {}
    const at = typeof index === "number" ? index : place
    if (!(Number.isInteger(at) && at >= 0 && at < wanted)) continue
    if (Array.isArray(embedding) && embedding.length > 0 && embedding.every(Number.isFinite))
      vectors[at] = Float32Array.from(embedding as number[])
  }
  const whole = vectors.filter((vector) => vector !== undefined)
  const isOfOneLength = whole.every(({ length }) => length === whole[0]?.length)
  if (rows.length === wanted && whole.length === wanted && isOfOneLength) return whole
  throw new ProviderError(`${host} answered ${whole.length} usable vectors for ${wanted} texts`, {
    provider: "embeddings",
    hint: "Check that build.semantic.model is an embedding model and that the server speaks /embeddings.",
  })
}

function tokensOf(answer: unknown): number | null {
  const tokens = (answer as { usage?: { prompt_tokens?: unknown } | null } | null)?.usage?.prompt_tokens
  return typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : null
}

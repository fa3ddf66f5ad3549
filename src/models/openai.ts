import OpenAI from "openai"
import { z } from "zod"
import { addressSchema } from "../core/addresses.ts"
import { ConfigError, CredentialError, ProviderError } from "../core/errors.ts"
import { isTooDeep, parseJson } from "../core/json-text.ts"
import { isLoopback } from "../core/asking/prices.ts"
import { contentFilter, heldBack, unreadAnswer } from "../core/asking/spoken.ts"
import type { BatchProgress, BatchService, ModelModule, ModelRequest } from "../core/contracts/model.ts"
import { isRetryableStatus } from "../core/retry.ts"
import { answerOf } from "./_chat-answer.ts"
import { type CallSettings, defaultTimeoutMs, guardedCall, mostAnswerBytes } from "./_guarded-call.ts"
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
  address: (environment, baseUrl) => baseUrl ?? addressOf(environment["OPENAI_BASE_URL"]) ?? defaultBaseUrl,
  create(environment, options) {
    const baseUrl = module.address(environment, options.baseUrl)
    const variable = options.apiKeyEnv ?? "OPENAI_API_KEY"
    const apiKey = environment[variable]
    if (!apiKey && !isLoopback(baseUrl))
      throw new CredentialError(
        `${new URL(baseUrl).host} needs a key and ${variable} is not set`,
        options.apiKeyEnv === undefined
          ? "Set OPENAI_API_KEY in the environment, or name a server on this machine in expand.model.baseUrl."
          : `Set ${variable} in the environment.`,
      )
    const key = { variable, value: apiKey }
    const { keyHeader } = options
    const call = callsTo({
      baseUrl,
      key,
      keyHeader,
      fetch: options.fetch,
      timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    })
    const memory = { refusesSchemas: false }
    return {
      name: "openai",
      baseUrl,
      ask: async (asked, signal, onHeaders) =>
        askWithSchema(memory, asked, (request) =>
          call({ model: asked.model, signal, onHeaders }, async (client, settings) => {
            const completion = await client.chat.completions.create(bodyOf(request), { signal })
            return answerOf(completion, settings)
          }),
        ),
      batches: batchesOf(call),
    }
  },
}
export default module

type Call = <Result>(
  more: Pick<CallSettings, "signal"> & Partial<CallSettings>,
  work: (client: OpenAI, settings: CallSettings) => Promise<Result>,
) => Promise<Result>

/**
 * Calls of the server, each guarded. Retries are the stage's and the time is the guard's: the SDK's own would multiply
 * them.
 */
function callsTo(server: {
  readonly baseUrl: string
  readonly key: CallSettings["key"]
  readonly keyHeader: string | undefined
  readonly fetch: CallSettings["fetch"]
  readonly timeoutMs: number
}): Call {
  const { baseUrl, key, keyHeader, fetch, timeoutMs } = server
  // A header of null is not sent: the key goes in one header alone.
  const headers = keyHeader === undefined ? {} : { authorization: null, [keyHeader]: key.value || "none" }
  return (more, work) => {
    const settings = { provider: "openai", baseUrl, model: "a batch", fetch, timeoutMs, key, ...more }
    return guardedCall(settings, (guarded) => {
      const client = new OpenAI({
        apiKey: key.value || "none",
        baseURL: baseUrl,
        maxRetries: 0,
        defaultHeaders: headers,
        timeout: 2 * timeoutMs,
        fetch: guarded,
      })
      return work(client, settings)
    })
  }
}

/** OpenAI's batch API: a file of requests, a batch that is found by its metadata, files of results. */
function batchesOf(call: Call): BatchService {
  return {
    submit: (items, submissionKey, signal) =>
      call({ signal }, async (client) => {
        const lines = items.map(({ name, request }) =>
          JSON.stringify({ custom_id: name, method: "POST", url: "/v1/chat/completions", body: bodyOf(request) }),
        )
        const file = await client.files.create({
          file: new File([`${lines.join("\n")}\n`], `${submissionKey}.jsonl`),
          purpose: "batch",
        })
        const batch = await client.batches.create({
          input_file_id: file.id,
          endpoint: "/v1/chat/completions",
          completion_window: "24h",
          metadata: { [submissionLabel]: submissionKey },
        })
        return batch.id
      }),
    find: (submissionKey, signal) =>
      call({ signal }, async (client) => {
        let seen = 0
        for await (const batch of client.batches.list({ limit: 100 })) {
          if (batch.metadata?.[submissionLabel] === submissionKey) return batch.id
          if (++seen > mostBatches)
            throw new ProviderError(`the server lists more than ${mostBatches} batches, and does not end`, {
              provider: "openai",
              mayHaveCost: false,
            })
        }
        return undefined
      }),
    poll: (id, signal) =>
      call({ signal }, async (client, settings) => {
        const batch = await client.batches.retrieve(id)
        const hasEnded = ["completed", "failed", "expired", "cancelled"].includes(batch.status)
        const files = hasEnded ? [batch.output_file_id, batch.error_file_id] : []
        const results = await resultsIn(files, signal, call, settings)
        return {
          status: batch.status,
          hasEnded,
          done: batch.request_counts?.completed ?? 0,
          total: batch.request_counts?.total ?? 0,
          answers: results.filter((result) => "answer" in result),
          failures: results.filter((result) => "message" in result),
          problem: batch.errors?.data?.map(({ message }) => message).join("; "),
        }
      }),
  }
}

async function resultsIn(
  files: readonly (string | null | undefined)[],
  signal: AbortSignal,
  call: Call,
  settings: CallSettings,
): Promise<ReturnType<typeof resultOf>[]> {
  const texts = await Promise.all(
    files
      .filter((file) => typeof file === "string")
      .map((file) =>
        call({ signal, reads: "lines", mostBytes: mostFileBytes }, async (reader) =>
          (await reader.files.content(file)).text(),
        ),
      ),
  )
  return texts
    .flatMap((text) => text.split("\n").filter((line) => line.trim() !== ""))
    .flatMap((line) => {
      // Of a line that is no result nobody knows whose it is: that request has no answer.
      const { data } = resultSchema.safeParse(parseJson(line) ?? plainJson(line))
      if (data === undefined) return []
      const unread = line.length > mostAnswerBytes ? "too long" : isTooDeep(data) ? "nested too deep" : undefined
      return unread !== undefined && data.response?.status_code === 200
        ? [{ name: data.custom_id, answer: unreadAnswer(unread) }]
        : [resultOf(data, settings)]
    })
}

/** A value that may be nested too deep to be gone through; undefined for a text that is no JSON. */
function plainJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** A text cannot be longer in this engine; a batch of 50,000 long answers has less. */
const mostFileBytes = 500e6

/** A list of batches that is longer has no end. */
const mostBatches = 100_000

/** The key in a batch's metadata by which it is found again. */
const submissionLabel = "tuneloop_submission"

const errorSchema = z
  .looseObject({ code: z.string().nullish().catch(null), message: z.string().nullish().catch(null) })
  .nullish()
  .catch(null)
const resultSchema = z.looseObject({
  custom_id: z.string(),
  response: z
    .looseObject({ status_code: z.number().nullish().catch(null), body: z.unknown() })
    .nullish()
    .catch(null),
  error: errorSchema,
})

/** A line of a batch's output file or error file. */
function resultOf(
  line: z.output<typeof resultSchema>,
  settings: CallSettings,
): BatchProgress["answers"][number] | BatchProgress["failures"][number] {
  const { custom_id: name, response, error } = line
  const status = response?.status_code ?? 0
  if (status === 200)
    try {
      return { name, answer: answerOf(response?.body, settings) }
    } catch (problem) {
      return { name, message: (problem as Error).message, isRetryable: false }
    }
  const refused = errorSchema.parse((response?.body as { error?: unknown } | null | undefined)?.error)
  const said = refused?.message ?? error?.message ?? error?.code
  if (refused?.code === contentFilter) return { name, answer: heldBack(said ?? "") }
  return {
    name,
    message: `HTTP ${status || "?"}: ${said ?? "no message"}`,
    isRetryable: error?.code === "batch_expired" || status === 0 || isRetryableStatus(status),
  }
}

function bodyOf(request: ModelRequest): OpenAI.ChatCompletionCreateParamsNonStreaming {
  return {
    model: request.model,
    messages: request.messages as unknown as OpenAI.ChatCompletionMessageParam[],
    temperature: request.temperature,
    max_tokens: request.maxTokens,
    seed: request.seed,
    ...(request.tools === undefined ? {} : { tools: request.tools as OpenAI.ChatCompletionTool[] }),
    ...(request.schema === undefined ? {} : { response_format: responseFormat(request.schema) }),
  }
}

function addressOf(given: string | undefined): string | undefined {
  if (!given) return undefined
  const { error } = addressSchema.safeParse(given)
  if (error === undefined) return given
  const reason = error.issues.map(({ message }) => message).join("; ")
  throw new ConfigError(
    "the environment is invalid: 1 problem",
    [
      {
        path: "OPENAI_BASE_URL",
        // What is no address may still have a password in it.
        message: /[@?]/.test(given) ? reason : `got ${JSON.stringify(given)}; ${reason}`,
      },
    ],
    "Set OPENAI_BASE_URL to the server's address, for example http://127.0.0.1:11434/v1.",
  )
}

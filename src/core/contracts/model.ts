import type { z } from "zod"
import type { Message } from "../task/prompt.ts"
import type { ToolDefinition } from "./format.ts"

/** A question to a model, by content: equal requests have equal digests and are asked once. */
export interface ModelRequest {
  readonly provider: string
  readonly baseUrl: string
  readonly model: string
  readonly messages: readonly Message[]
  readonly temperature: number
  readonly maxTokens: number
  readonly seed: number
  /** What the model may call instead of answering; absent where there is nothing. */
  readonly tools?: readonly ToolDefinition[]
  /**
   * JSON Schema that the answer has to fit. A server that knows none is asked without it, so an answer may still be
   * anything.
   */
  readonly schema?: Readonly<Record<string, unknown>>
}

export interface ModelAnswer {
  /** Empty where the model refused, a rule on content held it back, it ended before a word, or it cannot be read. */
  readonly text: string
  /** What the model thought, where the server parts it from the text. */
  readonly thought?: string
  /** What the model said instead of an answer, where the server says that it refused. */
  readonly refusal?: string
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  /** Why the answer ended, in the server's word (`stop`, `length`); absent where it did not say. */
  readonly finish?: string
  /** The server refused the request's schema, and answered without it. */
  readonly schemaRefused?: true
  /** A count of tokens that the server stated cannot be true, and stands as null. */
  readonly countsRefused?: true
}

/** What a server says beside its answer. */
export interface ResponseHeaders {
  get(name: string): string | null
}

/**
 * A way to ask a model. `ask` makes one call and never retries: the retry policy is the stage's. Only a server that
 * refuses a request's schema is asked once more without it. `onHeaders` gets the headers of whatever the server
 * answers, an error as well.
 */
export interface ChatModel {
  readonly name: string
  ask(request: ModelRequest, signal: AbortSignal, onHeaders?: (headers: ResponseHeaders) => void): Promise<ModelAnswer>
  /** Present where the provider answers many requests together, later and often cheaper. */
  readonly batches?: BatchService
}

/**
 * Batches of requests at a provider. Nothing is tried twice here: `submit` is repeated only after `find` found nothing.
 */
export interface BatchService {
  /** The provider's id of the new batch. */
  submit(items: readonly BatchItem[], submissionKey: string, signal: AbortSignal): Promise<string>
  /** The id of the batch that was submitted under the key; undefined where there is none. */
  find(submissionKey: string, signal: AbortSignal): Promise<string | undefined>
  /** How far it is, and what came of it when it has ended: a batch that expired has answers as well. */
  poll(id: string, signal: AbortSignal): Promise<BatchProgress>
}

/** A request of a batch by its name there. */
export interface BatchItem {
  readonly name: string
  readonly request: ModelRequest
}

export interface BatchProgress {
  /** The provider's own word. */
  readonly status: string
  readonly hasEnded: boolean
  readonly done: number
  readonly total: number
  readonly answers: readonly { readonly name: string; readonly answer: ModelAnswer }[]
  readonly failures: readonly { readonly name: string; readonly message: string; readonly isRetryable: boolean }[]
  /** Why the batch as a whole came to nothing. */
  readonly problem: string | undefined
}

/**
 * The default export of a file in models/, whose name is the provider's id. A model asks through the fetch that it is
 * given, and reads a file that its environment names through `readText`.
 */
export interface ModelModule {
  readonly summary: string
  readonly environment: readonly { readonly name: string; readonly purpose: string; readonly secret?: boolean }[]
  /** Where it would be asked; needs no key. `baseUrl` is what the specification names. */
  address(environment: Readonly<Record<string, string | undefined>>, baseUrl?: string): string
  create(
    environment: Readonly<Record<string, string | undefined>>,
    options: {
      baseUrl?: string | undefined
      fetch: typeof globalThis.fetch
      /** The text of a file; throws where it cannot be read. */
      readText: (path: string) => string
      timeoutMs?: number
      /** The variable with the key, where it is another than the provider's own. */
      apiKeyEnv?: string | undefined
      /** The header that carries the key, where it is another than the provider's own. */
      keyHeader?: string | undefined
    },
  ): ChatModel & { readonly baseUrl: string }
}

export type OptionsSchema = z.ZodType<Record<string, unknown>>

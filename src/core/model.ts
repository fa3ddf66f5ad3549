import type { z } from "zod"
import type { Message } from "./prompt.ts"

/** A question to a model, by content: equal requests have equal digests and are asked once. */
export interface ModelRequest {
  readonly provider: string
  readonly baseUrl: string
  readonly model: string
  readonly messages: readonly Message[]
  readonly temperature: number
  readonly maxTokens: number
  readonly seed: number
  /** JSON Schema that the answer has to fit. A server that knows none is asked without it, so an answer may still be anything. */
  readonly schema?: Readonly<Record<string, unknown>>
}

export interface ModelAnswer {
  readonly text: string
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  /** The server refused the request's schema, and answered without it. */
  readonly schemaRefused?: true
}

/** What a server says beside its answer. */
export interface ResponseHeaders {
  get(name: string): string | null
}

/** A way to ask a model. `ask` makes one call and never retries: the retry policy is the stage's. Only a server that refuses a request's schema is asked once more without it. `onHeaders` gets the headers of whatever the server answers, an error as well. */
export interface ChatModel {
  readonly name: string
  ask(request: ModelRequest, signal: AbortSignal, onHeaders?: (headers: ResponseHeaders) => void): Promise<ModelAnswer>
}

/** The default export of a file in models/, whose name is the provider's id. A model asks through the fetch that it is given. */
export interface ModelModule {
  readonly summary: string
  readonly environment: readonly { readonly name: string; readonly purpose: string; readonly secret?: boolean }[]
  create(
    environment: Readonly<Record<string, string | undefined>>,
    options: { baseUrl?: string | undefined; fetch: typeof globalThis.fetch; timeoutMs?: number },
  ): ChatModel & { readonly baseUrl: string }
}

export type OptionsSchema = z.ZodType<Record<string, unknown>>

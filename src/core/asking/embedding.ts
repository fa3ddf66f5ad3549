import type { ModelRequest, ResponseHeaders } from "../contracts/model.ts"

/** Texts to be turned into vectors by one call. */
export interface EmbeddingRequest {
  readonly model: string
  readonly texts: readonly string[]
  /** How long the vectors shall be, where the model can choose. */
  readonly dimensions: number | undefined
}

export interface EmbeddingAnswer {
  /** One vector a text, in their order, all of one length. */
  readonly vectors: readonly Float32Array[]
  /** Of all texts together; null where the server does not say. */
  readonly inputTokens: number | null
}

/** A way to turn texts into vectors. `embed` makes one call and never retries: the retry policy is the stage's. */
export interface Embedder {
  readonly baseUrl: string
  embed(
    request: EmbeddingRequest,
    signal: AbortSignal,
    onHeaders?: (headers: ResponseHeaders) => void,
  ): Promise<EmbeddingAnswer>
}

/**
 * The question for one text as the ledger keeps it: equal texts have equal digests and are asked once, in whatever
 * batch they go.
 */
export function embeddingRequest(
  baseUrl: string,
  model: string,
  dimensions: number | undefined,
  text: string,
): ModelRequest {
  return {
    provider: dimensions === undefined ? "embeddings" : `embeddings:${dimensions}`,
    baseUrl,
    model,
    messages: [{ role: "user", content: text }],
    temperature: 0,
    maxTokens: 0,
    seed: 0,
  }
}

/**
 * The vector as the text of an answer: its direction in 16-bit floats, which move a cosine by less than a thousandth,
 * in Base64.
 */
export function vectorToText(vector: Float32Array): string {
  const bytes = new Uint8Array(Float16Array.from(unit(vector)).buffer)
  let text = ""
  for (let start = 0; start < bytes.length; start += chunk)
    text += String.fromCharCode(...bytes.subarray(start, start + chunk))
  return btoa(text)
}
const chunk = 0x8000

/** The direction that `vectorToText` wrote, of length 1. */
export function vectorOfText(text: string): Float32Array {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  return unit(Float32Array.from(new Float16Array(bytes.buffer)))
}

/** The vector of length 1 in the same direction; one of zeros stays. */
function unit(vector: Float32Array): Float32Array {
  let squares = 0
  for (const value of vector) squares += value * value
  return squares === 0 ? vector : vector.map((value) => value / Math.sqrt(squares))
}

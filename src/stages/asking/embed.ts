import { digest } from "../../core/canonical.ts"
import { embeddingRequest, vectorOfText, vectorToText, type Embedder } from "../../core/asking/embedding.ts"
import type { ModelAnswer, ResponseHeaders } from "../../core/contracts/model.ts"
import type { StageContext } from "../context.ts"
import { askAll } from "./ask.ts"
import type { Asking } from "./asking.ts"
import { type Answerer, type Call, type KeyedRequest, requireAllowedHost } from "./request.ts"

/**
 * So many texts go in one call, and so many characters, unless one text has more: servers take 2,048 texts or fewer,
 * and refuse long bodies.
 */
const mostTexts = 64
const mostCharacters = 100_000

export interface EmbeddingSettings {
  readonly model: string
  readonly dimensions?: number | undefined
}

/** A text, and the ids of the rows that say it. */
export interface EmbeddedText {
  readonly text: string
  readonly rows: readonly string[]
}

/**
 * The vector of each text, in their order, of length 1: from the ledger, or asked now. A text is never asked for twice,
 * whatever call it was in; each is in the ledger, at its worst case, before it is sent, and ceilings on cost hold.
 * Throws a GateError where the texts may not go to the host.
 */
export async function embedTexts(
  context: StageContext,
  asking: Asking,
  { model, dimensions }: EmbeddingSettings,
  texts: readonly EmbeddedText[],
  embedder: Embedder,
): Promise<Float32Array[]> {
  requireAllowedHost(context, embedder.baseUrl)
  const keys = new Map<string, string>()
  const requests: KeyedRequest[] = []
  const rowsOf = Map.groupBy(texts, ({ text }) => text)
  for (const [text, said] of rowsOf) {
    const request = embeddingRequest(embedder.baseUrl, model, dimensions, text)
    const key = digest(request)
    keys.set(text, key)
    requests.push({ key, request, rows: [...new Set(said.flatMap(({ rows }) => rows))] })
  }
  const open = () => embeddingAnswerer(embedder, dimensions)
  const answers = await askAll(context, { purpose: "embeddings", requests, open, asking })
  const vectors = new Map([...answers].map(([key, { text }]) => [key, vectorOfText(text)]))
  return texts.map(({ text }) => vectors.get(keys.get(text) ?? "") ?? new Float32Array())
}

/** An embedder answers many texts in one call. */
function embeddingAnswerer(embedder: Embedder, dimensions: number | undefined): Answerer {
  return {
    name: "embeddings",
    counted: "texts",
    callsOf: (requests) => groupsOf(requests).map((group) => embeddingCall(embedder, dimensions, group)),
  }
}

function embeddingCall(embedder: Embedder, dimensions: number | undefined, requests: readonly KeyedRequest[]): Call {
  const texts = requests.map(textOf)
  const send = async (
    signal: AbortSignal,
    onHeaders: (headers: ResponseHeaders) => void,
  ): Promise<readonly ModelAnswer[]> => {
    const model = requests[0]?.request.model ?? ""
    const { vectors, inputTokens } = await embedder.embed({ model, texts, dimensions }, signal, onHeaders)
    const tokens = sharesOf(
      inputTokens,
      texts.map((text) => text.length),
    )
    return vectors.map((vector, place) => ({
      text: vectorToText(vector),
      inputTokens: tokens[place] ?? null,
      outputTokens: 0,
    }))
  }
  return { requests, send }
}

function textOf({ request }: KeyedRequest): string {
  const content = request.messages[0]?.content
  return typeof content === "string" ? content : ""
}

function groupsOf(requests: readonly KeyedRequest[]): KeyedRequest[][] {
  const groups: KeyedRequest[][] = []
  let characters = 0
  for (const keyed of requests) {
    const { length } = textOf(keyed)
    const last = groups.at(-1)
    if (last === undefined || last.length >= mostTexts || characters + length > mostCharacters) {
      groups.push([keyed])
      characters = length
    } else {
      last.push(keyed)
      characters += length
    }
  }
  return groups
}

/** What the server counted for all, shared out by length, in whole tokens that add up to it. */
function sharesOf(total: number | null, lengths: readonly number[]): (number | null)[] {
  if (total === null) return lengths.map(() => null)
  const all = lengths.reduce((sum, length) => sum + length, 0) || 1
  let seen = 0
  let given = 0
  return lengths.map((length) => {
    seen += length
    const upTo = Math.round((total * seen) / all)
    const share = upTo - given
    given = upTo
    return share
  })
}

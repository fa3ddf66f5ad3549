import { z } from "zod"
import type { TrainingPrice } from "../contracts/backend.ts"
import type { ModelAnswer, ModelRequest } from "../contracts/model.ts"
import { hostOf, isMeant } from "./model-match.ts"

/** The file of prices, of the package and of a workspace. */
export const pricesSchema = z.strictObject({
  models: z.array(
    z.strictObject({
      match: z
        .string()
        .min(1)
        .describe("The model's name at the server; its dated snapshots count as well, and * stands for any text"),
      host: z.string().min(1).optional().describe("The host that asks this price; without it, any host"),
      inputUsd: z.number().min(0).describe("US dollars for a million input tokens"),
      outputUsd: z.number().min(0).describe("US dollars for a million output tokens"),
      batchShare: z
        .number()
        .gt(0)
        .lte(1)
        .optional()
        .describe("What a batch costs of that, 0.5 for half; without it, batches cost the same"),
      asOf: z.iso.date().describe("The day for which the price is known"),
      source: z.string().min(1).describe("Where it is written"),
    }),
  ),
  training: z
    .array(
      z.strictObject({
        match: z.string().min(1).describe("The base model's name at the service; * stands for any text"),
        host: z.string().min(1).optional().describe("The host that asks this price; without it, any host"),
        usdPerMillionTokens: z.number().min(0).describe("US dollars for a million trained tokens, epochs counted"),
        asOf: z.iso.date().describe("The day for which the price is known"),
        source: z.string().min(1).describe("Where it is written"),
      }),
    )
    .default([]),
  serving: z
    .array(
      z.strictObject({
        service: z.string().min(1).describe("The backend, or its profile, that serves tuned models"),
        usdPerHour: z.number().min(0).describe("US dollars an hour, whether the model is asked or idle"),
        hardware: z.string().min(1).optional().describe("The machine that asks this price"),
        asOf: z.iso.date().describe("The day for which the price is known"),
        source: z.string().min(1).describe("Where it is written"),
      }),
    )
    .default([]),
})
export type PriceEntry = z.output<typeof pricesSchema>["models"][number]

/** What a model costs, in US dollars for a million tokens. */
export interface Price {
  readonly inputUsd: number
  readonly outputUsd: number
  readonly batchShare: number
  readonly asOf?: string
  readonly source: string
}

/**
 * The prices that count: those of the workspace, then nothing for servers on this machine, then those of the package.
 */
export interface PriceBook {
  readonly own: readonly PriceEntry[]
  readonly packaged: readonly PriceEntry[]
}

/** The price of the model at the address; undefined where nobody wrote one down: an unknown price is not zero. */
export function priceOf(asked: Pick<ModelRequest, "baseUrl" | "model">, book: PriceBook): Price | undefined {
  const host = hostOf(asked.baseUrl)
  const entry = (entries: readonly PriceEntry[]) => entries.find((candidate) => isMeant(candidate, asked.model, host))
  const found = entry(book.own) ?? (isLoopback(asked.baseUrl) ? onThisMachine : entry(book.packaged))
  return found && { ...found, batchShare: found.batchShare ?? 1 }
}

/** The prices of training, those of the workspace before those of the package. */
export type TrainingPriceBook = readonly TrainingPrice[]

/** The price of training on the model at the address; undefined where nobody wrote one down. */
export function trainingPriceOf(
  { baseUrl, model }: { readonly baseUrl: string; readonly model: string },
  book: TrainingPriceBook,
): TrainingPrice | undefined {
  return book.find((entry) => isMeant(entry, model, hostOf(baseUrl)))
}

/** US dollars for the tokens. */
export function costUsd(
  price: Price,
  tokens: { readonly inputTokens: number; readonly outputTokens: number },
  isBatch = false,
): number {
  return (
    ((tokens.inputTokens * price.inputUsd + tokens.outputTokens * price.outputUsd) / 1e6) *
    (isBatch ? price.batchShare : 1)
  )
}

/** The most that the request can cost: every token of input that it may have, and the longest answer. */
export function worstCaseUsd(price: Price, request: ModelRequest, isBatch = false): number {
  return costUsd(price, worstCaseTokens(request), isBatch)
}

/**
 * What the answer cost by the tokens that the server counted; tokens that it did not count are taken at their worst.
 */
export function answerCostUsd(price: Price, request: ModelRequest, answer: ModelAnswer, isBatch = false): number {
  const worst = worstCaseTokens(request)
  const tokens = {
    inputTokens: answer.inputTokens ?? worst.inputTokens,
    outputTokens: answer.outputTokens ?? worst.outputTokens,
  }
  return costUsd(price, tokens, isBatch)
}

/**
 * Bounds from above. A tokenizer that falls back to bytes never makes more tokens than there are UTF-8 bytes; a chat
 * template adds its marks to each message, and some add a system message of their own.
 */
export function worstCaseTokens(request: ModelRequest): {
  readonly inputTokens: number
  readonly outputTokens: number
} {
  const texts = [
    ...request.messages.map((message) => JSON.stringify(message)),
    ...(request.schema ? [JSON.stringify(request.schema)] : []),
    // Templates may print tools with indents.
    ...(request.tools ? [JSON.stringify(request.tools, null, 4)] : []),
  ]
  const bytes = texts.reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0)
  return {
    inputTokens:
      bytes + marksPerMessage * request.messages.length + marksPerRequest + (request.tools ? instructionsForTools : 0),
    outputTokens: request.maxTokens,
  }
}
const marksPerMessage = 8
const marksPerRequest = 64
/** A template that is given tools says in its own words how they are called: Qwen 3 in about 150 tokens. */
const instructionsForTools = 512

/** Whether the address is this machine's own. */
export function isLoopback(url: string): boolean {
  return ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname)
}

const onThisMachine = { inputUsd: 0, outputUsd: 0, batchShare: 1, source: "a server on this machine" }

import type { DatabaseSync } from "node:sqlite"
import { z } from "zod"
import type { ToolDefinition } from "../../core/contracts/format.ts"
import type { ModelAnswer, ModelRequest } from "../../core/contracts/model.ts"
import type { Message } from "../../core/task/prompt.ts"
import { parseJson } from "../../core/json-text.ts"
import { readKept, type Kept } from "./kept-json.ts"

/** What stands in the place of a request that was erased. */
export const erasedRequest = '{"erased":true}'

/** An answer as it was recorded. */
export const answerSchema: z.ZodType<ModelAnswer> = z.looseObject({
  text: z.string(),
  thought: z.string().optional(),
  refusal: z.string().optional(),
  inputTokens: z.number().nullable(),
  outputTokens: z.number().nullable(),
  schemaRefused: z.literal(true).optional(),
  countsRefused: z.literal(true).optional(),
  finish: z.string().optional(),
})

// What else a turn has stays as it was sent; one that calls tools may say nothing.
const turnSchema = z.looseObject({ role: z.enum(["system", "user", "assistant", "tool"]) })
const messageSchema = z.custom<Message>((turn) => turnSchema.safeParse(turn).success, "expected a turn {role, content}")

/** A request as it was recorded. */
export const requestSchema: z.ZodType<ModelRequest> = z.looseObject({
  provider: z.string(),
  baseUrl: z.string(),
  model: z.string(),
  messages: z.array(messageSchema),
  temperature: z.number(),
  maxTokens: z.number(),
  seed: z.number(),
  tools: z.array(z.custom<ToolDefinition>((tool) => typeof tool === "object" && tool !== null)).optional(),
  schema: z.record(z.string(), z.unknown()).optional(),
})

export function keptRequest(key: string, text: string): Kept {
  return { name: `request ${key}`, value: parseJson(text) }
}

export function keptAnswer(key: string, text: string): Kept {
  return { name: `the answer to request ${key}`, value: parseJson(text) }
}

/** The answer to the request with the key. */
export function parseAnswer(database: DatabaseSync, key: string, text: string): ModelAnswer {
  return readKept(database, keptAnswer(key, text), answerSchema)
}

/** The request with the key; undefined where an erasure took what it said. */
export function parseRequest(database: DatabaseSync, key: string, text: string): ModelRequest | undefined {
  return text === erasedRequest ? undefined : readKept(database, keptRequest(key, text), requestSchema)
}

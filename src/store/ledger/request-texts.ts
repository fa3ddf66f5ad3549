import { z } from "zod"
import type { ModelAnswer, ModelRequest } from "../../core/contracts/model.ts"

/** What stands in the place of a request that was erased. */
export const erasedRequest = '{"erased":true}'

const answerSchema = z.looseObject({
  text: z.string(),
  inputTokens: z.number().nullable(),
  outputTokens: z.number().nullable(),
})

/** The answer as it was recorded. */
export function parseAnswer(text: string): ModelAnswer {
  return answerSchema.parse(JSON.parse(text))
}

/** The request as it was recorded; undefined where an erasure took what it said. */
export function parseRequest(text: string): ModelRequest | undefined {
  // It is what its key digests, which `verify` checks.
  return text === erasedRequest ? undefined : (JSON.parse(text) as ModelRequest)
}

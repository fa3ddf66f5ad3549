import { ProviderError } from "../core/errors.ts"
import type { ModelAnswer, ModelRequest } from "../core/contracts/model.ts"

type Schema = Readonly<Record<string, unknown>>

/**
 * The answer to the request. A server that refuses the schema (HTTP 400 or 422 that speaks of it) is asked again
 * without it, and from then on no more with one: the answer says so.
 */
export async function askWithSchema(
  memory: { refusesSchemas: boolean },
  request: ModelRequest,
  ask: (request: ModelRequest) => Promise<ModelAnswer>,
): Promise<ModelAnswer> {
  const { schema, ...plain } = request
  if (schema === undefined) return ask(request)
  if (!memory.refusesSchemas)
    try {
      return await ask(request)
    } catch (error) {
      if (!isRefusal(error)) throw error
      memory.refusesSchemas = true
    }
  return { ...(await ask(plain)), schemaRefused: true }
}

/**
 * The schema as chat completions take it: https://developers.openai.com/api/docs/guides/structured-outputs. A schema
 * that OpenAI would not take as strict is sent as a wish.
 */
export function responseFormat(schema: Schema): {
  type: "json_schema"
  json_schema: { name: string; strict: boolean; schema: Record<string, unknown> }
} {
  return { type: "json_schema", json_schema: { name: "answer", strict: isStrict(schema), schema: { ...schema } } }
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof ProviderError &&
    (error.status === 400 || error.status === 422) &&
    /response.?format|json.?schema|guided|grammar|structured/i.test(error.message)
  )
}

/** Whether every object in the schema names all of its keys as required and allows no other. */
function isStrict(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isStrict)
  if (typeof schema !== "object" || schema === null) return true
  const { type, properties, required, additionalProperties } = schema as Schema
  if (type === "object") {
    const keys = Object.keys((properties ?? {}) as object)
    if (additionalProperties !== false || !Array.isArray(required) || keys.some((key) => !required.includes(key)))
      return false
  }
  return Object.values(schema).every(isStrict)
}

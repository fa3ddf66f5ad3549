import type { z } from "zod"
import type { Issue } from "./errors.ts"
import { formatPath, issuesOf } from "./parse.ts"

/** Where a value stands. */
export type Place = Pick<Issue, "file" | "line">

export type Parsed<Value> = { readonly value: Value } | { readonly issues: Issue[] }

/** What was read, by its schema, or all that is wrong with it, each with the place. Undefined stands for no JSON. */
export function parseValue<Value>(schema: z.ZodType<Value>, read: unknown, place: Place = {}): Parsed<Value> {
  if (read === undefined) return { issues: [{ ...place, message: "not valid JSON" }] }
  const result = schema.safeParse(read)
  if (result.success) return { value: result.data }
  return {
    issues: issuesOf(schema, result.error, read).map(({ path, message }) => ({
      ...place,
      path: formatPath(path),
      message,
    })),
  }
}

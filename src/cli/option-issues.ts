import type { z } from "zod"
import { issuesOf, type PathIssue } from "../core/parse.ts"

/** The problems of a plug-in's options against its own schema. */
export function optionIssues(schema: z.ZodType, value: unknown): PathIssue[] {
  const result = schema.safeParse(value)
  return result.success ? [] : issuesOf(schema, result.error, value)
}

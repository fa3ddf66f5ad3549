import type { z } from "zod"
import { DataError, type Issue } from "../../core/errors.ts"
import { parseJson } from "../../core/json-text.ts"
import { formatPath, issuesOf } from "../../core/parse.ts"
import { readText } from "./files.ts"

/** What a JSON file of ours holds, by its schema; a DataError names the file and what is wrong with it. */
export function readJsonFile<Value>(file: string, schema: z.ZodType<Value>): Value {
  const value = parseJson(readText(file))
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issues: Issue[] =
    value === undefined
      ? [{ file, message: "is not JSON" }]
      : issuesOf(schema, parsed.error, value).map(({ path, message }) => ({ file, path: formatPath(path), message }))
  throw new DataError(
    `${file} cannot be read`,
    issues,
    "Bring it back from a copy, or move the folder it lies in away.",
  )
}

import type { z } from "zod"
import { DataError, type Issue } from "../../core/errors.ts"
import { parseJson } from "../../core/json-text.ts"
import { parseValue, type Parsed, type Place } from "../../core/parse-value.ts"
import { readLines } from "./files.ts"

/** The rows of a JSONL file of ours, by their schema; a DataError names each line that is no such row. */
export function readJsonLines<Row>(path: string, schema: z.ZodType<Row>): Row[] {
  const rows: Row[] = []
  const issues: Issue[] = []
  for (const { text, number } of readLines(path)) {
    if (text.trim() === "") continue
    const parsed = parseLine(schema, text, { file: path, line: number })
    if ("issues" in parsed) issues.push(...parsed.issues)
    else rows.push(parsed.value)
  }
  requireSound(path, issues)
  return rows
}

/** The row of a line, or all that is wrong with it, each with the place of the line. */
export function parseLine<Row>(schema: z.ZodType<Row>, text: string, place: Place): Parsed<Row> {
  return parseValue(schema, parseJson(text), place)
}

/** Throws where lines of the file are damaged. */
export function requireSound(file: string, issues: readonly Issue[]): void {
  if (issues.length > 0)
    throw new DataError(`${file} is invalid`, issues, "Mend those lines (git shows what changed), or restore the file.")
}

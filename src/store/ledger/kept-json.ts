import type { DatabaseSync } from "node:sqlite"
import type { z } from "zod"
import { DataError, formatIssue } from "../../core/errors.ts"
import { parseJson } from "../../core/json-text.ts"
import { sentEventSchema } from "../../core/training/run-event-schema.ts"
import type { SentEvent } from "../../core/training/run.ts"
import { parseValue } from "../../core/parse-value.ts"

/** A row of the ledger that says something in JSON: how people are told of it, and what it says. */
export interface Kept {
  readonly name: string
  /** Undefined where it is no JSON. */
  readonly value: unknown
}

/** What the ledger keeps, by its schema; a DataError names the file and the row. */
export function readKept<Value>(database: DatabaseSync, { name, value }: Kept, schema: z.ZodType<Value>): Value {
  const parsed = parseValue(schema, value)
  if ("value" in parsed) return parsed.value
  const file = database.location() ?? "the ledger"
  throw new DataError(
    "the ledger is damaged",
    parsed.issues.map((issue) => ({ file, message: `${name}: ${formatIssue(issue)}` })),
    "Restore the file from a copy; `tuneloop ledger verify` lists all that is damaged.",
  )
}

/** What is wrong with it; empty where nothing is. */
export function problemsOf({ name, value }: Kept, schema: z.ZodType): string[] {
  const parsed = parseValue(schema, value)
  return "value" in parsed ? [] : parsed.issues.map((issue) => `${name}: ${formatIssue(issue)}`)
}

export interface EventRow {
  readonly sequence: number
  readonly type: string
  readonly body: string
}

/** The event of a run: its type has a column of its own. */
export function keptEvent(run: string, { sequence, type, body }: EventRow): Kept {
  const value = parseJson(body)
  const isObject = typeof value === "object" && value !== null
  return { name: `run ${run}, event ${sequence}`, value: isObject ? { type, ...value } : undefined }
}

export function readEvent(database: DatabaseSync, run: string, row: EventRow): SentEvent {
  return readKept(database, keptEvent(run, row), sentEventSchema)
}

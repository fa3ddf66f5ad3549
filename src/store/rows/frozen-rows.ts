import { parseJson } from "../../core/json-text.ts"
import { show } from "../../core/parse.ts"
import type { DroppedExample, Example, Preference } from "../../core/rows/example.ts"

/** What a row is in each file of a version or holdout. */
export interface FrozenRows {
  readonly "train.jsonl": Example
  readonly "validation.jsonl": Example
  readonly "test.jsonl": Example
  readonly "dropped.jsonl": DroppedExample
  readonly "preferences.jsonl": Preference
}

/**
 * The row of a line, or what is wrong with it. A version has a million rows, so each is looked at by hand: a schema
 * takes longer than reading them.
 */
export function parseFrozenRow<File extends keyof FrozenRows>(
  file: File,
  text: string,
): { readonly row: FrozenRows[File] } | { readonly problem: string; readonly path?: string } {
  const row = parseJson(text)
  if (row === undefined) return { problem: "not valid JSON" }
  return isFrozenRow(file, row) ? { row } : firstProblem(file, row)
}

function isFrozenRow<File extends keyof FrozenRows>(file: File, row: unknown): row is FrozenRows[File] {
  if (!isObject(row) || typeof row["id"] !== "string" || !isObject(row["input"])) return false
  return isProvenance(row["provenance"]) && hasOwnFields(file, row)
}

function isProvenance(value: unknown): boolean {
  if (!isObject(value)) return false
  const { parents, strategy, acceptedBy, model, request, source, correctedBy, group } = value
  return (
    Array.isArray(parents) &&
    parents.every(isText) &&
    isText(strategy) &&
    isText(acceptedBy) &&
    [model, request, source, correctedBy, group].every((field) => field === undefined || isText(field))
  )
}

function hasOwnFields(file: keyof FrozenRows, row: Fields): boolean {
  if (file === "preferences.jsonl") return row["chosen"] !== undefined && row["rejected"] !== undefined
  if (file !== "dropped.jsonl") return row["output"] !== undefined
  const { reason, witness, similarity, detail } = row
  return (
    isText(reason) &&
    (witness === undefined || isText(witness)) &&
    (similarity === undefined || typeof similarity === "number") &&
    (detail === undefined || isText(detail))
  )
}

/** Of a row that is none: the field that keeps it from being one. */
function firstProblem(file: keyof FrozenRows, row: unknown): { readonly problem: string; readonly path?: string } {
  if (!isObject(row)) return { problem: `expected an object, got ${show(row)}` }
  if (!isText(row["id"])) return { path: "id", problem: `expected a text, got ${show(row["id"])}` }
  if (!isObject(row["input"])) return { path: "input", problem: `expected an object, got ${show(row["input"])}` }
  if (!isProvenance(row["provenance"]))
    return {
      path: "provenance",
      problem: `expected parents, strategy and acceptedBy as they were frozen, got ${show(row["provenance"])}`,
    }
  const own = ownFields(file)
  const got = own.map((field) => `${field} ${show(row[field])}`).join(", ")
  return { problem: `expected ${own.join(" and ")} as they were frozen, got ${got}` }
}

function ownFields(file: keyof FrozenRows): readonly string[] {
  if (file === "preferences.jsonl") return ["chosen", "rejected"]
  return file === "dropped.jsonl" ? ["reason", "witness", "similarity", "detail"] : ["output"]
}

type Fields = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === "string"
}

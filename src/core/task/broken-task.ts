import type { z } from "zod"
import type { PathIssue } from "../parse.ts"
import { schemaProblems } from "./json-schema.ts"
import { taskSchema, type TaskSpecification } from "./task.ts"

const mostRounds = 5

/**
 * A specification that its schema refuses, without the parts that it refuses, so that the rest can be checked as well;
 * undefined where too little is left. `paths` are the parts that were taken out.
 */
export function withoutBrokenParts(
  raw: unknown,
): { readonly task: TaskSpecification; readonly paths: readonly (readonly PropertyKey[])[] } | undefined {
  const mended: unknown = structuredClone(raw)
  const paths: PropertyKey[][] = []
  for (let round = 0; round < mostRounds; round += 1) {
    const result = taskSchema.safeParse(mended)
    if (result.success) return { task: result.data, paths }
    for (const issue of result.error.issues)
      for (const path of brokenPaths(issue)) {
        if (!takeOut(mended, path)) return undefined
        paths.push(path)
      }
  }
  return undefined
}

/** Whether the issue is about one of the parts that were taken out, or what holds one. */
export function isAbout({ path }: PathIssue, parts: readonly (readonly PropertyKey[])[]): boolean {
  return parts.some((part) => part.every((step, index) => index >= path.length || step === path[index]))
}

/** What is wrong with the JSON Schema in a specification of which nothing else can be read. */
export function looseSchemaIssues(raw: unknown): PathIssue[] {
  const schema = at(raw, ["output", "schema"])
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return []
  return schemaProblems(schema as Record<string, unknown>).map(({ path, message }) => ({
    path: ["output", "schema", ...path],
    message,
  }))
}

function brokenPaths(issue: z.core.$ZodIssue): PropertyKey[][] {
  return issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [[...issue.path]]
}

/** What may be missing and says nothing to the checks. */
const fillers: Readonly<Record<string, unknown>> = { description: "-", task: "task" }

function takeOut(root: unknown, path: readonly PropertyKey[]): boolean {
  const key = path.at(-1)
  const holder = at(root, path.slice(0, -1))
  if (key === undefined || typeof holder !== "object" || holder === null) return false
  const parent = holder as Record<PropertyKey, unknown>
  if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else if (parent[key] !== undefined) delete parent[key]
  else if (typeof key === "string" && key in fillers) parent[key] = fillers[key]
  else return false
  return true
}

function at(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[step] : undefined,
    root,
  )
}

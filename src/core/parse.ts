import { LineCounter, parseDocument, isMap, isScalar, isSeq, type Document, type Node } from "yaml"
import { z } from "zod"
import { ConfigError, type Issue } from "./errors.ts"

/** The YAML text as a value of the schema; a ConfigError lists every problem at once, each with file, line, path, the value got and the values allowed. */
export function parseYaml<Schema extends z.ZodType>(schema: Schema, text: string, file: string, hint: string): z.output<Schema> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    const issues = document.errors.map((error) => ({ file, line: lines.linePos(error.pos[0]).line, message: error.message.split("\n")[0] ?? "" }))
    throw new ConfigError(`${file} is not valid YAML`, issues, hint)
  }
  const value: unknown = document.toJS()
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issues = result.error.issues.flatMap(flatten).map((issue) => ({
    file,
    line: lineOf(document, lines, issue.path, issue.code === "unrecognized_keys" ? issue.keys[0] : undefined),
    path: formatPath(issue.path),
    message: describeIssue(issue, value),
  }))
  throw new ConfigError(`${file} is invalid: ${issues.length === 1 ? "1 problem" : `${issues.length} problems`}`, issues, hint)
}

/** The problems of a value against a schema, without a place in a file; empty when the value is valid. */
export function issuesOf(error: z.ZodError, value: unknown): Issue[] {
  return error.issues.flatMap(flatten).map((issue) => ({ path: formatPath(issue.path), message: describeIssue(issue, value) }))
}

/** `a.b[0].c`; empty for the document itself. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`)).join("")
}

/** The value as short JSON for a message: at most 60 characters. */
export function show(value: unknown): string {
  const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value))
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

/** The word of `allowed` that was probably meant, for "did you mean"; undefined when none is near. */
export function nearest(word: string, allowed: readonly string[]): string | undefined {
  const scored = allowed.map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
  const best = scored.sort((a, b) => a.distance - b.distance)[0]
  return best && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined
}

type ZodIssue = z.core.$ZodIssue

/** A union reports one issue holding a list a branch; the branch with the deepest progress says most. */
function flatten(issue: ZodIssue): ZodIssue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue]
  const branches = issue.errors.filter((branch) => !branch.some((inner) => inner.path.length === 0 && inner.code === "invalid_type"))
  const best = branches.length === 1 ? branches[0] : undefined
  return best ? best.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] } as ZodIssue)) : [issue]
}

function describeIssue(issue: ZodIssue, root: unknown): string {
  const got = valueAt(root, issue.path)
  switch (issue.code) {
    case "unrecognized_keys": {
      const parent = got as Record<string, unknown>
      const known = Object.keys(parent).filter((key) => !issue.keys.includes(key))
      const allowed = allowedKeys(issue) ?? known
      return issue.keys
        .map((key) => {
          const meant = nearest(key, allowed)
          return `unknown key ${show(key)}${meant ? `; did you mean ${show(meant)}?` : ""}`
        })
        .join("; ")
    }
    case "invalid_type":
      return got === undefined ? `missing; expected ${withArticle(issue.expected)}` : `expected ${withArticle(issue.expected)}, got ${show(got)}`
    case "invalid_value": {
      const meant = typeof got === "string" ? nearest(got, issue.values.map(String)) : undefined
      const prefix = got === undefined ? "missing" : `got ${show(got)}`
      return `${prefix}; allowed: ${issue.values.map((value) => String(value)).join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`
    }
    case "invalid_union": {
      const discriminator = (issue as { discriminator?: string }).discriminator
      const options = (issue as { options?: readonly unknown[] }).options
      if (discriminator !== undefined) return `got ${show(valueAt(root, issue.path))}; allowed: ${options?.map(String).join(", ") ?? "see the schema"}`
      return `got ${show(got)}; ${issue.message}`
    }
    default:
      return got === undefined || typeof got === "object" ? issue.message : `${issue.message}, got ${show(got)}`
  }
}

function allowedKeys(issue: ZodIssue): string[] | undefined {
  const shape = (issue as { inst?: { _zod?: { def?: { shape?: object } } } }).inst?._zod?.def?.shape
  return shape ? Object.keys(shape) : undefined
}

function withArticle(noun: string): string {
  return /^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value !== null && typeof value === "object" ? (value as Record<PropertyKey, unknown>)[key] : undefined), root)
}

/** The line of the deepest node on the path that exists; of the offending key where one is named. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[], key: string | undefined): number | undefined {
  let node = document.contents as Node | null
  let offset = node?.range?.[0]
  for (const step of key === undefined ? path : [...path, key]) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step))
      if (!pair) break
      offset = (pair.key as Node).range?.[0]
      node = pair.value as Node | null
    } else if (isSeq(node)) {
      node = (node.items[Number(step)] as Node | undefined) ?? null
      offset = node?.range?.[0] ?? offset
    } else break
  }
  return offset === undefined ? undefined : lines.linePos(offset).line
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}

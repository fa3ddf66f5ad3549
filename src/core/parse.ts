import { LineCounter, parseDocument, isMap, isScalar, isSeq, visit, type Document, type Node } from "yaml"
import { z } from "zod"
import { canonicalText, canonicalValue } from "./canonical.ts"
import { ConfigError, type Issue } from "./errors.ts"
import { isStackOverflow, notPlain, tooDeep } from "./plain-value.ts"

/** A problem found by a check beyond the schema: the path inside the document and what is wrong. */
export interface PathIssue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/**
 * The YAML text as a value of the schema, every text in Unicode NFC as data is, so that the two can be compared; a
 * ConfigError lists every problem at once, each with file, line, path, the value got and the values allowed. `more`
 * adds checks beyond the schema: it gets the raw document, and its value where the schema holds.
 */
export function parseYaml<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  file: string,
  hint: string,
  more: (raw: unknown, value: z.output<Schema> | undefined) => readonly PathIssue[] = () => [],
): z.output<Schema> {
  try {
    return parseShallow(schema, text, { file, hint }, more)
  } catch (error) {
    // The parser, the schema and the checks all call themselves for each level.
    if (!isStackOverflow(error)) throw error
    throw new ConfigError(`${file} is invalid: 1 problem`, [{ file, message: tooDeep }], hint)
  }
}

function parseShallow<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  { file, hint }: { readonly file: string; readonly hint: string },
  more: (raw: unknown, value: z.output<Schema> | undefined) => readonly PathIssue[],
): z.output<Schema> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" })
  if (document.errors.length > 0) {
    const issues = document.errors.map(({ code, message, pos }) => ({
      ...{ file, line: lines.linePos(pos[0]).line },
      message: syntaxProblem(code, message),
    }))
    // What is too deep for the parser it reports more than once.
    const deep = issues.find(({ message }) => message === tooDeep)
    throw new ConfigError(`${file} is not valid YAML`, deep === undefined ? issues : [deep], hint)
  }
  const given = plainValue(document, lines, file, hint)
  const odd = notPlain(given)
  if (odd.length > 0) throw invalid(file, placed(odd, document, lines, file), hint)
  const raw = canonicalValue(given)
  const result = schema.safeParse(raw)
  const found = result.success
    ? []
    : [...issuesOf(schema, result.error, raw), ...hiddenIssues(schema, result.error, raw)]
  const all = [...found, ...more(raw, result.success ? result.data : undefined)]
  const repeated = repeatedKeys(document.contents, lines)
  if (result.success && all.length + repeated.length === 0) return result.data
  const repeatedHere = repeated.map((issue) => ({ file, ...issue }))
  throw invalid(file, [...repeatedHere, ...placed(all, document, lines, file)], hint)
}

/** The problems of a value against a schema, without a place in a file. */
export function issuesOf(schema: z.ZodType, error: z.ZodError, value: unknown): PathIssue[] {
  return error.issues.flatMap(flatten).map((issue) => toPathIssue(schema, issue, value))
}

/** `a.b[0].c`; empty for the document itself. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`))
    .join("")
}

/** The value as short JSON for a message: at most 60 characters. */
export function show(value: unknown): string {
  const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value))
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

/** The word of `allowed` that was probably meant, for "did you mean"; undefined when none is near. */
export function nearest(word: string, allowed: readonly string[]): string | undefined {
  const scored = allowed.map((candidate) => ({
    candidate,
    distance: editDistance(word.toLowerCase(), candidate.toLowerCase()),
  }))
  const best = scored.sort((a, b) => a.distance - b.distance)[0]
  return best && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined
}

function syntaxProblem(code: string, message: string): string {
  if (/Maximum call stack|Stack overflow/.test(message)) return tooDeep
  return code === "MULTIPLE_DOCS"
    ? "a second YAML document begins here (---); a file holds one: delete the line, or move what follows it to a " +
        "file of its own"
    : (message.split("\n")[0] ?? "")
}

function placed(issues: readonly PathIssue[], document: Document, lines: LineCounter, file: string): Issue[] {
  return issues.map(({ path, message }) => ({
    ...{ file, line: lineOf(document, lines, path) },
    ...{ path: formatPath(path), message },
  }))
}

function invalid(file: string, issues: readonly Issue[], hint: string): ConfigError {
  const sorted = issues.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
  const count = sorted.length === 1 ? "1 problem" : `${sorted.length} problems`
  return new ConfigError(`${file} is invalid: ${count}`, sorted, hint)
}

/** An alias without its anchor, or aliases of aliases that would fill the memory, are found only here. */
function plainValue(document: Document, lines: LineCounter, file: string, hint: string): unknown {
  refuseManyAliases(document, file, hint)
  try {
    return document.toJS()
  } catch (error) {
    if (isStackOverflow(error)) throw error
    let line: number | undefined
    visit(document, {
      Alias: (_, alias) => {
        if (alias.resolve(document) === undefined) line ??= lines.linePos(alias.range?.[0] ?? 0).line
      },
    })
    const issue = {
      file,
      ...(line === undefined ? {} : { line }),
      message: `${(error as Error).message}; quote a text that begins with *`,
    }
    throw new ConfigError(`${file} is not valid YAML`, [issue], hint)
  }
}

// Each is looked for in the whole file: 10,000 in a file of 30 kB took half a minute.
const mostAliases = 1000

function refuseManyAliases(document: Document, file: string, hint: string): void {
  let aliases = 0
  visit(document, { Alias: () => void aliases++ })
  if (aliases <= mostAliases) return
  const message = `has ${aliases} aliases (*); at most ${mostAliases} are read: write the values out`
  throw new ConfigError(`${file} cannot be read`, [{ file, message }], hint)
}

/**
 * Keys of one map that are the same text in another encoding (é as one character or as two) or of another type (1 and
 * "1"): the value would keep the last one only.
 */
function repeatedKeys(node: unknown, lines: LineCounter, path: readonly PropertyKey[] = []): Issue[] {
  if (isSeq(node)) return node.items.flatMap((item, index) => repeatedKeys(item, lines, [...path, index]))
  if (!isMap(node)) return []
  const first = new Map<string, number>()
  return node.items.flatMap((item) => {
    if (!isScalar(item.key)) return []
    const key = canonicalText(String(item.key.value))
    const { line } = lines.linePos(item.key.range?.[0] ?? 0)
    const within = repeatedKeys(item.value, lines, [...path, key])
    const before = first.get(key)
    if (before === undefined) first.set(key, line)
    return before === undefined
      ? within
      : [
          {
            line,
            path: formatPath([...path, key]),
            message: `the same key as in line ${before}, written in another way`,
          },
          ...within,
        ]
  })
}

type ZodIssue = z.core.$ZodIssue

/**
 * The problems that a wrong discriminator (`kind: lable`) keeps the schema from seeing: those of the document with the
 * word that was probably meant.
 */
function hiddenIssues(schema: z.ZodType, error: z.ZodError, raw: unknown): PathIssue[] {
  const discriminating = error.issues.find((issue) => issue.code === "invalid_union" && "discriminator" in issue) as
    | { path: PropertyKey[]; discriminator: string; options?: unknown[] }
    | undefined
  const meant =
    discriminating && nearest(String(valueAt(raw, discriminating.path)), (discriminating.options ?? []).map(String))
  if (discriminating === undefined || meant === undefined) return []
  const mended: unknown = structuredClone(raw)
  const parent = valueAt(mended, discriminating.path.slice(0, -1))
  if (typeof parent !== "object" || parent === null) return []
  Object.assign(parent, { [discriminating.discriminator]: meant })
  const result = schema.safeParse(mended)
  return result.success ? [] : issuesOf(schema, result.error, mended)
}

/** A union reports one issue holding a list a branch; the branch with the deepest progress says most. */
function flatten(issue: ZodIssue): ZodIssue[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ ...issue, keys: [key] }))
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue]
  const branches = issue.errors.filter(
    (branch) => !branch.some((inner) => inner.path.length === 0 && inner.code === "invalid_type"),
  )
  const best = branches.length === 1 ? branches[0] : undefined
  return best
    ? best.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] } as ZodIssue))
    : [issue]
}

/** An unknown key's path ends with the key, so that its line is the key's own. */
function toPathIssue(schema: z.ZodType, issue: ZodIssue, root: unknown): PathIssue {
  if (issue.code !== "unrecognized_keys") return { path: issue.path, message: describeIssue(issue, root) }
  const allowed = allowedKeys(schema, issue.path)
  const key = issue.keys[0] ?? ""
  const meant = nearest(key, allowed)
  const suggestion = meant ? `; did you mean ${show(meant)}?` : ""
  const known = allowed.length > 0 ? `; allowed: ${allowed.join(", ")}` : ""
  return { path: [...issue.path, key], message: `unknown key${suggestion}${known}` }
}

function describeIssue(issue: ZodIssue, root: unknown): string {
  const got = valueAt(root, issue.path)
  switch (issue.code) {
    case "invalid_type":
      return got === undefined
        ? `missing; expected ${withArticle(issue.expected)}`
        : `expected ${withArticle(issue.expected)}, got ${show(got)}`
    case "invalid_value": {
      const meant = typeof got === "string" ? nearest(got, issue.values.map(String)) : undefined
      const prefix = got === undefined ? "missing" : `got ${show(got)}`
      return (
        `${prefix}; allowed: ` +
        `${issue.values.map((value) => String(value)).join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`
      )
    }
    case "invalid_union": {
      const discriminator = (issue as { discriminator?: string }).discriminator
      const options = (issue as { options?: readonly unknown[] }).options
      if (discriminator !== undefined) {
        const meant = typeof got === "string" ? nearest(got, (options ?? []).map(String)) : undefined
        return (
          `${got === undefined ? "missing" : `got ${show(got)}`}; allowed: ` +
          `${options?.map(String).join(", ") ?? "see the schema"}${meant ? `; did you mean ${show(meant)}?` : ""}`
        )
      }
      return `got ${show(got)}; ${issue.message}`
    }
    default:
      return got === undefined || typeof got === "object" ? issue.message : `${issue.message}, got ${show(got)}`
  }
}

/** The keys the schema allows at the path, over all branches of its unions. */
function allowedKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let nodes: JsonSchema[] = [z.toJSONSchema(schema, { unrepresentable: "any", io: "input" }) as JsonSchema]
  const branches = (node: JsonSchema): JsonSchema[] => [
    node,
    ...[...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])].flatMap(branches),
  ]
  for (const step of path) {
    nodes = nodes.flatMap(branches).flatMap((node) => {
      const child =
        typeof step === "number" ? node.items : (node.properties?.[String(step)] ?? node.additionalProperties)
      return typeof child === "object" ? [child] : []
    })
  }
  return [...new Set(nodes.flatMap(branches).flatMap((node) => Object.keys(node.properties ?? {})))]
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
}

function withArticle(noun: string): string {
  return /^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      value !== null && typeof value === "object" ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    root,
  )
}

/** The line of the deepest node on the path that exists. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number | undefined {
  let node = document.contents as Node | null
  let offset = node?.range?.[0]
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isScalar(item.key) && canonicalText(String(item.key.value)) === String(step),
      )
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

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, index) => index)]
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const substitution = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Infinity
      row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, substitution, swap))
    }
  }
  return at(a.length, b.length)
}

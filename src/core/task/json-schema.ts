import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import addFormats from "ajv-formats"
import { ConfigError } from "../errors.ts"
import { formatPath, nearest, show, type PathIssue } from "../parse.ts"
import { linearPattern, patternProblem } from "./linear-pattern.ts"
import { childrenOf, holding, partsOf, type SchemaPart } from "./schema-parts.ts"
import { referenceProblems } from "./schema-references.ts"

// A compiled schema is a pure function of the schema's object: the cache only saves time.
const validators = new WeakMap<object, ValidateFunction>()

/** The compiled validator of a JSON Schema (2020-12); a ConfigError lists what is wrong with the schema itself. */
export function validatorOf(schema: Record<string, unknown>): ValidateFunction {
  let validate = validators.get(schema)
  if (!validate) {
    const issues = schemaProblems(schema).map(({ path, message }) => ({ path: formatPath(path), message }))
    if (issues.length > 0)
      throw new ConfigError("a JSON Schema cannot be used", issues, "See it with its lines: tuneloop spec check <task>")
    validate = newAjv().compile(schema)
    validators.set(schema, validate)
  }
  return validate
}

function newAjv(): Ajv2020 {
  const regExp = Object.assign((source: string) => linearPattern(source), { code: "linearPattern" })
  const ajv = new Ajv2020({ allErrors: true, strict: false, code: { regExp } })
  addFormats.default(ajv)
  return ajv
}

/**
 * Everything that is wrong with a JSON Schema that a person wrote: what the standard does not allow, and keywords and
 * formats that nobody knows, which a validator would pass over without a word. Each with its path.
 */
export function schemaProblems(schema: Record<string, unknown>): PathIssue[] {
  const ajv = newAjv()
  const formats = new Set(Object.keys(ajv.formats))
  const problems = [...partsOf(schema).flatMap((part) => unknownWords(part, formats)), ...dialectProblems(schema)]
  if (problems.some(({ path }) => path[0] === "$schema")) return problems
  if (ajv.validateSchema(schema) !== true) return [...problems, ...invalidParts(ajv, schema)]
  problems.push(...referenceProblems(schema))
  if (problems.length > 0) return problems
  try {
    ajv.compile(schema)
    return []
  } catch (error) {
    return [{ path: [], message: `not a valid JSON Schema: ${(error as Error).message}` }]
  }
}

const dialect = "https://json-schema.org/draft/2020-12/schema"

function dialectProblems({ $schema: given }: Record<string, unknown>): PathIssue[] {
  if (given === undefined || given === dialect || given === `${dialect}#`) return []
  return [{ path: ["$schema"], message: `got ${show(given)}; allowed: ${show(dialect)}, or no $schema at all` }]
}

/** What the standard does not allow; of the branches of a union the last part of the path says most. */
function invalidParts(ajv: Ajv2020, schema: Record<string, unknown>): PathIssue[] {
  const found = new Map<string, PathIssue>()
  for (const { instancePath, message = "invalid", params } of ajv.errors ?? []) {
    const path = instancePath
      .split("/")
      .slice(1)
      .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
      .map((step) => (/^\d+$/.test(step) ? Number(step) : step))
    const allowed = (params as { allowedValues?: readonly unknown[] }).allowedValues
    const got = path.reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], schema)
    const text = allowed === undefined ? message : `allowed: ${allowed.map(String).join(", ")}`
    if (!found.has(instancePath) || allowed !== undefined)
      found.set(instancePath, { path, message: `not a valid JSON Schema: got ${show(got)}; ${text}` })
  }
  return [...found.values()]
}

/** Keywords that hold no schema. */
const plain = [
  ...["$anchor", "$comment", "$id", "$ref", "$schema", "const"],
  ...["contentEncoding", "contentMediaType", "default", "dependentRequired", "deprecated", "description", "enum"],
  ...["examples", "exclusiveMaximum", "exclusiveMinimum", "format", "maxContains", "maxItems", "maxLength"],
  ...["maxProperties", "maximum", "minContains", "minItems", "minLength", "minProperties", "minimum", "multipleOf"],
  ...["nullable", "pattern", "readOnly", "required", "title", "type", "uniqueItems", "writeOnly"],
]
const known = [...new Set([...holding, ...plain])].sort()

function unknownWords({ path, keywords }: SchemaPart, formats: ReadonlySet<string>): PathIssue[] {
  return Object.entries(keywords).flatMap(([keyword, value]): PathIssue[] => {
    const at = [...path, keyword]
    if (keyword === "format" && typeof value === "string" && !formats.has(value))
      return [{ path: at, message: unknownWord("format", value, [...formats]) }]
    if (keyword === "pattern" && typeof value === "string") return patternIssues(at, value)
    if (keyword === "patternProperties")
      return childrenOf(keywords, keyword).flatMap(([[name]]) => patternIssues([...at, name ?? ""], String(name)))
    // By custom whoever adds a keyword begins it so.
    if (known.includes(keyword) || keyword.startsWith("x-")) return []
    return [{ path: at, message: unknownWord("keyword of JSON Schema", keyword, known) }]
  })
}

function patternIssues(path: readonly PropertyKey[], source: string): PathIssue[] {
  const problem = patternProblem(source)
  return problem === undefined ? [] : [{ path, message: `the pattern ${show(source)} cannot be used: ${problem}` }]
}

function unknownWord(what: string, word: string, known: readonly string[]): string {
  const meant = nearest(word, known)
  return `unknown ${what} ${show(word)}; ${meant ? `did you mean ${show(meant)}?` : `allowed: ${known.join(", ")}`}`
}

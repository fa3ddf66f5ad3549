import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import addFormats from "ajv-formats"
import { nearest, show, type PathIssue } from "../parse.ts"

// A compiled schema is a pure function of the schema's object: the cache only saves time.
const validators = new WeakMap<object, ValidateFunction>()

/** The compiled validator of a JSON Schema (2020-12); throws when the schema itself is invalid. */
export function validatorOf(schema: Record<string, unknown>): ValidateFunction {
  let validate = validators.get(schema)
  if (!validate) {
    validate = newAjv().compile(schema)
    validators.set(schema, validate)
  }
  return validate
}

function newAjv(): Ajv2020 {
  const ajv = new Ajv2020({ allErrors: true, strict: false })
  addFormats.default(ajv)
  return ajv
}

/**
 * Everything that is wrong with a JSON Schema that a person wrote: what the standard does not allow, and keywords and
 * formats that nobody knows, which a validator would pass over without a word. Each with its path.
 */
export function schemaProblems(schema: Record<string, unknown>): PathIssue[] {
  const ajv = newAjv()
  const unknown = unknownWords(schema, [], new Set(Object.keys(ajv.formats)))
  if (ajv.validateSchema(schema) !== true) return [...unknown, ...invalidParts(ajv, schema)]
  if (unknown.length > 0) return unknown
  try {
    ajv.compile(schema)
    return []
  } catch (error) {
    return [{ path: [], message: `not a valid JSON Schema: ${(error as Error).message}` }]
  }
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

/** Keywords that hold one schema, a list of them, or schemas by names. */
const one = ["additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then"]
const oneToo = ["unevaluatedItems", "unevaluatedProperties", "additionalItems"]
const lists = ["allOf", "anyOf", "oneOf", "prefixItems", "items"]
const byName = ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"]
const plain = [
  ...["$anchor", "$comment", "$dynamicAnchor", "$dynamicRef", "$id", "$ref", "$schema", "$vocabulary", "const"],
  ...["contentEncoding", "contentMediaType", "default", "dependentRequired", "deprecated", "description", "enum"],
  ...["examples", "exclusiveMaximum", "exclusiveMinimum", "format", "maxContains", "maxItems", "maxLength"],
  ...["maxProperties", "maximum", "minContains", "minItems", "minLength", "minProperties", "minimum", "multipleOf"],
  ...["nullable", "pattern", "readOnly", "required", "title", "type", "uniqueItems", "writeOnly"],
]
const keywords = [...new Set([...one, ...oneToo, ...lists, ...byName, ...plain])].sort()

function unknownWords(schema: unknown, path: readonly PropertyKey[], formats: ReadonlySet<string>): PathIssue[] {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return []
  return Object.entries(schema).flatMap(([keyword, value]): PathIssue[] => {
    const at = [...path, keyword]
    const within = (inner: unknown, ...steps: PropertyKey[]) => unknownWords(inner, [...at, ...steps], formats)
    if (keyword === "format" && typeof value === "string" && !formats.has(value))
      return [{ path: at, message: unknownWord("format", value, [...formats]) }]
    if (lists.includes(keyword) && Array.isArray(value)) return value.flatMap((inner, index) => within(inner, index))
    if (byName.includes(keyword) && typeof value === "object" && value !== null)
      return Object.entries(value).flatMap(([name, inner]) => within(inner, name))
    if (one.includes(keyword) || oneToo.includes(keyword)) return within(value)
    // By custom whoever adds a keyword begins it so.
    if (keywords.includes(keyword) || keyword.startsWith("x-")) return []
    return [{ path: at, message: unknownWord("keyword of JSON Schema", keyword, keywords) }]
  })
}

function unknownWord(what: string, word: string, known: readonly string[]): string {
  const meant = nearest(word, known)
  return `unknown ${what} ${show(word)}; ${meant ? `did you mean ${show(meant)}?` : `allowed: ${known.join(", ")}`}`
}

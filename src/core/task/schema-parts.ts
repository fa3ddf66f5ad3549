/** A schema within a JSON Schema, or the whole. */
export interface SchemaPart {
  readonly path: readonly PropertyKey[]
  /** The path as a JSON Pointer. */
  readonly at: string
  /** Its keywords; none of a schema that is true or false. */
  readonly keywords: Readonly<Record<string, unknown>>
}

/** Keywords that hold one schema, a list of them, or schemas by names. */
const one = [
  ...["additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not"],
  ...["propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"],
]
const lists = ["allOf", "anyOf", "oneOf", "prefixItems", "items"]
const byName = ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"]

/** The keywords that hold schemas. */
export const holding: readonly string[] = [...one, ...lists, ...byName]

/** The schema and all schemas in it, outermost first; what else stands in it, such as examples, is none. */
export function partsOf(schema: unknown, path: readonly PropertyKey[] = []): SchemaPart[] {
  if (typeof schema === "boolean") return [{ path, at: pointerOf(path), keywords: {} }]
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return []
  const keywords = schema as Readonly<Record<string, unknown>>
  return [
    { path, at: pointerOf(path), keywords },
    ...Object.keys(keywords).flatMap((keyword) =>
      childrenOf(keywords, keyword).flatMap(([steps, child]) => partsOf(child, [...path, keyword, ...steps])),
    ),
  ]
}

/** The schemas that a keyword holds, each with the steps from the keyword to it. */
export function childrenOf(
  keywords: Readonly<Record<string, unknown>>,
  keyword: string,
): (readonly [readonly PropertyKey[], unknown])[] {
  const value = keywords[keyword]
  if (lists.includes(keyword) && Array.isArray(value)) return value.map((child, index) => [[index], child])
  if (byName.includes(keyword) && typeof value === "object" && value !== null)
    return Object.entries(value).map(([name, child]) => [[name], child])
  return one.includes(keyword) ? [[[], value]] : []
}

/** The path as a JSON Pointer. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("")
}

import { show, type PathIssue } from "../parse.ts"
import { childrenOf, partsOf, pointerOf, type SchemaPart } from "./schema-parts.ts"

/**
 * What is wrong with the references of a JSON Schema: each must name a part of this schema (`#`, `#/$defs/name` or
 * `#anchor`), and none may lead back to itself at the same place of a value, which no checking of it would end.
 */
export function referenceProblems(schema: unknown): PathIssue[] {
  const parts = partsOf(schema)
  const targets = targetsIn(parts)
  const broken = parts.flatMap(({ path, keywords: { $id, $ref } }): PathIssue[] => {
    if (path.length > 0 && $id !== undefined)
      return [{ path: [...path, "$id"], message: "a part of a schema has no $id of its own; use $anchor or $defs" }]
    if ($ref === undefined || targets.has(targetOf($ref))) return []
    const message = `got ${show($ref)}; allowed: a part of this schema, such as "#/$defs/name"`
    return [{ path: [...path, "$ref"], message }]
  })
  return broken.length > 0 ? broken : endless(parts, targets)
}

/** What a reference may name, with the place of it. */
function targetsIn(parts: readonly SchemaPart[]): ReadonlyMap<string, string> {
  return new Map(
    parts.flatMap(({ at, keywords: { $anchor } }) => [
      [`#${at}`, at] as const,
      ...(typeof $anchor === "string" ? [[`#${$anchor}`, at] as const] : []),
    ]),
  )
}

function targetOf(reference: unknown): string {
  try {
    return decodeURIComponent(String(reference))
  } catch {
    return String(reference)
  }
}

/** Keywords whose schemas judge the value itself, and none that is within it. */
const sameValue = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"]

function endless(parts: readonly SchemaPart[], targets: ReadonlyMap<string, string>): PathIssue[] {
  const next = new Map(parts.map((part) => [part.at, atTheSameValue(part, targets)]))
  const done = new Set<string>()
  const around = new Set<string>()
  const leadsBack = (at: string): boolean => {
    if (around.has(at)) return true
    if (done.has(at)) return false
    around.add(at)
    const isLoop = (next.get(at) ?? []).some(leadsBack)
    around.delete(at)
    done.add(at)
    return isLoop
  }
  const loop = parts.find(({ at, keywords: { $ref } }) => $ref !== undefined && leadsBack(at))
  if (loop === undefined) return []
  return [{ path: [...loop.path, "$ref"], message: "leads back to itself at the same value: checking it never ends" }]
}

/** The places of the schemas that are asked about the same value. */
function atTheSameValue({ path, keywords }: SchemaPart, targets: ReadonlyMap<string, string>): string[] {
  const target = keywords["$ref"] === undefined ? undefined : targets.get(targetOf(keywords["$ref"]))
  const within = sameValue.flatMap((keyword) =>
    childrenOf(keywords, keyword).map(([steps]) => pointerOf([...path, keyword, ...steps])),
  )
  return target === undefined ? within : [target, ...within]
}

import { canonicalText } from "../canonical.ts"
import { parseJson } from "../json-text.ts"
import { show } from "../parse.ts"

/**
 * A value inside a nested output that has none inside it: a text, number, boolean, null, or an empty list or object.
 */
export interface Leaf {
  /**
   * The element of a list that it belongs to, counted from 1: `items[2]`; empty outside lists. Each element is a row of
   * its own.
   */
  readonly part: string
  /** Its path without those numbers: `items[].product`. */
  readonly path: string
  readonly value: unknown
}

/** What a person wrote into the cell of a leaf. */
export interface Correction {
  readonly part: string
  readonly path: string
  readonly text: string
}

type Step = string | number

/** Takes an optional value out of an object. */
export const removeWord = "(remove)"

/** Every leaf of the value, lists of any depth opened, in order. */
export function leavesOf(value: unknown): Leaf[] {
  const leaves: Leaf[] = []
  const visit = (at: unknown, part: string, path: string) => {
    if (Array.isArray(at) && at.length > 0)
      for (const [index, item] of at.entries()) visit(item, `${partPath(part, path)}[${index + 1}]`, `${path}[]`)
    else if (isObject(at) && Object.keys(at).length > 0)
      for (const [key, item] of Object.entries(at)) visit(item, part, joined(path, key))
    else leaves.push({ part, path, value: at })
  }
  visit(value, "", "")
  return leaves
}

/** The paths that the schema tells of, in its order; nothing for what it leaves open. */
export function leafPaths(schema: unknown): string[] {
  const paths: string[] = []
  const visit = (at: unknown, path: string, depth: number) => {
    const node = resolve(schema, at)
    if (!isObject(node) || depth > 12) return
    if (isObject(node["properties"]))
      for (const [key, member] of Object.entries(node["properties"])) visit(member, joined(path, key), depth + 1)
    else if (isObject(node["items"])) visit(node["items"], `${path}[]`, depth + 1)
    else if (path !== "" && !typesOf(schema, node)?.every((type) => type === "object" || type === "array"))
      paths.push(path)
  }
  visit(schema, "", 0)
  return paths
}

/**
 * Writes the cell of a leaf so that `correctedValue` reads the same value from it: a text as it is, unless it would be
 * read as something else; then, and for all but texts, as JSON.
 */
export function leafWriter(schema: unknown): (leaf: Leaf) => string {
  const typesOfPath = new Map<string, readonly string[] | undefined>()
  return ({ path, value }) => {
    if (typeof value !== "string") return JSON.stringify(value)
    if (!typesOfPath.has(path)) typesOfPath.set(path, typesAt(schema, parse(path.replaceAll("[]", "[1]"))))
    const text = canonicalText(value)
    if (text === "" || text !== text.trim() || text === removeWord) return JSON.stringify(text)
    const read = readLeaf(text, typesOfPath.get(path), text)
    return "value" in read && read.value === text ? text : JSON.stringify(text)
  }
}

/**
 * The output with the corrections in it and without the elements `removed`, the given one unchanged; or what is wrong,
 * by row and column.
 */
export function correctedValue(
  schema: unknown,
  base: unknown,
  corrections: readonly Correction[],
  removed: readonly string[],
): { value: unknown } | { problems: { part: string; path: string; message: string }[] } {
  const root = { value: structuredClone(base) }
  const problems: { part: string; path: string; message: string }[] = []
  for (const correction of [...corrections].sort((a, b) => comparePaths(a, b))) {
    const steps = stepsOf(correction)
    if (steps === undefined) {
      const message =
        "belongs into " +
        `${correction.path.includes("[]") ? `the rows of ${correction.path.split("[]")[0]}` : "the first row of the item"}, not ` +
        `into ${correction.part === "" ? "its first row" : `that of ${correction.part}`}`
      problems.push({ ...correction, message })
      continue
    }
    const message = set(root, steps, correction.text, schema)
    if (message !== undefined) problems.push({ ...correction, message })
  }
  const elements = removed.map((part) => ({ part, steps: parse(part) }))
  for (const { part, steps } of elements.sort((a, b) => compareSteps(b.steps, a.steps))) {
    const list = steps
      .slice(0, -1)
      .reduce<unknown>((at, step) => (isHolder(at) ? own(at, step) : undefined), root.value)
    const index = steps.at(-1)
    if (Array.isArray(list) && typeof index === "number" && index < list.length) list.splice(index, 1)
    else problems.push({ part, path: "", message: `there is no element ${part}` })
  }
  return problems.length > 0 ? { problems } : { value: root.value }
}

function set(root: { value: unknown }, steps: readonly Step[], text: string, schema: unknown): string | undefined {
  let holder: Record<Step, unknown> = root as unknown as Record<Step, unknown>
  let key: Step = "value"
  for (const [index, step] of steps.entries()) {
    if (own(holder, key) === null || typeof own(holder, key) !== "object")
      put(holder, key, typeof step === "number" ? [] : {})
    const inner = own(holder, key) as Record<Step, unknown> | unknown[]
    if (typeof step === "number") {
      if (!Array.isArray(inner)) return `${format(steps.slice(0, index))} is no list`
      if (step > inner.length)
        return `there is no element ${step}: the list has ${inner.length}, and the next one is ${inner.length + 1}`
    }
    holder = inner as Record<Step, unknown>
    key = step
  }
  if (text === removeWord) {
    if (typeof key === "number") return "to take an element out, write remove into the column decision of its row"
    delete holder[key]
    return undefined
  }
  const read = readLeaf(text, typesAt(schema, steps), own(holder, key))
  if ("message" in read) return read.message
  put(holder, key, read.value)
  return undefined
}

// A column may be called `corrected.__proto__`.
function own(holder: Record<Step, unknown>, key: Step): unknown {
  return Object.hasOwn(holder, key) ? holder[key] : undefined
}

function put(holder: Record<Step, unknown>, key: Step, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })
}

function readLeaf(
  text: string,
  types: readonly string[] | undefined,
  before: unknown,
): { value: unknown } | { message: string } {
  const value = /^(true|false)$/i.test(text) ? text.toLowerCase() === "true" : parseJson(text)
  // A text in quotes is the text within them.
  if (typeof value === "string") return { value: canonicalText(value) }
  const allowed = types ?? (before === undefined || before === null ? undefined : [typeOf(before)])
  if (allowed === undefined) return { value: value === undefined ? text : value }
  const prefersText =
    allowed.includes("string") &&
    (typeof before === "string" || allowed.every((type) => type === "string" || type === "null"))
  if (value !== undefined && isOneOf(value, allowed) && !(prefersText && value !== null)) return { value }
  if (allowed.includes("string") || (types === undefined && value === undefined)) return { value: text }
  return value !== undefined && types === undefined
    ? { value }
    : {
        message:
          `got ${show(text)}; allowed: ` + `${allowed.map((type) => (type === "string" ? "text" : type)).join(" or ")}`,
      }
}

function typeOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value
}

function isOneOf(value: unknown, types: readonly string[]): boolean {
  return types.includes(typeOf(value)) || (Number.isInteger(value) && types.includes("integer"))
}

/** The types that the schema allows at the place; undefined where it does not say. */
function typesAt(schema: unknown, steps: readonly Step[]): readonly string[] | undefined {
  let nodes: unknown[] = [schema]
  for (const step of steps)
    nodes = nodes
      .flatMap((node) => alternatives(schema, node))
      .flatMap((node) => {
        if (typeof step === "number")
          return [(Array.isArray(node["prefixItems"]) ? node["prefixItems"][step] : undefined) ?? node["items"]]
        const properties = isObject(node["properties"]) ? node["properties"] : {}
        return [Object.hasOwn(properties, step) ? properties[step] : node["additionalProperties"]]
      })
      .filter(isObject)
  const all = nodes.map((node) => typesOf(schema, node))
  return all.length === 0 || all.includes(undefined) ? undefined : [...new Set(all.flatMap((types) => types ?? []))]
}

function typesOf(schema: unknown, at: unknown): readonly string[] | undefined {
  const types = alternatives(schema, at).map((node) => {
    if (Array.isArray(node["enum"])) return node["enum"].map(typeOf)
    if (node["const"] !== undefined) return [typeOf(node["const"])]
    return typeof node["type"] === "string"
      ? [node["type"]]
      : Array.isArray(node["type"])
        ? (node["type"] as string[])
        : undefined
  })
  return types.length === 0 || types.includes(undefined) ? undefined : [...new Set(types.flatMap((each) => each ?? []))]
}

/** The node, or those that `anyOf`, `oneOf` or `allOf` name, references followed. */
function alternatives(schema: unknown, at: unknown, depth = 0): Record<string, unknown>[] {
  const node = resolve(schema, at)
  if (!isObject(node) || depth > 12) return []
  const inner = ["anyOf", "oneOf", "allOf"].flatMap((key) => (Array.isArray(node[key]) ? (node[key] as unknown[]) : []))
  return inner.length > 0 && node["type"] === undefined && node["properties"] === undefined
    ? inner.flatMap((each) => alternatives(schema, each, depth + 1))
    : [node]
}

function resolve(schema: unknown, at: unknown): unknown {
  let node = at
  for (
    let depth = 0;
    depth < 12 && isObject(node) && typeof node["$ref"] === "string" && node["$ref"].startsWith("#");
    depth++
  )
    node = node["$ref"]
      .slice(1)
      .split("/")
      .filter((key) => key !== "")
      .map((key) => decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~"))
      .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], schema)
  return node
}

/** The steps to a leaf; undefined when the row is not one in which its column is filled in. */
function stepsOf({ part, path }: Correction): Step[] | undefined {
  const places = parse(part).filter((step) => typeof step === "number")
  let used = 0
  const steps = parse(path.replaceAll("[]", "[1]")).map((step) =>
    typeof step === "number" ? (places[used++] ?? -1) : step,
  )
  const isOfPart = used === places.length && format(steps).startsWith(part)
  return isOfPart && !steps.includes(-1) ? steps : undefined
}

function partPath(part: string, path: string): string {
  return part === "" ? path : format([...parse(part), ...parse(path.slice(path.lastIndexOf("[]") + 2))])
}

function joined(path: string, key: string): string {
  return `${path}${/^[^.[\]"\s]+$/.test(key) ? `${path === "" ? "" : "."}${key}` : `[${JSON.stringify(key).replace(/[[\]]/g, (bracket) => (bracket === "[" ? "\\u005b" : "\\u005d"))}]`}`
}

function format(steps: readonly Step[]): string {
  return steps.reduce<string>(
    (path, step) => (typeof step === "number" ? `${path}[${step + 1}]` : joined(path, step)),
    "",
  )
}

/** `a.b[2]["c.d"]` as its steps, list places from 0; what is no path gives what can be read of it. */
function parse(path: string): Step[] {
  return [...path.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]"\s]+)/g)].map(([, place, quoted, key]) =>
    place !== undefined ? Number(place) - 1 : quoted !== undefined ? String(parseJson(quoted)) : (key as string),
  )
}

function comparePaths(a: Correction, b: Correction): number {
  return compareSteps(parse(a.part), parse(b.part))
}

function compareSteps(a: readonly Step[], b: readonly Step[]): number {
  for (const [index, step] of a.entries()) {
    const other = b[index]
    if (other === undefined) return 1
    if (typeof step === "number" && typeof other === "number" && step !== other) return step - other
    if (String(step) !== String(other)) return String(step) < String(other) ? -1 : 1
  }
  return a.length - b.length
}

function isHolder(value: unknown): value is Record<Step, unknown> {
  return typeof value === "object" && value !== null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** The parts of a JSON Schema that the tables show. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
}

/** The three files, a section a top-level key: what all kinds of task share, then what each kind has of its own. */
export function specificationText(task: JsonSchema, job: JsonSchema, workspace: JsonSchema): string {
  const kinds = (task.oneOf ?? task.anyOf ?? []).map((schema) => ({
    kind: String(schema.properties?.kind?.const),
    schema,
  }))
  const first = kinds[0]?.schema ?? {}
  const isShared = (key: string) =>
    kinds.every(({ schema }) => JSON.stringify(schema.properties?.[key]) === JSON.stringify(first.properties?.[key]))
  const shared = Object.keys(first.properties ?? {}).filter(isShared)
  return [
    "## The task file, `specs/<task>.yaml`",
    `\`kind\` is one of ${kinds.map(({ kind }) => `\`${kind}\``).join(", ")}. It says what an output is.`,
    sections(pick(first, shared)),
    ...kinds.flatMap(({ kind, schema }) => [
      `### Kind ${kind}`,
      keysOf(
        pick(
          schema,
          Object.keys(schema.properties ?? {}).filter((key) => !shared.includes(key)),
        ),
      ),
    ]),
    "## The job file, `jobs/<job>.yaml`",
    sections(job),
    "## The workspace file, `tuneloop.yaml`",
    "Every key is optional, and so is the file.",
    sections(workspace),
  ].join("\n\n")
}

/** The plain keys in one table; each key with keys of its own in a section. */
function sections(schema: JsonSchema): string {
  const entries = Object.entries(schema.properties ?? {})
  const plain = entries.filter(([, value]) => !hasKeys(value)).map(([name]) => name)
  const nested = entries.filter(([, value]) => hasKeys(value))
  return [
    keysOf(pick(schema, plain)),
    ...nested.flatMap(([name, value]) => [`### ${name}`, value.description ?? "", keysOf(pick(schema, [name]), false)]),
  ]
    .filter((part) => part !== "")
    .join("\n\n")
}

/** A table of the keys at every depth, by dotted path; without the outermost ones when `withOuter` is false. */
export function keysOf(schema: JsonSchema, withOuter = true): string {
  const rows = rowsOf(schema, "").filter(({ path }) => withOuter || path.includes("."))
  return table(
    ["key", "type", "default", "meaning"],
    rows.map(({ path, type, fallback, meaning }) => [`\`${path}\``, type, fallback, meaning]),
  )
}

/** A Markdown table with even columns. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [header, ...rows].map((row) => row.map(cellText))
  const widths = header.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? "").length)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  return [line(cells[0] ?? []), line(widths.map((width) => "-".repeat(width))), ...cells.slice(1).map(line)].join("\n")
}

interface KeyRow {
  readonly path: string
  readonly type: string
  readonly fallback: string
  readonly meaning: string
}

function rowsOf(schema: JsonSchema, prefix: string): KeyRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    const path = `${prefix}${name}`
    const fallback =
      value.default === undefined
        ? schema.required?.includes(name)
          ? "required"
          : "–"
        : isEmptyObject(value.default)
          ? "–"
          : `\`${JSON.stringify(value.default)}\``
    return [{ path, type: typeOf(value), fallback, meaning: value.description ?? "" }, ...innerRows(value, path)]
  })
}

/** The rows below a key: its properties, those of each named entry, those of each item, or those of each variant. */
function innerRows(schema: JsonSchema, path: string): KeyRow[] {
  if (schema.properties) return rowsOf(schema, `${path}.`)
  if (typeof schema.additionalProperties === "object" && schema.additionalProperties.properties)
    return rowsOf(schema.additionalProperties, `${path}.<name>.`)
  if (schema.items?.properties) return rowsOf(schema.items, `${path}[].`)
  return (schema.oneOf ?? schema.anyOf ?? []).flatMap((variant) => innerRows(variant, path))
}

function hasKeys(schema: JsonSchema): boolean {
  return innerRows(schema, "").length > 0
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(" or ")
  const variants = schema.oneOf ?? schema.anyOf
  if (variants) return [...new Set(variants.map(typeOf))].join(" or ")
  if (schema.type === "array") return `list of ${schema.items ? typeOf(schema.items) : "anything"}`
  if (schema.type === "object")
    return schema.properties
      ? "keys"
      : typeof schema.additionalProperties === "object" && schema.additionalProperties.type
        ? `${typeOf(schema.additionalProperties)} by name`
        : "object"
  if (schema.type === undefined) return "anything"
  return `${[schema.type].flat().join(" or ")}${rangeOf(schema)}`
}

/** The largest safe integer is zod's way to say that there is no limit. */
function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const parts = [
    exclusiveMinimum === undefined ? "" : `above ${exclusiveMinimum}`,
    minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? "" : `from ${minimum}`,
    exclusiveMaximum === undefined ? "" : `below ${exclusiveMaximum}`,
    maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? "" : `to ${maximum}`,
  ].filter((part) => part !== "")
  return parts.length === 0 ? "" : ` ${parts.join(" ")}`
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
}

function pick(schema: JsonSchema, keys: readonly string[]): JsonSchema {
  return {
    ...schema,
    properties: Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([key]) => keys.includes(key))),
  }
}

/** Text that stays in its cell; an angle bracket outside code would begin an HTML tag. */
function cellText(cell: string): string {
  const text = cell.replaceAll("|", "\\|").replaceAll("\n", " ")
  return text.startsWith("`") ? text : text.replaceAll("<", "&lt;")
}

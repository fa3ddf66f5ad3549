import { DataError, type Issue } from "../../core/errors.ts"
import { nearest, show } from "../../core/parse.ts"
import { turnFields } from "../../core/rows/turns.ts"
import { leafPaths } from "../../core/task/leaves.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Table, TableRow } from "../../store/tables/table-rows.ts"

/** A `benchmark` row is read for its input only; it may have an output or none. */
export type Kind = "seed" | "input" | "benchmark"

/** Which column feeds which input field, and the output, key, source and split columns. */
export interface Columns {
  readonly fields: ReadonlyMap<string, string>
  readonly output: string | undefined
  readonly key: string | undefined
  readonly source: string | undefined
  readonly split: string | undefined
  /** The columns of the leaves of a JSON output by their paths, of each leaf those that count first. */
  readonly leaves: ReadonlyMap<string, readonly string[]>
  /** Why it cannot be told which column is the output; undefined where it can. */
  readonly ambiguous: string | undefined
}

/** What a file is read for, how people are told of it, and the columns that they gave another name. */
export interface ReadAs {
  readonly kind: Kind
  readonly file: string
  readonly renamed?: ReadonlyMap<string, string>
}

/** The names of a column by what it means, the likelier first. */
const namesOf = {
  output: ["output", "label", "labels", "answer"],
  key: ["id", "key"],
  source: ["source"],
  split: ["split"],
} as const
type Role = keyof typeof namesOf
const roles = Object.keys(namesOf) as Role[]

/**
 * What the columns of a file mean, by all rows so far: a row may have columns that those before it lack. What a column
 * means is settled by the first row that has it, and stays.
 */
export class FileColumns {
  readonly #task: TaskSpecification
  readonly #format: Table["format"]
  readonly #as: ReadAs
  readonly #renamed: ReadonlyMap<string, string>
  readonly #wanted: readonly string[]
  readonly #leafPaths: readonly string[]
  /** Of flat rows. */
  readonly #names = new Set<string>()
  readonly #allNames = new Set<string>()
  readonly #fields = new Map<string, string>()
  readonly #roles = new Map<Role, string>()
  readonly #leaves = new Map<string, string[]>()
  /** By the names of a row's columns. */
  readonly #known = new Map<string, Columns | undefined>()

  constructor(task: TaskSpecification, format: Table["format"], as: ReadAs) {
    this.#task = task
    this.#format = format
    this.#as = as
    this.#renamed = as.renamed ?? new Map()
    this.#wanted = task.kind === "chat" ? ["messages", "tools"] : Object.keys(task.input)
    this.#leafPaths = task.kind === "json" ? leafPathsOf(task.output.schema) : []
  }

  /** The names that a header of the task's columns has. */
  get expected(): string[] {
    return [
      ...this.#wanted,
      ...this.#wanted.map((field) => `input.${field}`),
      ...Object.values(namesOf).flat(),
      ...this.#leafPaths.flatMap((path) => prefixes.flatMap((prefix) => leafNames(prefix, path))),
      ...this.#renamed.values(),
    ]
  }

  /**
   * The columns of a row of a flat file: a CSV, or JSON rows with the task's fields at the top. Undefined for a row of
   * the form `{input, output}`.
   */
  of({ fields }: TableRow): Columns | undefined {
    const names = Object.keys(fields)
    const isNested = isRecord(fields["input"])
    const signature = `${isNested ? "{}" : ""}\0${names.join("\0")}`
    if (!this.#known.has(signature)) this.#known.set(signature, this.#columnsOf(names, isNested))
    return this.#known.get(signature)
  }

  /** Throws a DataError when no row has a column that the task needs, or one that people named. */
  requireAll(): void {
    const { file, kind } = this.#as
    const flat = this.#format === "csv" || [...this.#known.values()].some((columns) => columns !== undefined)
    const names = [...this.#allNames]
    const missing = [...this.#renamed.values()].filter((column) => !this.#allNames.has(column))
    const lacking = flat ? this.#wanted.filter((field) => !this.#fields.has(field) && this.#isRequired(field)) : []
    const issues: Issue[] = [...missing, ...lacking].map((column) => ({
      file,
      line: 1,
      message: noColumn(column, names),
    }))
    if (flat && kind === "seed" && !this.#roles.has("output") && this.#leaves.size === 0) {
      const outputs = [...namesOf.output, ...this.#leafPaths].map(show).join(", ")
      issues.push({ file, line: 1, message: `no column for the output; name one of the columns ${outputs}` })
    }
    if (issues.length === 0) return
    throw new DataError(
      `${file} lacks columns that the task needs`,
      issues,
      kind === "benchmark"
        ? `Rename the columns: a benchmark has those of the input (${this.#wanted.join(", ")}).`
        : `Rename the columns in the first row, or say which is which: --column ${this.#wanted[0]}=<column> ` +
            `--column ${this.#leafPaths.length > 0 ? `output.${this.#leafPaths[0]}` : "output"}=<column>`,
    )
  }

  /** The columns that mean nothing to the task, in the order in which they were met. */
  get unused(): string[] {
    const leaves = this.#roles.has("output") ? [] : [...this.#leaves.values()].flat()
    const used = new Set([...this.#fields.values(), ...this.#roles.values(), ...leaves])
    return [...this.#names].filter((name) => !used.has(name))
  }

  #columnsOf(names: readonly string[], isNested: boolean): Columns | undefined {
    for (const name of names) this.#allNames.add(name)
    if (!this.#isFlat(names, isNested)) return undefined
    requireNoReview(names, this.#as.file)
    for (const name of names) this.#names.add(name)
    for (const field of this.#wanted) {
      const column = this.#fields.get(field) ?? this.#fieldColumn(field, names)
      if (column !== undefined) this.#fields.set(field, column)
    }
    for (const role of roles) {
      const column = this.#roles.get(role) ?? this.#roleColumn(role, names)
      if (column !== undefined) this.#roles.set(role, column)
    }
    for (const [path, columns] of this.#leafColumns(names)) this.#leaves.set(path, columns)
    return {
      fields: new Map(this.#fields),
      leaves: this.#roles.has("output") ? new Map() : new Map(this.#leaves),
      output: this.#roles.get("output"),
      key: this.#roles.get("key"),
      source: this.#roles.get("source"),
      split: this.#roles.get("split"),
      ambiguous: this.#ambiguityIn(names),
    }
  }

  #isFlat(names: readonly string[], isNested: boolean): boolean {
    if (this.#format === "csv") return true
    const hasOutput = this.#roleColumn("output", names) !== undefined
    // A conversation with its answer is read as one, whatever its column is called.
    if (this.#task.kind === "chat" && !hasOutput) return false
    const namesAField = [...this.#renamed].some(([name, column]) => this.#isField(name) && names.includes(column))
    if (namesAField) return true
    const isConversation =
      !hasOutput &&
      (turnFields.some((name) => names.includes(name)) || (names.includes("prompt") && names.includes("completion")))
    const isFieldOrMore = (field: string) =>
      this.#fieldColumn(field, names) !== undefined && (field !== "input" || !isNested)
    return !isNested && !isConversation && this.#wanted.some(isFieldOrMore)
  }

  /** The columns of the leaves that the output has, unless one column has all of it. */
  #leafColumns(names: readonly string[]): Map<string, string[]> {
    const found = new Map(this.#leaves)
    const taken = new Set([...this.#fields.values(), ...this.#roles.values(), ...this.#renamed.values()])
    const add = (path: string, column: string | undefined) => {
      const columns = found.get(path) ?? []
      if (column !== undefined && !columns.includes(column)) found.set(path, [...columns, column])
    }
    for (const path of this.#leafPaths) {
      const named = this.#renamed.get(`output.${path}`)
      if (named !== undefined && names.includes(named)) add(path, named)
      for (const prefix of prefixes)
        add(
          path,
          names.find((name) => !taken.has(name) && leafNames(prefix, path).includes(name.trim().toLowerCase())),
        )
    }
    return found
  }

  #isField(name: string): boolean {
    return this.#wanted.includes(name.replace(/^input\./, ""))
  }

  #isRequired(field: string): boolean {
    return this.#task.kind === "chat" ? field === "messages" : this.#task.input[field]?.required === true
  }

  #fieldColumn(field: string, names: readonly string[]): string | undefined {
    const named = this.#renamed.get(field) ?? this.#renamed.get(`input.${field}`)
    if (named !== undefined) return names.includes(named) ? named : undefined
    const wanted = [field.toLowerCase(), `input.${field.toLowerCase()}`]
    return names.find((name) => wanted.includes(name.toLowerCase()))
  }

  #roleColumn(role: Role, names: readonly string[]): string | undefined {
    const named = this.#renamed.get(role)
    if (named !== undefined) return names.includes(named) ? named : undefined
    for (const candidate of namesOf[role]) {
      // A leaf of the output may be called label.
      if (candidate !== "output" && role === "output" && this.#leafPaths.includes(candidate)) continue
      const found = names.find((name) => name.toLowerCase() === candidate)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** A row whose likelier column for the output is another than that of the rows before it. */
  #ambiguityIn(names: readonly string[]): string | undefined {
    const settled = this.#roles.get("output")
    const likelier = this.#roleColumn("output", names)
    if (settled === undefined || likelier === undefined || likelier === settled) return undefined
    return (
      `the output is the column ${show(settled)} in the rows before this one, and ${show(likelier)} here; ` +
      `say which: --column output=${likelier}`
    )
  }
}

const prefixes = ["corrected", "output", "proposed", ""] as const

/** What a column of a leaf may be called: as the review sheet calls it, its key or its title, or by its path alone. */
function leafNames(prefix: string, path: string): string[] {
  const lower = path.toLowerCase()
  return prefix === "" ? [lower] : [`${prefix}.${lower}`, `${prefix}: ${lower}`]
}

/** The leaves of the schema that a column can hold: no element of a list has one. */
function leafPathsOf(schema: Readonly<Record<string, unknown>>): string[] {
  const { properties } = schema
  const whole = isRecord(properties) ? Object.keys(properties) : []
  return [...new Set([...leafPaths(schema).filter((path) => path !== "" && !path.includes("[")), ...whole])]
}

/** A sheet that people decided in says more than its outputs. */
function requireNoReview(names: readonly string[], file: string): void {
  const lower = names.map((name) => name.trim().toLowerCase())
  if (!lower.includes("decision") || !lower.includes("revision")) return
  throw new DataError(
    `${file} is a review sheet: it has the columns decision and revision`,
    [],
    "Import what was decided in it: tuneloop review import <task> <file>; or remove both columns.",
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function noColumn(column: string, names: readonly string[]): string {
  const meant = nearest(column, names)
  return (
    `no column ${show(column)}; the columns are: ` +
    `${names.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`
  )
}

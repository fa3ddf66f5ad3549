import { DataError, type Issue } from "../../core/errors.ts"
import { nearest, show } from "../../core/parse.ts"
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
  readonly #names = new Set<string>()
  readonly #fields = new Map<string, string>()
  readonly #roles = new Map<Role, string>()
  /** By the names of a row's columns. */
  readonly #known = new Map<string, Columns | undefined>()

  constructor(task: TaskSpecification, format: Table["format"], as: ReadAs) {
    this.#task = task
    this.#format = format
    this.#as = as
    this.#renamed = as.renamed ?? new Map()
    this.#wanted = task.kind === "chat" ? ["messages"] : Object.keys(task.input)
  }

  /**
   * The columns of a row of a flat file: a CSV, or JSON rows with the task's fields at the top. Undefined for a row of
   * the form `{input, output}`.
   */
  of({ fields }: TableRow): Columns | undefined {
    const names = Object.keys(fields)
    const signature = names.join("\0")
    if (!this.#known.has(signature)) this.#known.set(signature, this.#columnsOf(names))
    return this.#known.get(signature)
  }

  /** Throws a DataError when no row has a column that the task needs, or one that people named. */
  requireAll(): void {
    const { file, kind } = this.#as
    const flat = this.#format === "csv" || [...this.#known.values()].some((columns) => columns !== undefined)
    const names = [...this.#names]
    const missing = [...this.#renamed.values()].filter((column) => !this.#names.has(column))
    const lacking = flat ? this.#wanted.filter((field) => !this.#fields.has(field) && this.#isRequired(field)) : []
    const issues: Issue[] = [...missing, ...lacking].map((column) => ({
      file,
      line: 1,
      message: noColumn(column, names),
    }))
    if (flat && kind === "seed" && !this.#roles.has("output"))
      issues.push({
        file,
        line: 1,
        message: `no column for the output; name one of the columns ${namesOf.output.map(show).join(", ")}`,
      })
    if (issues.length === 0) return
    throw new DataError(
      `${file} lacks columns that the task needs`,
      issues,
      kind === "benchmark"
        ? `Rename the columns: a benchmark has those of the input (${this.#wanted.join(", ")}).`
        : `Rename the columns in the first row, or say which is which: --column ${this.#wanted[0]}=<column> ` +
            "--column output=<column>",
    )
  }

  /** The columns that mean nothing to the task, in the order in which they were met. */
  get unused(): string[] {
    const used = new Set([...this.#fields.values(), ...this.#roles.values()])
    return [...this.#names].filter((name) => !used.has(name))
  }

  #columnsOf(names: readonly string[]): Columns | undefined {
    if (!this.#isFlat(names)) return undefined
    for (const name of names) this.#names.add(name)
    for (const field of this.#wanted) {
      const column = this.#fields.get(field) ?? this.#fieldColumn(field, names)
      if (column !== undefined) this.#fields.set(field, column)
    }
    for (const role of roles) {
      const column = this.#roles.get(role) ?? this.#roleColumn(role, names)
      if (column !== undefined) this.#roles.set(role, column)
    }
    return {
      fields: new Map(this.#fields),
      output: this.#roles.get("output"),
      key: this.#roles.get("key"),
      source: this.#roles.get("source"),
      split: this.#roles.get("split"),
      ambiguous: this.#ambiguityIn(names),
    }
  }

  #isFlat(names: readonly string[]): boolean {
    if (this.#format === "csv") return true
    const namesAField = [...this.#renamed].some(([name, column]) => this.#isField(name) && names.includes(column))
    if (namesAField) return true
    const hasOutput = this.#roleColumn("output", names) !== undefined
    const isConversation =
      !hasOutput && (names.includes("messages") || (names.includes("prompt") && names.includes("completion")))
    return (
      !names.includes("input") &&
      !isConversation &&
      this.#wanted.some((field) => this.#fieldColumn(field, names) !== undefined)
    )
  }

  #isField(name: string): boolean {
    return this.#wanted.includes(name.replace(/^input\./, ""))
  }

  #isRequired(field: string): boolean {
    return this.#task.kind === "chat" || this.#task.input[field]?.required === true
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

function noColumn(column: string, names: readonly string[]): string {
  const meant = nearest(column, names)
  return (
    `no column ${show(column)}; the columns are: ` +
    `${names.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`
  )
}

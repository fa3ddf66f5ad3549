import { z } from "zod"
import { canonicalJson, digestText } from "../canonical.ts"
import type { Decision, Input, Output, QueuedConflict, QueuedSuspect } from "./example.ts"
import { checkId, conflictId, revisionOf } from "./row-identity.ts"

/**
 * A line of `migrations.jsonl`: how the labels of a task changed, once and for all rows that are read; appended, never
 * changed.
 */
export const migrationSchema = z.strictObject({
  id: z.string(),
  at: z.iso.datetime(),
  labels: z
    .record(z.string(), z.string())
    .describe("Renamed and merged labels: each old name, which is retired for good, and the new one"),
  splits: z
    .record(z.string(), z.array(z.string()).min(2))
    .describe("Labels that became several: people say which one a row has"),
  rows: z.array(z.string()).describe("The rows that had a label that was split"),
})
export type Migration = z.output<typeof migrationSchema>

/** A label that was split, as a row meets it. */
export interface LabelSplit {
  readonly migration: string
  readonly from: string
  readonly into: readonly string[]
}

/** A row whose ids follow from its output. */
interface IdentifiedRow {
  readonly id: string
  readonly input: Input
  readonly output: Output
}

/**
 * What is read of a task's files as if it had been written with the labels of now: the files keep the old ones. Outputs
 * have the new names, and ids and revisions that follow from an output are those of the new one, so that what was
 * decided about a row stays decided.
 */
export class Migrations {
  readonly isEmpty: boolean
  private readonly migrations: readonly Migration[]
  /** Each retired name and the one that it is read as. */
  private readonly names: ReadonlyMap<string, string>

  constructor(migrations: readonly Migration[]) {
    this.migrations = migrations
    this.isEmpty = migrations.length === 0
    const names = new Map<string, string>()
    for (const { labels } of migrations) {
      for (const [old, name] of names) if (labels[name] !== undefined) names.set(old, labels[name])
      for (const [old, name] of Object.entries(labels)) if (!names.has(old)) names.set(old, name)
    }
    this.names = names
  }

  label(name: string): string {
    return this.names.get(name) ?? name
  }

  /** The output with the names of now; a list without a label twice. */
  output(output: Output): Output {
    if (typeof output === "string") return this.label(output)
    if (!Array.isArray(output)) return output
    const changed = [...new Set(output.map((each: unknown) => (typeof each === "string" ? this.label(each) : each)))]
    return changed.length === output.length && changed.every((each, index) => each === output[index]) ? output : changed
  }

  /** The row with the names of now. */
  row<Row extends { readonly output?: unknown }>(row: Row): Row {
    const output = this.output(row.output)
    return output === row.output ? row : { ...row, output }
  }

  /** The split that the row has to be asked about, if its output has a label that was split when the row was there. */
  splitOf(row: string, output: Output): LabelSplit | undefined {
    const has = (label: string) => output === label || (Array.isArray(output) && output.includes(label))
    for (const { id, rows, splits } of this.migrations.toReversed())
      for (const [from, into] of Object.entries(splits))
        if (has(this.label(from)) && rows.includes(row)) return { migration: id, from, into }
    return undefined
  }

  /** Whether the label was split into just these. */
  hasSplit(from: string, into: readonly string[]): boolean {
    return this.migrations.some(
      ({ splits }) => splits[from]?.length === into.length && splits[from].every((label) => into.includes(label)),
    )
  }

  /** The splits of all rows that met one. */
  splitRows(): { row: string; split: LabelSplit }[] {
    return this.migrations.flatMap(({ id, rows, splits }) =>
      rows.flatMap((row) =>
        Object.entries(splits).map(([from, into]) => ({ row, split: { migration: id, from, into } })),
      ),
    )
  }

  /**
   * Turns the ids and revisions of decisions and questions that were made under old names into those of now. `rows`
   * have the names of now.
   */
  translator(rows: readonly IdentifiedRow[], conflicts: readonly QueuedConflict[]): IdTranslator {
    const ids = new Map<string, string>()
    for (const { id, input, output } of rows)
      for (const earlier of this.earlierOutputs(output)) {
        ids.set(checkId(id, input, earlier), checkId(id, input, output))
        ids.set(revisionOf(input, earlier), revisionOf(input, output))
      }
    for (const { id, a, b } of conflicts)
      ids.set(id, conflictId(ids.get(a.check) ?? a.check, ids.get(b.check) ?? b.check))
    // What a decision that settles chose between is known by digests alone.
    for (const [old, name] of this.names) ids.set(outcomeKey(canonicalJson(old)), outcomeKey(canonicalJson(name)))
    return new IdTranslator(ids, this)
  }

  /** The outputs that are read as this one: with one of its labels under an earlier name. */
  private earlierOutputs(output: Output): Output[] {
    const earlier = (label: unknown) => [...this.names].flatMap(([old, name]) => (name === label ? [old] : []))
    if (typeof output === "string") return earlier(output)
    if (!Array.isArray(output)) return []
    return output.flatMap((label: unknown, index) => earlier(label).map((old) => output.with(index, old)))
  }
}

/** See `Migrations.translator`. */
export class IdTranslator {
  private readonly ids: ReadonlyMap<string, string>
  private readonly migrations: Migrations

  constructor(ids: ReadonlyMap<string, string>, migrations: Migrations) {
    this.ids = ids
    this.migrations = migrations
  }

  decision<Line extends Pick<Decision, "item" | "revision" | "output" | "settles">>(line: Line): Line {
    const settles = line.settles === undefined ? {} : { settles: line.settles.map((key) => this.of(key)) }
    return { ...this.migrations.row(line), item: this.of(line.item), revision: this.of(line.revision), ...settles }
  }

  suspect(suspect: QueuedSuspect): QueuedSuspect {
    return {
      ...suspect,
      id: this.of(suspect.id),
      label: this.migrations.label(suspect.label),
      suggested: this.migrations.label(suspect.suggested),
    }
  }

  conflict(conflict: QueuedConflict): QueuedConflict {
    const side = (asked: QueuedConflict["a"]) => ({ ...this.migrations.row(asked), check: this.of(asked.check) })
    return { ...conflict, id: this.of(conflict.id), a: side(conflict.a), b: side(conflict.b) }
  }

  private of(id: string): string {
    return this.ids.get(id) ?? id
  }
}

/** How a decision that settles names an outcome. */
export function outcomeKey(outcome: string): string {
  return digestText(outcome).slice(0, "sha256:".length + 16)
}

import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { DataError } from "../../core/errors.ts"
import {
  assignmentSchema,
  realInputSchema,
  seedSchema,
  splits,
  type Assignment,
  type RealInput,
  type Seed,
  type Split,
} from "../../core/rows/example.ts"
import type { Erased } from "../../core/rows/erasure.ts"
import {
  namedIn,
  refreshSchema,
  standingAfter,
  type Held,
  type HoldoutRefresh,
  type StandingAssignment,
} from "../../core/rows/holdout-refresh.ts"
import { Migrations, migrationSchema, type Migration } from "../../core/rows/migration.ts"
import { jsonPieces, writePieces } from "../files/atomic-writer.ts"
import { appendAtomically, readPieces, stampOf, toJsonLines } from "../files/files.ts"
import { LineIds, SplitLines, type RowKind } from "../files/split-lines.ts"
import type { Workspace } from "../workspace.ts"
import { GrownRows } from "./grown-rows.ts"
import { ReviewLogs } from "./review-logs.ts"
import { RowLines } from "./row-lines.ts"

/**
 * The rows of one task in the workspace: what people wrote and where it is held, what was grown, and what was decided.
 * Reading a missing file gives no rows; a broken line is a DataError with its place. Writing is atomic, a file at a
 * time.
 */
export class TaskRows {
  readonly folder: string
  /** What was grown. */
  readonly grown: GrownRows
  /** What was decided, and what is asked. */
  readonly review: ReviewLogs
  private readonly reader: RowLines

  constructor(workspace: Workspace, task: string) {
    this.folder = workspace.taskFolder(task)
    this.reader = new RowLines(workspace, this.folder)
    this.grown = new GrownRows(this.reader, () => this.migrations)
    this.review = new ReviewLogs(this.reader, this)
  }

  get seedsFile(): string {
    return join(this.folder, "seeds.jsonl")
  }
  get inputsFile(): string {
    return join(this.folder, "inputs.jsonl")
  }
  get splitsFile(): string {
    return join(this.folder, "splits.jsonl")
  }

  seeds(): Seed[] {
    return [...this.eachSeed()]
  }
  inputs(): RealInput[] {
    return [...this.eachInput()]
  }
  /**
   * The seeds one by one, without those that are not wanted by their ids. What is wrong with a line is known once all
   * are read.
   */
  *eachSeed(isWanted?: (id: string) => boolean): Generator<Seed> {
    const { migrations } = this
    for (const seed of this.reader.each(this.seedsFile, seedSchema, isWanted))
      yield migrations.isEmpty ? seed : migrations.row(seed)
  }
  /** The real inputs one by one, like `eachSeed`. */
  eachInput(isWanted?: (id: string) => boolean): Generator<RealInput> {
    return this.reader.each(this.inputsFile, realInputSchema, isWanted)
  }
  /**
   * The assignments, the first one of an id first, as they stand after the refreshes of the holdout: an assignment
   * never changes by itself, so a later line for the same id is ignored.
   */
  assignments(): StandingAssignment[] {
    return [...this.eachAssignment()]
  }
  /** The assignments one by one. */
  *eachAssignment(): Generator<StandingAssignment> {
    const { migrations } = this
    const standing = standingAfter(this.refreshes())
    const seen = new Set<string>()
    for (const line of this.reader.lines(this.splitsFile, assignmentSchema)) {
      if (seen.has(line.id)) continue
      seen.add(line.id)
      yield standing(migrations.isEmpty ? line : { ...line, stratum: migrations.label(line.stratum) })
    }
  }
  /**
   * Throws, and says of every line of the file what is wrong with it; `rows` reads it as it is read everywhere. Where
   * they are sound, others changed the file.
   */
  refuse(file: string, rows: Iterable<unknown>): never {
    for (const _ of rows);
    throw new DataError(`${this.reader.show(file)} changed while it was read`, [], "Run the command again.")
  }
  get migrationsFile(): string {
    return join(this.folder, "migrations.jsonl")
  }
  /** How the labels changed. Everything else is read with the labels of now. */
  get migrations(): Migrations {
    return new Migrations(this.reader.read(this.migrationsFile, migrationSchema))
  }
  addMigration(migration: Migration): void {
    appendAtomically(this.migrationsFile, toJsonLines([migration]))
  }
  get refreshesFile(): string {
    return join(this.folder, "refreshes.jsonl")
  }
  /** The refreshes of the holdout, oldest first. */
  refreshes(): HoldoutRefresh[] {
    return this.reader.read(this.refreshesFile, refreshSchema)
  }
  addRefresh(refresh: HoldoutRefresh): void {
    appendAtomically(this.refreshesFile, toJsonLines([refresh]))
  }
  /** Where each id is held that is not in train, after the refreshes of the holdout. */
  heldOut(): Map<string, Held> {
    const ids = new LineIds(namedIn(this.refreshes()))
    new SplitLines(this.splitsFile).each((line) => splits[line.split] === "train" || ids.add(line))
    return new Map([...this.heldOf(ids)].filter(([, split]) => split !== "train"))
  }
  /** Where each of the ids is held that has a split. */
  heldOf(ids: LineIds): Map<string, Held> {
    const standing = standingAfter(this.refreshes())
    const held = new Map<string, Held>()
    const lines = new SplitLines(this.splitsFile)
    const isSound = lines.each((line) => {
      if (!ids.has(line)) return
      const assignment = {
        id: line.id(),
        split: splits[line.split] as Split,
        stratum: lines.strata[line.stratum] as string,
      }
      if (!held.has(assignment.id)) held.set(assignment.id, standing(assignment).split)
    })
    if (!isSound) this.refuse(this.splitsFile, this.eachAssignment())
    return held
  }
  /** What was erased from the task, for good. */
  erased(): Erased {
    return this.reader.erased()
  }

  writeSeeds(seeds: Iterable<Seed>): void {
    this.writeRows("seed", seeds)
  }
  writeInputs(inputs: Iterable<RealInput>): void {
    this.writeRows("input", inputs)
  }
  /**
   * The file has the rows and then the lines. The rows may be made of those in the file: it is read before it is
   * replaced.
   */
  writeRows(kind: RowKind, rows: Iterable<Seed | RealInput>, lines: Iterable<Uint8Array> = []): void {
    function* pieces() {
      yield* jsonPieces(rows)
      yield* lines
    }
    writePieces(kind === "seed" ? this.seedsFile : this.inputsFile, pieces())
  }
  /**
   * The file holds what it held before, byte for byte, and all of the assignments after it, or only what it held
   * before.
   */
  addAssignments(added: Iterable<Assignment>): void {
    const { splitsFile } = this
    function* pieces() {
      let last = newline
      for (const piece of readPieces(splitsFile)) {
        last = piece.at(-1) as number
        yield piece
      }
      if (last !== newline) yield "\n"
      yield* jsonPieces(added)
    }
    writePieces(splitsFile, pieces())
  }
  /** A text that changes when a file of the task changes: names, sizes and times, no content is read. */
  stamp(): string {
    return this.files().map(stampOf).join("\n")
  }
  /** The files of rows, of decisions and of what came of them, sorted. */
  files(): string[] {
    const folders = ["", "candidates", "decisions", "queue", "yields"].map((name) => join(this.folder, name))
    const files = folders.filter(existsSync).flatMap((folder) =>
      readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.jsonl?$/.test(entry.name))
        .map((entry) => join(folder, entry.name)),
    )
    return files.sort()
  }
}

const newline = 10

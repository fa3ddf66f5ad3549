import { existsSync, readdirSync } from "node:fs"
import { basename, join } from "node:path"
import type { z } from "zod"
import { DataError, type Issue } from "../../core/errors.ts"
import {
  assignmentSchema,
  batchYieldSchema,
  candidateSchema,
  decisionSchema,
  labelSuspectSchema,
  queuedConflictSchema,
  realInputSchema,
  seedSchema,
  splits,
  type Assignment,
  type BatchYield,
  type Candidate,
  type Decision,
  type DecisionLine,
  type QuarantinedAnswer,
  type QueuedConflict,
  type QueuedSuspect,
  type RealInput,
  type Seed,
  type Split,
} from "../../core/rows/example.ts"
import { standingDecisions } from "../../core/rows/decisions.ts"
import { Migrations, migrationSchema, type IdTranslator, type Migration } from "../../core/rows/migration.ts"
import { erasedBy, type ErasableRow, type Erased } from "../../core/rows/erasure.ts"
import {
  namedIn,
  refreshSchema,
  standingAfter,
  type Held,
  type HoldoutRefresh,
  type StandingAssignment,
} from "../../core/rows/holdout-refresh.ts"
import { formatPath, issuesOf, parseJson } from "../../core/parse.ts"
import { jsonPieces, writePieces } from "../files/atomic-writer.ts"
import { readTombstones } from "./erasures.ts"
import {
  appendAtomically,
  readByteLines,
  readPieces,
  readText,
  stampOf,
  toJsonLines,
  writeAtomically,
} from "../files/files.ts"
import { LineIds, SplitLines, type RowKind } from "../files/split-lines.ts"
import type { Workspace } from "../workspace.ts"

/** A candidate and the batch that it was grown in. */
export type PlacedCandidate = Candidate & { readonly batch: string }

/**
 * The rows of one task in the workspace: what people wrote, grew and decided. Reading a missing file gives no rows; a
 * broken line is a DataError with its place. Writing is atomic, a file at a time.
 */
export class TaskRows {
  readonly folder: string
  private readonly workspace: Workspace

  constructor(workspace: Workspace, task: string) {
    this.workspace = workspace
    this.folder = workspace.taskFolder(task)
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
  /** What the work cannot hold in memory lies beside this path while it lasts. */
  spillPath(work: "build" | "hold-out"): string {
    return join(this.folder, work)
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
    for (const seed of this.each(this.seedsFile, seedSchema, isWanted))
      yield migrations.isEmpty ? seed : migrations.row(seed)
  }
  /** The real inputs one by one, like `eachSeed`. */
  eachInput(isWanted?: (id: string) => boolean): Generator<RealInput> {
    return this.each(this.inputsFile, realInputSchema, isWanted)
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
    for (const line of this.lines(this.splitsFile, assignmentSchema)) {
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
    throw new DataError(`${this.workspace.show(file)} changed while it was read`, [], "Run the command again.")
  }
  get migrationsFile(): string {
    return join(this.folder, "migrations.jsonl")
  }
  /** How the labels changed. Everything else is read with the labels of now. */
  get migrations(): Migrations {
    return new Migrations(this.read(this.migrationsFile, migrationSchema))
  }
  addMigration(migration: Migration): void {
    appendAtomically(this.migrationsFile, toJsonLines([migration]))
  }
  private renamed<Row extends { readonly output?: unknown }>(rows: Row[]): Row[] {
    const { migrations } = this
    return migrations.isEmpty ? rows : rows.map((row) => migrations.row(row))
  }
  private translator(): IdTranslator | undefined {
    const { migrations } = this
    if (migrations.isEmpty) return undefined
    const rows = [...this.seeds(), ...this.candidates()]
    // An output that a person gave may have been corrected later on: questions about the row follow from it.
    const inputs = new Map([...this.inputs(), ...rows].map(({ id, input }) => [id, input]))
    const given = this.filesIn("decisions")
      .flatMap((file) => this.read(file, decisionSchema))
      .flatMap(({ item, output }) => {
        const input = inputs.get(item)
        return input === undefined || output === undefined
          ? []
          : [{ id: item, input, output: migrations.output(output) }]
      })
    return migrations.translator([...rows, ...given], this.read(this.conflictsFile, queuedConflictSchema))
  }

  get refreshesFile(): string {
    return join(this.folder, "refreshes.jsonl")
  }
  /** The refreshes of the holdout, oldest first. */
  refreshes(): HoldoutRefresh[] {
    return this.read(this.refreshesFile, refreshSchema)
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
  /** The candidates, each with the batch that it was grown in. */
  candidates(): PlacedCandidate[] {
    const candidates = this.filesIn("candidates").flatMap((file) =>
      this.read(file, candidateSchema).map((candidate) => ({ ...candidate, batch: basename(file, ".jsonl") })),
    )
    return this.renamed(this.standing(candidates))
  }
  /**
   * The decisions of every session that were not taken back, in an order that does not depend on file names: by time,
   * then by content.
   */
  decisions(): Decision[] {
    const lines = this.standing(this.filesIn("decisions").flatMap((file) => this.read(file, decisionSchema)))
    const translator = this.translator()
    const read = translator === undefined ? lines : lines.map((line) => translator.decision(line))
    return standingDecisions(read.sort((a, b) => compare(a.at, b.at) || compare(JSON.stringify(a), JSON.stringify(b))))
  }

  /** What was erased from the task, for good. */
  erased(): Erased {
    return erasedBy(readTombstones(this.folder))
  }
  get conflictsFile(): string {
    return join(this.folder, "queue", "conflicts.jsonl")
  }
  /** The near-duplicates with different outputs that builds found. */
  conflicts(): QueuedConflict[] {
    const conflicts = this.read(this.conflictsFile, queuedConflictSchema)
    const translator = this.translator()
    return translator === undefined ? conflicts : conflicts.map((conflict) => translator.conflict(conflict))
  }
  writeConflicts(conflicts: readonly QueuedConflict[]): void {
    writeAtomically(this.conflictsFile, toJsonLines(conflicts))
  }

  get suspectsFile(): string {
    return join(this.folder, "queue", "label-errors.jsonl")
  }
  /** The rows that the searches for label errors suspected, the most suspect first. */
  suspects(): QueuedSuspect[] {
    const suspects = this.standing(this.read(this.suspectsFile, labelSuspectSchema))
    const translator = this.translator()
    return translator === undefined ? suspects : suspects.map((suspect) => translator.suspect(suspect))
  }

  writeSuspects(suspects: readonly QueuedSuspect[]): void {
    writeAtomically(this.suspectsFile, toJsonLines(suspects))
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
  batchFile(batch: string): string {
    return join(this.folder, "candidates", `${batch}.jsonl`)
  }
  hasBatch(batch: string): boolean {
    return existsSync(this.batchFile(batch))
  }
  writeBatch(batch: string, candidates: readonly Candidate[]): void {
    writeAtomically(this.batchFile(batch), toJsonLines(candidates))
  }
  /** The answers of the batch that could not be read. */
  quarantineFile(batch: string): string {
    return join(this.folder, "quarantine", `${batch}.jsonl`)
  }
  writeQuarantine(batch: string, answers: readonly QuarantinedAnswer[]): void {
    if (answers.length > 0 || existsSync(this.quarantineFile(batch)))
      writeAtomically(this.quarantineFile(batch), toJsonLines(answers))
  }
  /** What came of the batch; undefined for one of an older version. */
  yieldOf(batch: string): BatchYield | undefined {
    const file = this.yieldFile(batch)
    return existsSync(file) ? batchYieldSchema.safeParse(parseJson(readText(file))).data : undefined
  }
  writeYield(found: BatchYield): void {
    writeAtomically(this.yieldFile(found.batch), `${JSON.stringify(found, null, 2)}\n`)
  }
  /** The names of the batches, sorted. */
  batches(): string[] {
    const folder = join(this.folder, "candidates")
    if (!existsSync(folder)) return []
    return readdirSync(folder)
      .filter((file) => file.endsWith(".jsonl"))
      .map((file) => file.slice(0, -".jsonl".length))
      .sort()
  }
  private yieldFile(batch: string): string {
    return join(this.folder, "yields", `${batch}.json`)
  }
  sessionFile(session: string): string {
    return join(this.folder, "decisions", `${session}.jsonl`)
  }
  writeSession(session: string, decisions: readonly DecisionLine[]): void {
    writeAtomically(this.sessionFile(session), toJsonLines(decisions))
  }
  /** The lines are on disk, all of them or none, after what the session holds. */
  appendToSession(session: string, lines: readonly DecisionLine[]): void {
    appendAtomically(this.sessionFile(session), toJsonLines(lines))
  }

  /** A text that changes when a file of the task changes: names, sizes and times, no content is read. */
  stamp(): string {
    const folders = ["", "candidates", "decisions", "queue"].map((name) => join(this.folder, name))
    const files = folders.filter(existsSync).flatMap((folder) =>
      readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(".jsonl"))
        .map((entry) => join(folder, entry.name)),
    )
    return files.sort().map(stampOf).join("\n")
  }

  /** The rows without what was erased, also when a merge or a restored file brings it back. */
  private standing<Row extends ErasableRow>(rows: Row[]): Row[] {
    const erased = this.erased()
    return erased.isEmpty ? rows : rows.filter((row) => erased.of(row) === undefined)
  }

  private filesIn(name: string): string[] {
    const folder = join(this.folder, name)
    if (!existsSync(folder)) return []
    const files = readdirSync(folder).filter((file) => file.endsWith(".jsonl"))
    return files.sort().map((file) => join(folder, file))
  }

  private read<Row>(path: string, schema: z.ZodType<Row>): Row[] {
    return [...this.lines(path, schema)]
  }

  /** The rows of a file in which each id stands once, without what was erased. */
  private *each<Row extends ErasableRow & { readonly id: string }>(
    path: string,
    schema: z.ZodType<Row>,
    isWanted: (id: string) => boolean = () => true,
  ): Generator<Row> {
    const erased = this.erased()
    const ids = new UniqueIds()
    for (const row of this.lines(path, schema, (id) => ids.add(id) && isWanted(id)))
      if (erased.isEmpty || erased.of(row) === undefined) yield row
    ids.requireUnique(this.workspace.show(path))
  }

  /**
   * The rows of a file, parsed. A line that is no row is a DataError, with all the others, once all are read. A line is
   * not looked at further than its id where that comes first and is not wanted.
   */
  private *lines<Row>(path: string, schema: z.ZodType<Row>, isWanted?: (id: string) => boolean): Generator<Row> {
    const file = this.workspace.show(path)
    const issues: Issue[] = []
    for (const line of readByteLines(path)) {
      const first = isWanted && firstId(line.bytes)
      if (first !== undefined && !isWanted?.(first)) continue
      const text = line.text()
      if (text.trim() === "") continue
      const value = parseJson(text)
      const result = value === undefined ? undefined : schema.safeParse(value)
      if (result === undefined) issues.push({ file, line: line.number, message: "not valid JSON" })
      else if (!result.success)
        issues.push(
          ...issuesOf(schema, result.error, value).map(({ path: at, message }) => ({
            file,
            line: line.number,
            path: formatPath(at),
            message,
          })),
        )
      else if (first !== undefined || isWanted === undefined || isWanted((result.data as { readonly id: string }).id))
        yield result.data
    }
    if (issues.length > 0)
      throw new DataError(
        `${file} is invalid`,
        issues,
        "Mend those lines (git shows what changed), or restore the file.",
      )
  }
}

const newline = 10
const idStart = Buffer.from('{"id":"')
const longestId = 64

/** The id with which the line begins, as we write it; undefined where it stands elsewhere or is no plain word. */
function firstId(line: Buffer): string | undefined {
  if (line.length <= idStart.length || idStart.compare(line, 0, idStart.length) !== 0) return undefined
  const end = line.indexOf('"', idStart.length)
  if (end < 0 || end > idStart.length + longestId) return undefined
  const id = line.toString("latin1", idStart.length, end)
  return /^\w+$/.test(id) ? id : undefined
}

/** Ids in the order of their rows, of which none may stand twice. */
class UniqueIds {
  readonly #rows = new Map<string, number>()
  readonly #issues: { readonly id: string; readonly row: number; readonly first: number }[] = []
  #count = 0

  add(id: string): true {
    const row = ++this.#count
    const first = this.#rows.get(id)
    if (first === undefined) this.#rows.set(id, row)
    else this.#issues.push({ id, row, first })
    return true
  }

  requireUnique(file: string): void {
    if (this.#issues.length === 0) return
    const issues = this.#issues.map(({ id, row, first }) => ({
      file,
      line: row,
      path: "id",
      message: `${id} is already the id of row ${first}`,
    }))
    throw new DataError(`${file} has an id twice`, issues, "Remove one of the rows.")
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

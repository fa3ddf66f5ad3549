import { existsSync, readdirSync, statSync } from "node:fs"
import { basename, join } from "node:path"
import type { z } from "zod"
import { DataError, type Issue } from "../core/errors.ts"
import {
  assignmentSchema,
  batchYieldSchema,
  candidateSchema,
  decisionSchema,
  labelSuspectSchema,
  queuedConflictSchema,
  realInputSchema,
  seedSchema,
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
} from "../core/example.ts"
import { standingDecisions } from "../core/decisions.ts"
import { erasedBy, type ErasableRow, type Erased } from "../core/erasure.ts"
import { refreshSchema, standingAssignments, type HoldoutRefresh, type StandingAssignment } from "../core/holdout-refresh.ts"
import { formatPath, issuesOf, parseJson } from "../core/parse.ts"
import { readTombstones } from "./erasures.ts"
import { appendAtomically, readLines, readText, toJsonLines, writeAtomically } from "./files.ts"
import type { Workspace } from "./workspace.ts"

/** A candidate and the batch that it was grown in. */
export type PlacedCandidate = Candidate & { readonly batch: string }

/** The rows of one task in the workspace: what people wrote, grew and decided. Reading a missing file gives no rows; a broken line is a DataError with its place. Writing is atomic, a file at a time. */
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

  seeds(): Seed[] {
    return this.standing(unique(this.read(this.seedsFile, seedSchema), (seed) => seed.id, this.workspace.show(this.seedsFile)))
  }
  inputs(): RealInput[] {
    return this.standing(unique(this.read(this.inputsFile, realInputSchema), (input) => input.id, this.workspace.show(this.inputsFile)))
  }
  /** The assignments, the first one of an id first, as they stand after the refreshes of the holdout: an assignment never changes by itself, so a
   * later line for the same id is ignored. */
  assignments(): StandingAssignment[] {
    const rows = this.read(this.splitsFile, assignmentSchema)
    return standingAssignments([...new Map(rows.toReversed().map((row) => [row.id, row])).values()].toReversed(), this.refreshes())
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
  /** The candidates, each with the batch that it was grown in. */
  candidates(): PlacedCandidate[] {
    return this.standing(
      this.filesIn("candidates").flatMap((file) =>
        this.read(file, candidateSchema).map((candidate) => ({ ...candidate, batch: basename(file, ".jsonl") })),
      ),
    )
  }
  /** The decisions of every session that were not taken back, in an order that does not depend on file names: by time, then by content. */
  decisions(): Decision[] {
    const lines = this.standing(this.readFolder("decisions", decisionSchema))
    return standingDecisions(lines.sort((a, b) => compare(a.at, b.at) || compare(JSON.stringify(a), JSON.stringify(b))))
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
    return this.read(this.conflictsFile, queuedConflictSchema)
  }
  writeConflicts(conflicts: readonly QueuedConflict[]): void {
    writeAtomically(this.conflictsFile, toJsonLines(conflicts))
  }

  get suspectsFile(): string {
    return join(this.folder, "queue", "label-errors.jsonl")
  }
  /** The rows that the searches for label errors suspected, the most suspect first. */
  suspects(): QueuedSuspect[] {
    return this.standing(this.read(this.suspectsFile, labelSuspectSchema))
  }

  writeSuspects(suspects: readonly QueuedSuspect[]): void {
    writeAtomically(this.suspectsFile, toJsonLines(suspects))
  }
  writeSeeds(seeds: readonly Seed[]): void {
    writeAtomically(this.seedsFile, toJsonLines(seeds))
  }
  writeInputs(inputs: readonly RealInput[]): void {
    writeAtomically(this.inputsFile, toJsonLines(inputs))
  }
  addAssignments(added: readonly Assignment[]): void {
    if (added.length > 0) appendAtomically(this.splitsFile, toJsonLines(added))
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
    if (answers.length > 0 || existsSync(this.quarantineFile(batch))) writeAtomically(this.quarantineFile(batch), toJsonLines(answers))
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

  private readFolder<Schema extends z.ZodType>(name: string, schema: Schema): z.output<Schema>[] {
    return this.filesIn(name).flatMap((file) => this.read(file, schema))
  }

  private filesIn(name: string): string[] {
    const folder = join(this.folder, name)
    if (!existsSync(folder)) return []
    const files = readdirSync(folder).filter((file) => file.endsWith(".jsonl"))
    return files.sort().map((file) => join(folder, file))
  }

  private read<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema>[] {
    const file = this.workspace.show(path)
    const rows: z.output<Schema>[] = []
    const issues: Issue[] = []
    for (const { text, number } of readLines(path)) {
      if (text.trim() === "") continue
      const value = parseJson(text)
      if (value === undefined) {
        issues.push({ file, line: number, message: "not valid JSON" })
        continue
      }
      const result = schema.safeParse(value)
      if (result.success) rows.push(result.data)
      else
        issues.push(...issuesOf(schema, result.error, value).map(({ path: at, message }) => ({ file, line: number, path: formatPath(at), message })))
    }
    if (issues.length > 0) throw new DataError(`${file} is invalid`, issues, "Mend those lines (git shows what changed), or restore the file.")
    return rows
  }
}

/** A file that goes while it is looked at has no stamp. */
function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats === undefined ? "" : `${file} ${stats.size} ${stats.mtimeMs} ${stats.ino}`
}

function unique<Row>(rows: Row[], idOf: (row: Row) => string, file: string): Row[] {
  const seen = new Map<string, number>()
  const issues = rows.flatMap((row, index) => {
    const first = seen.get(idOf(row))
    seen.set(idOf(row), first ?? index + 1)
    return first === undefined ? [] : [{ file, line: index + 1, path: "id", message: `${idOf(row)} is already the id of row ${first}` }]
  })
  if (issues.length > 0) throw new DataError(`${file} has an id twice`, issues, "Remove one of the rows.")
  return rows
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

import { join } from "node:path"
import { inOrder, standingDecisions } from "../../core/rows/decisions.ts"
import {
  decisionSchema,
  labelSuspectSchema,
  queuedConflictSchema,
  type Decision,
  type DecisionLine,
  type QueuedConflict,
  type QueuedSuspect,
  type RealInput,
  type Seed,
} from "../../core/rows/example.ts"
import type { IdTranslator, Migrations } from "../../core/rows/migration.ts"
import { appendAtomically, toJsonLines, writeAtomically } from "../files/files.ts"
import type { PlacedCandidate } from "./grown-rows.ts"
import type { RowLines } from "./row-lines.ts"

/** The rows that a review is about. */
interface ReviewedRows {
  readonly migrations: Migrations
  seeds(): readonly Seed[]
  inputs(): readonly RealInput[]
  readonly grown: { candidates(): readonly PlacedCandidate[] }
}

/** The logs of one task's review: what experts decided, and what builds and searches ask them. */
export class ReviewLogs {
  private readonly reader: RowLines
  private readonly rows: ReviewedRows

  constructor(reader: RowLines, rows: ReviewedRows) {
    this.reader = reader
    this.rows = rows
  }

  /** The files of the sessions, sorted. */
  files(): string[] {
    return this.reader.filesIn("decisions")
  }

  /**
   * The decisions of every session that were not taken back, in an order that does not depend on file names: by time,
   * then by content.
   */
  decisions(): Decision[] {
    const lines = this.reader.standing(this.files().flatMap((file) => this.reader.read(file, decisionSchema)))
    const translator = this.translator()
    const read = translator === undefined ? lines : lines.map((line) => translator.decision(line))
    return standingDecisions(inOrder(read))
  }

  get conflictsFile(): string {
    return join(this.reader.folder, "queue", "conflicts.jsonl")
  }

  /** The near-duplicates with different outputs that builds found. */
  conflicts(): QueuedConflict[] {
    const conflicts = this.reader.read(this.conflictsFile, queuedConflictSchema)
    const translator = this.translator()
    return translator === undefined ? conflicts : conflicts.map((conflict) => translator.conflict(conflict))
  }

  writeConflicts(conflicts: readonly QueuedConflict[]): void {
    writeAtomically(this.conflictsFile, toJsonLines(conflicts))
  }

  get suspectsFile(): string {
    return join(this.reader.folder, "queue", "label-errors.jsonl")
  }

  /** The rows that the searches for label errors suspected, the most suspect first. */
  suspects(): QueuedSuspect[] {
    const suspects = this.reader.standing(this.reader.read(this.suspectsFile, labelSuspectSchema))
    const translator = this.translator()
    return translator === undefined ? suspects : suspects.map((suspect) => translator.suspect(suspect))
  }

  writeSuspects(suspects: readonly QueuedSuspect[]): void {
    writeAtomically(this.suspectsFile, toJsonLines(suspects))
  }

  sessionFile(session: string): string {
    return join(this.reader.folder, "decisions", `${session}.jsonl`)
  }

  writeSession(session: string, decisions: readonly DecisionLine[]): void {
    writeAtomically(this.sessionFile(session), toJsonLines(decisions))
  }

  /** The lines are on disk, all of them or none, after what the session holds. */
  appendToSession(session: string, lines: readonly DecisionLine[]): void {
    appendAtomically(this.sessionFile(session), toJsonLines(lines))
  }

  private translator(): IdTranslator | undefined {
    const { migrations } = this.rows
    if (migrations.isEmpty) return undefined
    const rows = [...this.rows.seeds(), ...this.rows.grown.candidates()]
    // An output that a person gave may have been corrected later on: questions about the row follow from it.
    const inputs = new Map([...this.rows.inputs(), ...rows].map(({ id, input }) => [id, input]))
    const given = this.files()
      .flatMap((file) => this.reader.read(file, decisionSchema))
      .flatMap(({ item, output }) => {
        const input = inputs.get(item)
        return input === undefined || output === undefined
          ? []
          : [{ id: item, input, output: migrations.output(output) }]
      })
    return migrations.translator([...rows, ...given], this.reader.read(this.conflictsFile, queuedConflictSchema))
  }
}

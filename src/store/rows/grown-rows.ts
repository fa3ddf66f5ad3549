import { existsSync } from "node:fs"
import { basename, join } from "node:path"
import { parseJson } from "../../core/json-text.ts"
import {
  batchYieldSchema,
  candidateSchema,
  type BatchYield,
  type Candidate,
  type QuarantinedAnswer,
} from "../../core/rows/example.ts"
import type { Migrations } from "../../core/rows/migration.ts"
import { readText, toJsonLines, writeAtomically } from "../files/files.ts"
import type { RowLines } from "./row-lines.ts"

/** A candidate and the batch that it was grown in. */
export type PlacedCandidate = Candidate & { readonly batch: string }

/** What was grown for one task, by batches: candidates, answers that could not be read, and what came of each batch. */
export class GrownRows {
  private readonly reader: RowLines
  private readonly migrations: () => Migrations

  constructor(reader: RowLines, migrations: () => Migrations) {
    this.reader = reader
    this.migrations = migrations
  }

  /** The files of the batches, sorted. */
  files(): string[] {
    return this.reader.filesIn("candidates")
  }

  /** The candidates, each with the batch that it was grown in, with the labels of now. */
  candidates(): PlacedCandidate[] {
    const candidates = this.files().flatMap((file) =>
      this.reader.read(file, candidateSchema).map((candidate) => ({ ...candidate, batch: basename(file, ".jsonl") })),
    )
    const standing = this.reader.standing(candidates)
    const migrations = this.migrations()
    return migrations.isEmpty ? standing : standing.map((row) => migrations.row(row))
  }

  /** The names of the batches, sorted. */
  batches(): string[] {
    return this.files()
      .map((file) => basename(file, ".jsonl"))
      .sort()
  }

  batchFile(batch: string): string {
    return join(this.reader.folder, "candidates", `${batch}.jsonl`)
  }

  hasBatch(batch: string): boolean {
    return existsSync(this.batchFile(batch))
  }

  /** The candidates of the batch as they stand in its file, without what was erased; none where there is no batch. */
  batch(batch: string): Candidate[] {
    return this.hasBatch(batch) ? this.reader.standing(this.reader.read(this.batchFile(batch), candidateSchema)) : []
  }

  writeBatch(batch: string, candidates: readonly Candidate[]): void {
    writeAtomically(this.batchFile(batch), toJsonLines(candidates))
  }

  /** The answers of the batch that could not be read. */
  quarantineFile(batch: string): string {
    return join(this.reader.folder, "quarantine", `${batch}.jsonl`)
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

  private yieldFile(batch: string): string {
    return join(this.reader.folder, "yields", `${batch}.json`)
  }
}

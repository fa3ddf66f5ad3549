import { basename } from "node:path"
import type { z } from "zod"
import { DataError } from "../../core/errors.ts"
import {
  candidateSchema,
  decisionSchema,
  realInputSchema,
  type DecisionLine,
  type RealInput,
} from "../../core/rows/example.ts"
import { ByteRanges } from "../files/byte-ranges.ts"
import type { Workspace } from "../workspace.ts"
import type { Columns } from "./columns.ts"
import { foldedLines, type LineFold } from "./folded-lines.ts"
import type { PlacedCandidate } from "./grown-rows.ts"
import {
  candidateFold,
  decisionFold,
  inputFold,
  parsed,
  type CandidateColumn,
  type DecisionColumn,
  type InputColumn,
} from "./review-columns.ts"
import type { FileDigests } from "./remembered.ts"
import type { TaskRows } from "./task-rows.ts"

/** A file as columns, of which a row can be read again as a whole. */
export interface FoldedFile<Name extends string, Row> {
  readonly columns: Columns<Name>
  /** Its name without its ending. */
  readonly name: string
  /** The row with the number as it stands in the file. */
  read(row: number): Row
}

/** The rows that a review is about, and its decisions, by files, in the order of their names. */
export interface FoldedRows {
  readonly candidates: readonly FoldedFile<CandidateColumn, PlacedCandidate>[]
  readonly inputs: FoldedFile<InputColumn, RealInput>
  readonly decisions: readonly FoldedFile<DecisionColumn, DecisionLine>[]
  close(): void
}

/** What folded rows are made of. */
export interface FoldedFrom {
  readonly workspace: Workspace
  readonly task: string
  readonly rows: TaskRows
  /** Whether the outputs of candidates are kept: where they are labels. */
  readonly withOutputs: boolean
  readonly digests?: FileDigests | undefined
}

/**
 * Undefined where rows are to be gone through one by one: one was erased, labels were migrated, or a line is none that
 * columns can hold.
 */
export function foldedRows({ workspace, task, rows, withOutputs, digests }: FoldedFrom): FoldedRows | undefined {
  if (!rows.erased().isEmpty || !rows.migrations.isEmpty) return undefined
  const opened: ByteRanges[] = []
  const folded = <Name extends string, Row>(path: string, fold: LineFold<Name>, schema: z.ZodType<Row>) => {
    const columns = foldedLines(workspace, task, path, fold, digests)
    if (columns === undefined) return undefined
    let file: ByteRanges | undefined
    const read = (row: number): Row => {
      if (file === undefined) {
        file = new ByteRanges(path, 1 << 16)
        opened.push(file)
        digests?.use(path)
      }
      const found = parsed(schema, file.line(columns.at("start" as Name, row)).toString("utf8"))
      if (found !== undefined) return found
      throw new DataError(`${workspace.show(path)} changed while it was read`, [], "Run the command again.")
    }
    return { columns, name: basename(path, ".jsonl"), read }
  }
  const candidates = rows.grown.files().map((path) => {
    const file = folded(path, candidateFold(withOutputs), candidateSchema)
    return file && { ...file, read: (row: number) => ({ ...file.read(row), batch: file.name }) }
  })
  const decisions = rows.review.files().map((path) => folded(path, decisionFold, decisionSchema))
  const inputs = folded(rows.inputsFile, inputFold, realInputSchema)
  const isWhole = <Part>(part: Part | undefined): part is Part => part !== undefined
  if (inputs === undefined || !candidates.every(isWhole) || !decisions.every(isWhole)) return undefined
  const close = () => {
    for (const file of opened) file.close()
  }
  return { candidates, inputs, decisions, close }
}

import type { DroppedExample, Example } from "../../core/rows/example.ts"
import { DataError } from "../../core/errors.ts"
import { inputText } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { anyInputText } from "../../curation/version/validity.ts"
import { Witness, type WitnessedRow, type WitnessNotes } from "../../curation/leaks/witness.ts"
import type { WitnessIndex } from "../../curation/leaks/witness-index.ts"
import { ByteRanges } from "../../store/files/byte-ranges.ts"

/** The lines of a frozen file that witnesses share, range by range; plain data. */
export interface WitnessShare {
  readonly task: TaskSpecification
  readonly index: WitnessIndex
  readonly seed: number
  readonly path: string
  /** The next range that nobody has. */
  readonly next: Int32Array<SharedArrayBuffer>
}

/** What one witness notes of the ranges that it gets, until there are none left. */
export function witnessLines({ task, index, seed, path, next }: WitnessShare): WitnessNotes {
  const witness = new Witness(index, seed)
  const ranges = new ByteRanges(path, rangeBytes)
  try {
    for (let range = Atomics.add(next, 0, 1); range < ranges.count; range = Atomics.add(next, 0, 1)) {
      ranges.visitLines(range, (line) => witness.look(frozenRow(task, line, path)))
      // A range is a batch, so that it does not matter who gets it.
      witness.endBatch()
    }
  } finally {
    ranges.close()
  }
  return witness.notes()
}

/** Shows `visit` every row of a file of a version. */
export function eachFrozenRow(
  task: TaskSpecification,
  path: string,
  visit: (row: WitnessedRow & { readonly reason: string | undefined }) => void,
): void {
  const ranges = new ByteRanges(path, rangeBytes)
  try {
    for (let range = 0; range < ranges.count; range += 1)
      ranges.visitLines(range, (line) => visit(frozenRow(task, line, path)))
  } finally {
    ranges.close()
  }
}

const rangeBytes = 1 << 20

function frozenRow(
  task: TaskSpecification,
  line: Buffer,
  path: string,
): WitnessedRow & { readonly reason: string | undefined } {
  const row = parsed(line)
  if (typeof row?.id !== "string" || typeof row.input !== "object" || row.input === null)
    throw new DataError(`${path} has a line that is no example: ${line.toString("utf8").slice(0, 80)}`)
  const { parents, group } = (row.provenance ?? {}) as { parents?: unknown; group?: unknown }
  return {
    id: row.id,
    parents: Array.isArray(parents) ? parents.filter((parent) => typeof parent === "string") : [],
    // A row that was dropped may be no input of the task.
    text: row.reason === undefined ? inputText(task, row.input) : anyInputText(task, row.input),
    reason: row.reason,
    ...(typeof group === "string" ? { group } : {}),
  }
}

function parsed(line: Buffer): Partial<Example & Pick<DroppedExample, "reason">> | undefined {
  try {
    const value: unknown = JSON.parse(line.toString("utf8"))
    return typeof value === "object" && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

import { outbound } from "../../curation/version/personal-data-policy.ts"
import { DataError, type Issue, ToolkitError } from "../../core/errors.ts"
import type { Example } from "../../core/rows/example.ts"
import type { HoldoutId } from "../../core/rows/frozen-ids.ts"
import { answerRoom } from "../../core/asking/answer-room.ts"
import { formatOutput } from "../../core/task/output.ts"
import { labelsOf, type TaskSpecification } from "../../core/task/task.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Versions } from "../../store/rows/versions.ts"
import { openTable } from "../../store/tables/table.ts"
import { FileColumns } from "../arriving/file-columns.ts"
import { parseRow } from "../arriving/imported-row.ts"
import { KeptColumns } from "../arriving/kept-columns.ts"
import type { StageContext } from "../context.ts"

/** A row as it is asked. */
export type AskedRow = Pick<Example, "id" | "input">

export interface RecordingRows {
  readonly holdout: HoldoutId
  readonly validation: readonly AskedRow[]
  readonly test: readonly AskedRow[]
  /** Those of a file of inputs, without those that are held out. */
  readonly inputs: readonly AskedRow[]
}

/** The rows that a recording has answers to: those of the holdout, and of the file of inputs. No opening. */
export async function recordingRows(
  context: StageContext,
  task: TaskSpecification,
  { holdout: given, inputs: file }: { readonly holdout: HoldoutId | undefined; readonly inputs: string | undefined },
): Promise<RecordingRows> {
  const versions = new Versions(context.workspace, task.task)
  const latest = versions.latest()
  const holdout = given ?? (latest === undefined ? undefined : versions.manifest(latest).holdout)
  if (holdout === undefined)
    throw new ToolkitError(`task ${task.task} has no holdout to record answers to`, {
      code: "no-holdout",
      hint: `Freeze one: tuneloop build ${task.task}`,
    })
  const validation = versions.questions(holdout, "validation.jsonl")
  const test = versions.questions(holdout, "test.jsonl")
  const held = new Set([...validation, ...test].map(({ id }) => id))
  const inputs = file === undefined ? [] : await inputsIn(context, task, file)
  return { holdout, validation, test, inputs: inputs.filter(({ id }) => !held.has(id)) }
}

/** Each input of the file once, under the id that an import gives it. A row that is none is a DataError. */
async function inputsIn(context: StageContext, task: TaskSpecification, file: string): Promise<AskedRow[]> {
  const erased = new TaskRows(context.workspace, task.task).erased()
  const rows = new Map<string, AskedRow>()
  const issues: Issue[] = []
  const { rows: lines, format } = await openTable(file, { signal: context.signal })
  const columns = new FileColumns(task, format, { kind: "input", file })
  const kept = new KeptColumns(task, new Map())
  for (const line of lines) {
    if ("message" in line) {
      issues.push(line)
      continue
    }
    const of = columns.of(line)
    const parsed = parseRow(task, of === undefined ? kept.without(line) : line, of, "input")
    if ("issues" in parsed) issues.push(...parsed.issues.map((issue) => ({ ...issue, file, line: line.line })))
    else if (erased.of(parsed.row) === undefined) {
      const { id, input } = parsed.row
      rows.set(id, { id, input: outbound(task, { input, output: null }).input })
    }
  }
  columns.requireAll()
  if (issues.length > 0) throw new DataError(`${file} has rows that cannot be asked`, issues, "Mend those rows.")
  return [...rows.values()]
}

/** How long an answer may be unless somebody says so, by the gold outputs that are not in the test set. */
export function defaultMaxTokens(context: StageContext, task: TaskSpecification): number {
  const rows = new TaskRows(context.workspace, task.task)
  const held = rows.heldOut()
  function* outputs(): Generator<string> {
    yield* labelsOf(task)
    for (const { id, output } of rows.eachSeed())
      if ((held.get(id) ?? "validation") === "validation") yield formatOutput(task, output)
  }
  return answerRoom(outputs(), 32)
}

import { join } from "node:path"
import { canonicalJson, digest } from "../core/canonical.ts"
import { DataError, ToolkitError, UsageError, type Issue } from "../core/errors.ts"
import type { DatasetManifest, Example, Preference, Split } from "../core/example.ts"
import { type DatasetFormat, type RenderedPreference, type RenderedRow, toolsOf, withToolCalls } from "../core/format.ts"
import { renderExample, renderQuestion } from "../core/prompt.ts"
import type { TaskSpecification } from "../core/task.ts"
import { type StagedFile, stageFile } from "../store/staged-file.ts"
import { Versions } from "../store/versions.ts"
import type { StageContext } from "./context.ts"
import { renderRows, requireStanding, requireTrainable } from "./plan-training.ts"
import { requireAllowed } from "./rights.ts"

export interface ExportOptions {
  readonly version: string
  readonly format: { readonly name: string; readonly module: DatasetFormat }
  /** A file of the format's ending for the train rows alone, or a folder for all parts. */
  readonly output: string
  /** The sealed test rows as well; their opening is recorded first. */
  readonly withTest: boolean
  /** Replaces a file that is not an earlier export. */
  readonly force: boolean
}

export interface ExportedFile {
  readonly path: string
  readonly split: Split
  readonly rows: number
  readonly digest: string
  readonly state: "exported" | "unchanged"
}

/** The rows of the version are in the files, rendered as the trainer renders them: each row was read back in the format and gave the same messages. All files are written or none, each atomically, and each is in the ledger before it has its name. An export of the same rows is `unchanged`. The test rows are left out unless asked for, and then the opening is recorded before they are read. */
export async function exportDataset(context: StageContext, task: TaskSpecification, options: ExportOptions): Promise<ExportedFile[]> {
  const { version, format, output, withTest } = options
  const versions = new Versions(context.workspace, task.task)
  const manifest = versions.manifest(version as `ds_${string}`)
  requireTrainable(versions, manifest)
  const train = versions.rows(version, "train.jsonl")
  requireStanding(context, task, train)
  requireAllowed(context, task, train)
  const isFile = output.endsWith(format.module.ending)
  requireOutput(options, isFile)
  const ledger = context.ledger()
  if (withTest) {
    const { holdout } = manifest
    const evaluation = `export_${digest({ version, format: format.name, output: context.workspace.show(output) }).slice(7, 23)}`
    ledger.recordOpening({ task: task.task, holdout, evaluation, purpose: `export of ${version} as ${format.name}` })
  }
  const parts = partsOf(format.module, versions, manifest, task, { isFile, withTest })
  const staged: { file: StagedFile; part: Part }[] = []
  try {
    for (const part of parts) {
      const path = isFile ? output : join(output, fileName(format.module, part.split))
      staged.push({ file: stageFile(path, await encode(format.module, part.rows)), part })
    }
    requireOurs(context, task, staged, options)
    const files = staged.map(({ file, part }): ExportedFile => {
      const path = context.workspace.show(file.path)
      const rows = part.rows.length
      ledger.recordExport({
        task: task.task,
        version,
        holdout: manifest.holdout,
        format: format.name,
        split: part.split,
        path,
        rows,
        digest: file.digest,
      })
      return { path, split: part.split, rows, digest: file.digest, state: file.current() === file.digest ? "unchanged" : "exported" }
    })
    for (const { file } of staged) if (file.current() !== file.digest) file.commit()
    return files
  } finally {
    for (const { file } of staged) file.discard()
  }
}

interface Part {
  readonly split: Split
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

function partsOf(
  format: DatasetFormat,
  versions: Versions,
  manifest: DatasetManifest,
  task: TaskSpecification,
  { isFile, withTest }: { isFile: boolean; withTest: boolean },
): Part[] {
  if (format.carries === "preferences") {
    const preferences = versions.preferences(manifest.id as `ds_${string}`)
    if (preferences.length === 0)
      throw new DataError(
        `${manifest.id} has no preferences: ${manifest.kept} pairs of input and output`,
        [],
        "Export the pairs in another format, for example --format messages.",
      )
    return [
      {
        split: "train",
        rows: carried(
          format,
          preferences.map((preference) => renderPreference(task, preference)),
          "train",
        ),
      },
    ]
  }
  const rowsOf = (split: Split, examples: readonly Example[]): Part => ({ split, rows: carried(format, render(task, examples), split) })
  return [
    rowsOf("train", versions.rows(manifest.id, "train.jsonl")),
    ...(isFile ? [] : [rowsOf("validation", versions.rows(manifest.holdout, "validation.jsonl"))]),
    ...(withTest ? [rowsOf("test", versions.rows(manifest.holdout, "test.jsonl"))] : []),
  ].filter(({ split, rows }) => split === "train" || rows.length > 0)
}

function render(task: TaskSpecification, examples: readonly Example[]): RenderedRow[] {
  const inputs = new Map(examples.map(({ id, input }) => [id, input]))
  return renderRows(task, examples, { knowsTools: true }).map((row) => ({ ...row, tools: toolsOf(task, inputs.get(row.id) ?? {}) }))
}

function renderPreference(task: TaskSpecification, { id, input, chosen, rejected }: Preference): RenderedPreference {
  const answer = (output: unknown) => renderExample(task, { input, output }).slice(-1)[0] as RenderedPreference["chosen"]
  return { id, question: renderQuestion(task, input), chosen: answer(chosen), rejected: answer(rejected), tools: toolsOf(task, input) }
}

/** The rows in the format; a row that it cannot carry, or that would not come back from it, stops the export. */
function carried<Row extends RenderedRow | RenderedPreference>(
  format: {
    problem?(row: Row): string | undefined
    row(row: Row): Readonly<Record<string, unknown>>
    read(value: Readonly<Record<string, unknown>>): object
  },
  rows: readonly Row[],
  split: Split,
): Readonly<Record<string, unknown>>[] {
  const issues: Issue[] = []
  const values = rows.flatMap((row) => {
    const problem = format.problem?.(row)
    const value = problem === undefined ? format.row(row) : undefined
    if (value !== undefined && canonicalJson(shapeOf(format.read(value))) === canonicalJson(shapeOf(row))) return [value]
    issues.push({ path: `${split} ${row.id}`, message: problem ?? "would not come back from the format as it is rendered" })
    return []
  })
  if (issues.length > 0)
    throw new DataError(
      `${issues.length} of ${rows.length} ${split} rows cannot be written in this format; nothing was written`,
      issues,
      "Choose another format: messages, prompt-completion and mlx-lm carry tools.",
    )
  return values
}

/** What must be the same after a round trip. */
function shapeOf(row: object): unknown {
  const { messages, question, chosen, rejected } = row as Partial<RenderedRow & RenderedPreference>
  if (messages !== undefined) return withToolCalls(messages, "object")
  return [chosen, rejected].map((answer) => withToolCalls([...(question ?? []), ...(answer === undefined ? [] : [answer])], "object"))
}

async function encode(format: DatasetFormat, rows: Part["rows"]): Promise<Iterable<string | Uint8Array>> {
  return format.encode ? [await format.encode(rows)] : lines(rows)
}

function* lines(rows: Part["rows"]): Generator<string> {
  for (const row of rows) yield `${JSON.stringify(row)}\n`
}

function fileName({ names, ending }: DatasetFormat, split: Split): string {
  return names?.[split] ?? `${split}${ending}`
}

function requireOutput({ format, output, withTest }: ExportOptions, isFile: boolean): void {
  const { names, ending } = format.module
  if (isFile && names !== undefined)
    throw new UsageError(`${format.name} is a folder with ${Object.values(names).join(", ")}, not one file`, "Name a folder: --out data/")
  if (isFile && withTest) throw new UsageError(`one file holds the train rows alone; got --with-test`, "Name a folder: --out data/")
  const other = /\.(jsonl?|parquet|csv|tsv)$/.exec(output)?.[0]
  if (!isFile && other !== undefined)
    throw new UsageError(`${format.name} is written as ${ending}, got ${output}`, `Name a file that ends in ${ending}, or a folder.`)
}

/** A file that is there and that no export wrote is somebody's. */
function requireOurs(context: StageContext, task: TaskSpecification, staged: readonly { file: StagedFile }[], { force }: ExportOptions): void {
  if (force) return
  const ours = new Set(
    context
      .ledger()
      .exports(task.task)
      .map(({ path, digest: bytes }) => `${path} ${bytes}`),
  )
  const foreign = staged.filter(({ file }) => {
    const current = file.current()
    return current !== undefined && current !== file.digest && !ours.has(`${context.workspace.show(file.path)} ${current}`)
  })
  if (foreign.length > 0)
    throw new ToolkitError(
      `${foreign.map(({ file }) => context.workspace.show(file.path)).join(", ")} ${foreign.length === 1 ? "is" : "are"} there already and not an earlier export`,
      { code: "exists", hint: "Name another place, or replace it with --force." },
    )
}

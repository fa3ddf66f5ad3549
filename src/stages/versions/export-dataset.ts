import type { DatasetId, FrozenId } from "../../core/rows/frozen-ids.ts"
import { canonicalJson, digest } from "../../core/canonical.ts"
import { DataError, UsageError, type Issue } from "../../core/errors.ts"
import type { Example, Split } from "../../core/rows/example.ts"
import type { DatasetManifest } from "../../core/rows/manifests.ts"
import {
  type DatasetFormat,
  type RenderedPreference,
  type RenderedRow,
  toolsOf,
  withToolCalls,
} from "../../core/contracts/format.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { withFolder } from "../../store/files/files.ts"
import { outputPlace } from "../../store/files/output-place.ts"
import { foreignFiles } from "../../store/files/outputs.ts"
import { type StagedFile, stageFile } from "../../store/files/staged-file.ts"
import { TaskWatch } from "../../store/erasing/task-watch.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { StageContext } from "../context.ts"
import { privateRows, requirePrivate } from "../privacy.ts"
import { pairsOf, renderRows, requireStanding, requireTrainable } from "../training/plan-training.ts"
import { renderedPreferences } from "../training/preferences.ts"
import { requireAllowed } from "../rights.ts"

export interface ExportOptions {
  readonly version: DatasetId
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

/**
 * The rows of the version are in the files, rendered as the trainer renders them: each row was read back in the format
 * and gave the same messages. All files are written or none, each atomically, and each is in the ledger before it has
 * its name. An export of the same rows is `unchanged`. The test rows are left out unless asked for, and then the
 * opening is recorded before they are read. One row at a time is in memory, or as many as the format writes together;
 * preferences are read whole.
 */
export async function exportDataset(
  context: StageContext,
  task: TaskSpecification,
  options: ExportOptions,
): Promise<ExportedFile[]> {
  const { version, format, output } = options
  const watch = new TaskWatch(context.workspace, task.task)
  const versions = new Versions(context.workspace, task.task)
  const manifest = versions.manifest(version)
  requireTrainable(versions, manifest, task)
  const train = versions.each(version, "train.jsonl")
  requireStanding(context, task, train)
  requireAllowed(context, task, train)
  const { isFile, folder, partFile } = outputPlace(output, format.module.ending)
  requireOutput(options, isFile)
  return withFolder(folder, async () => {
    const staged: StagedPart[] = []
    try {
      for await (const part of partsOf(context, task, options, { versions, manifest, isFile }))
        staged.push(await stagePart(format.module, part, partFile(fileName(format.module, part.split))))
      await requireOurs(context, task, staged, options)
      const files: ExportedFile[] = []
      for (const part of staged) files.push(await recorded(context, task, options, manifest, part))
      watch.commit(() => {
        for (const { file } of staged) if (file.current() !== file.digest) file.commit()
      })
      return files
    } finally {
      for (const { file } of staged) file.discard()
    }
  })
}

interface Part {
  readonly split: Split
  /** To be gone through once. */
  readonly rows: Iterable<Readonly<Record<string, unknown>>>
}

interface StagedPart {
  readonly split: Split
  readonly file: StagedFile
  readonly rows: number
}

async function stagePart(format: DatasetFormat, { split, rows }: Part, path: string): Promise<StagedPart> {
  let count = 0
  function* counted() {
    for (const row of rows) {
      count++
      yield row
    }
  }
  const file = stageFile(path, format.encode ? await format.encode(counted()) : lines(counted()))
  return { split, file, rows: count }
}

/** What is to be exported, each part when it is asked for: the opening of the test set is recorded then. */
async function* partsOf(
  context: StageContext,
  task: TaskSpecification,
  { version, format: { name, module: format }, output, withTest }: ExportOptions,
  { versions, manifest, isFile }: { versions: Versions; manifest: DatasetManifest; isFile: boolean },
): AsyncGenerator<Part> {
  const { id, holdout } = manifest
  if (format.carries === "preferences") {
    requirePrivate(task, pairsOf(versions.preferences(id)), id)
    const rendered = renderedPreferences(task, versions, manifest)
    if (rendered.length === 0)
      throw new DataError(
        `${id} has no preferences: ${manifest.kept} pairs of input and output`,
        [],
        "Export the pairs in another format, for example --format messages.",
      )
    yield { split: "train", rows: carried(format, rendered, "train") }
    return
  }
  const rowsOf = (split: Split, of: FrozenId): Part => ({
    split,
    rows: carried(format, render(task, privateRows(task, versions.each(of, `${split}.jsonl`), of)), split),
  })
  const isEmpty = (split: Split) => versions.manifest(holdout).files[`${split}.jsonl`]?.rows === 0
  yield rowsOf("train", id)
  if (!isFile && !isEmpty("validation")) yield rowsOf("validation", holdout)
  if (!withTest) return
  const evaluation = `export_${digest({ version, format: name, output: context.workspace.show(output) }).slice(7, 23)}`
  await context
    .ledger()
    .openings.record({ task: task.task, holdout, evaluation, purpose: `export of ${version} as ${name}` })
  if (!isEmpty("test")) yield rowsOf("test", holdout)
}

/** The file as it is reported, after the ledger knows of it. */
async function recorded(
  context: StageContext,
  task: TaskSpecification,
  { version, format }: ExportOptions,
  { holdout }: DatasetManifest,
  { split, file, rows }: StagedPart,
): Promise<ExportedFile> {
  const path = context.workspace.show(file.path)
  await context
    .ledger()
    .exports.record({ task: task.task, version, holdout, format: format.name, split, path, rows, digest: file.digest })
  return { path, split, rows, digest: file.digest, state: file.current() === file.digest ? "unchanged" : "exported" }
}

function* render(task: TaskSpecification, examples: Iterable<Example>): Generator<RenderedRow> {
  for (const { example, messages } of renderRows(task, examples))
    yield { id: example.id, messages, tools: toolsOf(task, example.input) }
}

/**
 * The rows in the format. After the last one it is an error that the format cannot carry a row, or that one would not
 * come back from it.
 */
function* carried<Row extends RenderedRow | RenderedPreference>(
  format: {
    problem?(row: Row): string | undefined
    row(row: Row): Readonly<Record<string, unknown>>
    read(value: Readonly<Record<string, unknown>>): object
  },
  rows: Iterable<Row>,
  split: Split,
): Generator<Readonly<Record<string, unknown>>> {
  const issues: Issue[] = []
  let count = 0
  for (const row of rows) {
    count++
    const problem = format.problem?.(row)
    const value = problem === undefined ? format.row(row) : undefined
    if (value === undefined || canonicalJson(shapeOf(format.read(value))) !== canonicalJson(shapeOf(row)))
      issues.push({
        path: `${split} ${row.id}`,
        message: problem ?? "would not come back from the format as it is rendered",
      })
    else if (issues.length === 0) yield value
  }
  if (issues.length > 0)
    throw new DataError(
      `${issues.length} of ${count} ${split} rows cannot be written in this format; nothing was written`,
      issues,
      "Choose another format: messages, prompt-completion and mlx-lm carry tools.",
    )
}

/** What must be the same after a round trip. */
function shapeOf(row: object): unknown {
  const { messages, question, chosen, rejected } = row as Partial<RenderedRow & RenderedPreference>
  // How much is learned from a turn is no part of what it says.
  if (messages !== undefined) return withToolCalls(messages, "object").map(({ weight: _, ...message }) => message)
  return [chosen, rejected].map((answer) =>
    withToolCalls([...(question ?? []), ...(answer === undefined ? [] : [answer])], "object"),
  )
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
    throw new UsageError(
      `${format.name} is a folder with ${Object.values(names).join(", ")}, not one file`,
      "Name a folder: --out data/",
    )
  if (isFile && withTest)
    throw new UsageError(`one file holds the train rows alone; got --with-test`, "Name a folder: --out data/")
  const other = /\.(jsonl?|parquet|csv|tsv)$/.exec(output)?.[0]
  if (!isFile && other !== undefined)
    throw new UsageError(
      `${format.name} is written as ${ending}, got ${output}`,
      `Name a file that ends in ${ending}, or a folder.`,
    )
}

/** A file that is there and that no export wrote is somebody's. */
async function requireOurs(
  context: StageContext,
  task: TaskSpecification,
  staged: readonly StagedPart[],
  { force }: ExportOptions,
): Promise<void> {
  if (force) return
  const exported = await context.ledger().exports.of(task.task)
  const ours = new Set(exported.map(({ path, digest: bytes }) => `${path} ${bytes}`))
  const foreign = staged.filter(({ file }) => {
    const current = file.current()
    return (
      current !== undefined && current !== file.digest && !ours.has(`${context.workspace.show(file.path)} ${current}`)
    )
  })
  if (foreign.length > 0) throw foreignFiles(foreign.map(({ file }) => context.workspace.show(file.path)))
}

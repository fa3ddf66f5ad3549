import { existsSync, readdirSync, rmSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { z } from "zod"
import type { Tombstone } from "../../core/rows/erasure.ts"
import { idDigest, tombstoneSchema } from "../../core/rows/erasure.ts"
import { parseJson } from "../../core/json-text.ts"
import { appendAtomically, readLines, toJsonLines, writeAtomically } from "../files/files.ts"
import { isTemporary, mayBeAtWork } from "../files/temporaries.ts"
import { readJsonFile } from "../files/json-file.ts"
import { readJsonLines } from "../files/json-lines.ts"
import type { Workspace } from "../workspace.ts"
import { stageFile, type StagedFile } from "../files/staged-file.ts"

const markSchema = z.looseObject({
  at: z.string(),
  files: z.record(
    z.string(),
    z.looseObject({ rows: z.number(), digest: z.string(), removed: z.array(z.string()).readonly() }),
  ),
})

/**
 * What an erasure did to a frozen folder: how many rows went, and what its files are since. Its manifest stays as it
 * was.
 */
export type ErasedMark = Readonly<z.output<typeof markSchema>>

const markFile = "erased.json"

/** The tombstones of a task; none without the file. */
export function readTombstones(taskFolder: string): Tombstone[] {
  return readJsonLines(tombstonesFile(taskFolder), tombstoneSchema)
}

export function addTombstones(taskFolder: string, added: readonly Tombstone[]): void {
  if (added.length > 0) appendAtomically(tombstonesFile(taskFolder), toJsonLines(added))
}

/** The mark of a version or holdout that lost rows; undefined for one that is whole. */
export function erasedMark(folder: string): ErasedMark | undefined {
  const file = join(folder, markFile)
  return existsSync(file) ? readJsonFile(file, markSchema) : undefined
}

const text = z.string().optional().catch(undefined)
const texts = z.array(z.string()).optional().catch(undefined)
const side = z.looseObject({ row: z.string() }).optional().catch(undefined)
const rawRowSchema = z.looseObject({
  id: text,
  item: text,
  request: text,
  input: z.unknown().optional(),
  row: text,
  a: side,
  b: side,
  rows: texts,
  parents: texts,
  provenance: z.looseObject({ parents: texts, request: text }).optional().catch(undefined),
  output: z.unknown().optional(),
  chosen: z.unknown().optional(),
  rejected: z.unknown().optional(),
  reason: text,
  witness: text,
})

const noRow: z.output<typeof rawRowSchema> = {}

/** A row as it stands in a file, without what no row can have: an erasure must also find what is otherwise broken. */
export type RawRow = Readonly<z.output<typeof rawRowSchema>>

/** The files of a task that hold rows: what people wrote and decided, and those of each version and holdout. */
export function rowFiles(taskFolder: string): {
  readonly loose: string[]
  readonly frozen: { readonly id: string; readonly folder: string; readonly files: string[] }[]
} {
  const list = (folder: string, isWanted: (name: string) => boolean) =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter(isWanted)
          .sort()
          .map((name) => join(folder, name))
      : []
  const isRows = (name: string) => name.endsWith(".jsonl") && !name.startsWith(".")
  return {
    loose: [
      ...list(taskFolder, (name) => name === "seeds.jsonl" || name === "inputs.jsonl"),
      ...["candidates", "decisions", "quarantine", "queue", "recorded"].flatMap((name) =>
        list(join(taskFolder, name), isRows),
      ),
    ],
    frozen: [
      ...list(join(taskFolder, "versions"), (name) => name.startsWith("ds_")),
      ...list(join(taskFolder, "holdouts"), (name) => name.startsWith("hold_")),
    ].map((folder) => ({ id: basename(folder), folder, files: list(folder, isRows) })),
  }
}

/**
 * What killed commands left in the folder of a task, on its way to its place: it may hold any row. A command that is at
 * work on the same rows has some of it as well, and fails without it: what it would freeze or write has the rows that
 * are to go.
 */
function unfinishedFiles(taskFolder: string): string[] {
  if (!existsSync(taskFolder)) return []
  return readdirSync(taskFolder, { recursive: true, withFileTypes: true })
    .filter(({ name }) => isTemporary(name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
}

/** The same wherever rows of the task are written, beside its own folder as well. */
export function unfinishedOf(
  workspace: Workspace,
  task: string,
  exports: readonly { readonly path: string }[],
): string[] {
  const taskFolder = workspace.taskFolder(task)
  const folders = [
    workspace.root,
    dirname(taskFolder),
    join(workspace.root, ".tuneloop", "answers", task),
    ...exports.map(({ path }) => dirname(resolve(workspace.root, path))),
  ]
  return [...new Set([...unfinishedFiles(taskFolder), ...folders.flatMap(unfinishedBeside)])]
}

function unfinishedBeside(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => isTemporary(name) && !mayBeAtWork(join(folder, name), name))
    .map((name) => join(folder, name))
}

/** None of the files and folders is there any more; returns how many there were. */
export function removeFiles(files: readonly string[]): number {
  for (const file of files) rmSync(file, { recursive: true, force: true })
  return files.length
}

/** The lines of a file with what can be used of them: of one that is no row, nothing. */
export function* rawRows(file: string): Generator<{ readonly row: RawRow; readonly text: string }> {
  for (const { text } of readLines(file)) yield { row: rawRowOf(text), text }
}

/** What can be used of a line; of one that is no row, nothing. */
export function rawRowOf(line: string): RawRow {
  return rawRowSchema.safeParse(parseJson(line)).data ?? noRow
}

/**
 * The file is without the rows, whole at any moment; the other lines keep their bytes. Returns how many went; a file
 * without such a row is not touched.
 */
export function removeRows(file: string, isErased: IsErased): number {
  const removed = removedRows(file, isErased).length
  if (removed > 0) stageFile(file, keptLines(file, isErased)).commit()
  return removed
}

type IsErased = (row: RawRow, text: string) => boolean

/**
 * The frozen folder is without the rows and says so: the mark with the new digests is there before a file changes, so
 * that a kill in between is seen, and the next call finishes. Returns how many rows went.
 */
export function removeFrozenRows(
  folder: string,
  files: readonly string[],
  isErased: (row: RawRow) => boolean,
  at: string,
): number {
  const touched: { name: string; removed: RawRow[]; staged: StagedFile }[] = []
  try {
    for (const file of files) {
      const removed = removedRows(file, isErased)
      if (removed.length > 0)
        touched.push({ name: basename(file), removed, staged: stageFile(file, keptLines(file, isErased)) })
    }
    if (touched.length > 0) commitFrozen(folder, touched, at)
  } finally {
    // On a full disk nothing of what is staged stays; it holds all the other rows.
    for (const { staged } of touched) staged.discard()
  }
  return touched.reduce((sum, { removed }) => sum + removed.length, 0)
}

function commitFrozen(
  folder: string,
  touched: readonly { readonly name: string; readonly removed: readonly RawRow[]; readonly staged: StagedFile }[],
  at: string,
): void {
  const before = erasedMark(folder)
  const entries = touched.map(({ name, removed, staged }) => {
    const gone = [
      ...new Set([...(before?.files[name]?.removed ?? []), ...removed.map(({ id = "" }) => idDigest(id))]),
    ].sort()
    return [name, { rows: staged.pieces, digest: staged.digest, removed: gone }] as const
  })
  const mark: ErasedMark = { at: before?.at ?? at, files: { ...before?.files, ...Object.fromEntries(entries) } }
  writeAtomically(join(folder, markFile), `${JSON.stringify(mark, null, 2)}\n`)
  for (const { staged } of touched) staged.commit()
}

function removedRows(file: string, isErased: IsErased): RawRow[] {
  const removed: RawRow[] = []
  for (const { row, text } of rawRows(file)) if (isErased(row, text)) removed.push(row)
  return removed
}

function* keptLines(file: string, isErased: IsErased): Generator<string> {
  for (const { row, text } of rawRows(file)) if (!isErased(row, text)) yield `${text}\n`
}

export function tombstonesFile(taskFolder: string): string {
  return join(taskFolder, "tombstones.jsonl")
}

import { existsSync, readdirSync, rmSync } from "node:fs"
import { extname, join, relative, sep } from "node:path"
import { z } from "zod"
import { parseJson } from "../../core/json-text.ts"
import { erasedBy } from "../../core/rows/erasure.ts"
import { textsIn, TextSearch, withoutTexts } from "../../core/text-search.ts"
import { readPieces, writeAtomically } from "../files/files.ts"
import { isTemporary } from "../files/temporaries.ts"
import { withLock } from "../files/lock.ts"
import { readJsonFile } from "../files/json-file.ts"
import { stageFile } from "../files/staged-file.ts"
import type { Workspace } from "../workspace.ts"
import { answersFiles } from "../rows/answers.ts"
import { rawRowOf, readTombstones, removeRows, type RawRow } from "../rows/erasures.ts"

const markSchema = z.looseObject({ at: z.string(), gone: z.array(z.string()), changed: z.array(z.string()) })

/** What an erasure did to the folder of a run: which of its files are gone, and which lost what they said of rows. */
export type ErasedRun = Readonly<z.output<typeof markSchema>>

const markFile = "erased.json"

/** The mark of a run that an erasure took bytes from; undefined where it is whole. */
export function erasedRun(workspace: Workspace, run: string): ErasedRun | undefined {
  const file = join(workspace.runFolder(run), markFile)
  return existsSync(file) ? readJsonFile(file, markSchema) : undefined
}

/** What leaves the folders of runs, and the kept answers. */
export interface ErasedSaying {
  readonly isErased: (row: RawRow) => boolean
  readonly search: TextSearch
}

/** The names of the run's files that say something of erased rows, without those of its weights. */
export function runFilesSaying(workspace: Workspace, run: string, erased: ErasedSaying, lost: readonly string[]) {
  const folder = workspace.runFolder(run)
  const names = textFiles(folder)
  const gone = names.filter((name) => goes(folder, name, erased, lost))
  const changed = names.filter((name) => !gone.includes(name) && isSaying(join(folder, name), erased))
  return { gone, changed }
}

/**
 * The run's folder says nothing of erased rows: files of the `lost` splits are gone whole, since what was sent is no
 * longer what it was, and so are reports; of other files the lines that say something of the rows. The mark comes
 * first, so that a kill is seen. Returns the names of what changed.
 */
export function sweepRun(
  workspace: Workspace,
  run: string,
  erased: ErasedSaying,
  { lost, at }: { readonly lost: readonly string[]; readonly at: string },
): readonly string[] {
  const folder = workspace.runFolder(run)
  const { gone, changed } = runFilesSaying(workspace, run, erased, lost)
  if (gone.length + changed.length === 0) return []
  const before = erasedRun(workspace, run)
  const named = gone.filter((name) => !name.split("/").some((part) => isUnfinished(part)))
  const mark: ErasedRun = {
    at: before?.at ?? at,
    gone: [...new Set([...(before?.gone ?? []), ...named])].sort(),
    changed: [...new Set([...(before?.changed ?? []), ...changed])].sort(),
  }
  writeAtomically(join(folder, markFile), `${JSON.stringify(mark, null, 2)}\n`)
  for (const name of gone) rmSync(join(folder, name), { force: true })
  for (const name of changed) stageFile(join(folder, name), keptText(join(folder, name), erased)).commit()
  return [...gone, ...changed]
}

/** What an evaluation of the run left behind says nothing of rows that were erased while it asked. */
export function sweepAnswers(workspace: Workspace, task: string, run: string, at: string): void {
  const folder = workspace.taskFolder(task)
  withLock(workspace.lockFile(task), `the answers of ${task}`, () => {
    const erased = erasedBy(readTombstones(folder))
    const isErased = (row: RawRow) => erased.of(row) !== undefined
    for (const file of answersFiles(workspace, task)) removeRows(file, isErased)
    const saying = { isErased, search: new TextSearch([]) }
    sweepRun(workspace, run, saying, { lost: [], at })
  })
}

/** Weights say nothing that could be taken out; the plan and the marks have digests alone. */
const passedOver = ["adapter", "checkpoints", "plan.json", markFile]

function textFiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep).join("/"))
    .filter((name) => !passedOver.some((part) => name === part || name.startsWith(`${part}/`)))
    .sort()
}

/** A file that is deleted: one on its way to its place, rows as they were sent, and a report that shows a row. */
function goes(folder: string, name: string, erased: ErasedSaying, lost: readonly string[]): boolean {
  if (name.split("/").some(isUnfinished) || lost.includes(name)) return true
  return extname(name) === ".html" && [...linesIn(join(folder, name))].some((line) => shows(line, erased))
}

function isUnfinished(part: string): boolean {
  return isTemporary(part) || part.endsWith(".tmp")
}

function shows(line: string, { isErased, search }: ErasedSaying): boolean {
  const ids = line.match(/\b(?:seed|input|cand|ex)_[0-9a-f]{16}\b/g) ?? []
  return search.isIn(line) || ids.some((id) => isErased({ id }))
}

/** Whether the file has a row that was erased, or says what one said. */
export function isSaying(file: string, erased: ErasedSaying): boolean {
  for (const line of linesIn(file)) if (saysOf(line, erased)) return true
  return false
}

/** Whether the line is a row that was erased, or says what one said. */
export function saysOf(line: string, { isErased, search }: ErasedSaying): boolean {
  const isRow = line.startsWith("{") && isErased(rawRowOf(line))
  return isRow || search.isIn(line)
}

function* keptText(file: string, erased: ErasedSaying): Generator<string> {
  const isState = extname(file) === ".json"
  if (isState) yield stateWithout([...linesIn(file)].join("\n"), erased)
  else
    for (const line of linesIn(file)) {
      if (!saysOf(line, erased)) yield `${line}\n`
      // The order of events is known by their places.
      else if (file.endsWith("events.jsonl")) yield `${JSON.stringify(withoutTexts(parseJson(line), erased.search))}\n`
    }
}

function stateWithout(text: string, { search }: ErasedSaying): string {
  const value = parseJson(text)
  if (value === undefined || !textsIn(value).some((each) => search.isIn(each))) return text
  return `${JSON.stringify(withoutTexts(value, search), null, 2)}\n`
}

/** The lines of a file, whatever bytes it has. */
export function* linesIn(file: string): Generator<string> {
  let rest = Buffer.alloc(0)
  for (const piece of readPieces(file)) {
    rest = Buffer.concat([rest, piece])
    const last = rest.lastIndexOf(10)
    if (last < 0) continue
    yield* rest.toString("utf8", 0, last).split("\n")
    rest = Buffer.from(rest.subarray(last + 1))
  }
  if (rest.length > 0) yield rest.toString("utf8")
}

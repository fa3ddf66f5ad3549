import type { ReachedRow } from "../../curation/leaks/erasure-reach.ts"
import { erasedBy } from "../../core/rows/erasure.ts"
import { answersFiles } from "../../store/rows/answers.ts"
import {
  readTombstones,
  removeFiles,
  removeFrozenRows,
  removeRows,
  rowFiles,
  unfinishedOf,
  type RawRow,
} from "../../store/rows/erasures.ts"
import { forgetAnswers } from "../../store/rows/remembered.ts"
import { saysOf, sweepRun } from "../../store/erasing/run-erasure.ts"
import { SplitPairs } from "../../store/rows/split-pairs.ts"
import type { StageContext } from "../context.ts"
import { writeEvents, runFiles } from "../../store/rows/run-files.ts"
import type { Telling } from "./erase-rows.ts"
import { lostFiles, type ReachedExport, type ReachedRun } from "./erase-runs.ts"

/** What is to go, before anything of it has gone. */
export interface ToSweep {
  readonly reached: readonly ReachedRow[]
  /** The keys of the requests that lose their texts. */
  readonly keys: readonly string[]
  /** Those among them that say what the rows say, whatever rows they showed. */
  readonly quoting: readonly string[]
  readonly telling: Telling
  readonly runs: readonly ReachedRun[]
  readonly exports: readonly ReachedExport[]
}

/**
 * The ledger's requests lose their texts, and none is sent any more that shows the rows: also not by a command that
 * began before. Events of runs lose what they quote. Returns how many requests and events changed.
 */
export async function eraseRequests(
  context: StageContext,
  task: string,
  { reached, keys, quoting, telling }: ToSweep,
): Promise<number> {
  const { requests, runs } = context.ledger()
  await requests.forbid(task, { rows: reached.map(({ id }) => id), keys: quoting })
  await requests.erase(keys)
  let changed = 0
  for (const { run } of await runs.list({ task })) {
    const count = await runs.eraseTexts(run, telling.texts)
    if (count > 0) writeEvents(runFiles(context.workspace, run), await runs.events(run))
    changed += count
  }
  return keys.length + changed
}

/**
 * Removes what the tombstones name from every file; returns how many rows and files went. What a row says is still
 * needed for the folders of runs, which therefore come first.
 */
export function sweep(context: StageContext, task: string, { telling, runs, exports }: ToSweep, at: string): number {
  const { workspace } = context
  const folder = workspace.taskFolder(task)
  // A report of pairs is made anew from the rows that are left.
  new SplitPairs(folder).remove()
  forgetAnswers(workspace, task)
  const erased = erasedBy(readTombstones(folder))
  const saying = { isErased: (row: RawRow) => erased.of(row) !== undefined, search: telling.search }
  const unfinished = removeFiles(unfinishedOf(workspace, task, exports))
  const ofRuns = runs.map(({ run, splits }) => sweepRun(workspace, run, saying, { lost: lostFiles(splits), at }).length)
  const { loose, frozen } = rowFiles(folder)
  const answers = [...answersFiles(workspace, task), ...unnamedRows(loose)].map((file) =>
    removeRows(file, (_row, text) => saysOf(text, saying)),
  )
  const frozenRows = frozen.map(({ folder: place, files }) => removeFrozenRows(place, files, saying.isErased, at))
  const looseRows = loose.map((file) => removeRows(file, saying.isErased))
  return [unfinished, ...ofRuns, ...answers, ...frozenRows, ...looseRows].reduce((sum, count) => sum + count, 0)
}

/** Files of answers that could not be read, or of a model that goes: what they quote tells them, beside their ids. */
export function unnamedRows(loose: readonly string[]): string[] {
  return loose.filter((file) => /[/\\](?:quarantine|recorded)[/\\][^/\\]+$/.test(file))
}

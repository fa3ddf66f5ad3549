import { heldOutRow } from "../../curation/leaks/contamination.ts"
import { leakReport } from "../../curation/leaks/leak-report.ts"
import { checkOf } from "../../curation/leaks/definition.ts"
import type { DroppedExample, Example } from "../../core/rows/example.ts"
import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { plainSeeds } from "../../store/rows/seed-ranges.ts"
import type { SplitPairCounts } from "../../core/rows/split-pairs.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { TaskWatch } from "../../store/erasing/task-watch.ts"
import { Versions } from "../../store/rows/versions.ts"
import { build, type BuildResult } from "./build.ts"
import type { StageContext } from "../context.ts"
import type { ThreadStarter } from "../threads.ts"
import { reportSplitPairs, type SplitLeak } from "./split-pairs.ts"
import type { SemanticSearch } from "./semantic-search.ts"
import { importSeeds, type ImportOptions, type ImportResult } from "../arriving/import-rows.ts"

/** A data set as it was given, and how it is imported. */
export interface GivenFiles extends ImportOptions {
  readonly files: readonly string[]
}

/** What a build works with; `prepare` is called once the rows are imported. */
export interface BuildFromParts {
  readonly filters: readonly ConfiguredFilter[]
  readonly prepare?: () => Promise<SemanticSearch | undefined>
  readonly threads?: ThreadStarter
}

export interface BuildFromResult {
  readonly imported: ImportResult
  readonly built: BuildResult
  /**
   * What the data set's splits had in common before the build: train rows in it were dropped, held-out rows stay where
   * they are.
   */
  readonly leaks: readonly SplitLeak[]
  /** How many pairs they had in common, all of which are in a file: see `reportSplitPairs`. */
  readonly pairs: SplitPairCounts
}

/**
 * A data set that was not grown here has the same treatment as one that was: its rows are the task's seeds, held out as
 * the data set says or else as the specification needs, and a version without a leak is built of them. What its own
 * splits have in common is named row by row, and every pair is in a file. Beyond what the import and the build take,
 * memory has the held-out rows and those leaks.
 */
export async function buildFrom(
  context: StageContext,
  task: TaskSpecification,
  { files, ...options }: GivenFiles,
  { filters, prepare = async () => undefined, threads }: BuildFromParts,
): Promise<BuildFromResult> {
  const watch = new TaskWatch(context.workspace, task.task)
  const imported = await importSeeds(context, task, files, options)
  const built = await build(context, task, filters, { findSemantic: await prepare(), threads })
  const versions = new Versions(context.workspace, task.task)
  const rows = (split: "validation" | "test") => versions.rows(built.holdout.id, `${split}.jsonl`)
  const [validation, test] = [rows("validation"), rows("test")]
  const dropped = () => versions.each(built.manifest.id, "dropped.jsonl")
  const leaks = [...betweenTrainAndHeldOut(dropped(), validation, test), ...betweenHeldOut(task, validation, test)]
  const { acrossSplits } = imported
  const taskRows = new TaskRows(context.workspace, task.task)
  const ids = new Set(acrossSplits.map(({ id }) => id))
  const twice = new Map(ids.size === 0 ? [] : [...plainSeeds(taskRows, ids)].map((row) => [row.id, row]))
  const found = { holdout: built.holdout.id, validation, test, leaks, acrossSplits }
  const given = { ...found, dropped: dropped(), rowOf: (id: string) => twice.get(id) }
  const pairs = watch.commit(() => reportSplitPairs(task, taskRows.folder, given))
  return { imported, built, leaks: [...inBoth(imported), ...leaks], pairs }
}

/** The same row in two splits of the files: it counts where it is held out most. */
function inBoth({ acrossSplits }: ImportResult): SplitLeak[] {
  return acrossSplits.flatMap(({ places }) => {
    const heldOut = places.find(({ split }) => split === "test") ?? places.find(({ split }) => split === "validation")
    if (heldOut === undefined || heldOut.split === "train") return []
    const { place, split: heldOutIn } = heldOut
    return places.flatMap(({ place: row, split }): SplitLeak[] =>
      split === "test" || split === heldOutIn ? [] : [{ check: "exact", row, in: split, heldOut: place, heldOutIn }],
    )
  })
}

function betweenTrainAndHeldOut(
  dropped: Iterable<DroppedExample>,
  validation: readonly Example[],
  test: readonly Example[],
): SplitLeak[] {
  const splitOf = new Map([
    ...validation.map(({ id }) => [digitsOf(id), "validation"] as const),
    ...test.map(({ id }) => [digitsOf(id), "test"] as const),
  ])
  const leaks: SplitLeak[] = []
  for (const { id, reason, witness, similarity } of dropped) {
    const check = checkOf(reason)
    if (check === undefined || witness === undefined) continue
    const heldOutIn = splitOf.get(digitsOf(witness)) ?? "held out"
    leaks.push({
      check,
      row: id,
      in: "train",
      heldOut: witness,
      heldOutIn,
      ...(similarity === undefined ? {} : { similarity }),
    })
  }
  return leaks
}

function betweenHeldOut(
  task: TaskSpecification,
  validation: readonly Example[],
  test: readonly Example[],
): SplitLeak[] {
  const { threshold, ngram, nearDuplicates } = task.build
  const { numbers } = nearDuplicates ?? {}
  const heldOutRows = test.map(heldOutRow)
  const { found } = leakReport({ task, train: validation, heldOut: heldOutRows, threshold, ngram, numbers })
  const first = new Map(found.toReversed().map((leak) => [leak.train, leak]))
  return [...first.values()].reverse().map(({ check, train, heldOut, similarity }) => ({
    check,
    row: train,
    in: "validation",
    heldOut,
    heldOutIn: "test",
    ...(similarity === undefined ? {} : { similarity }),
  }))
}

/** Examples, seeds and inputs of one row share the digits of their ids. */
function digitsOf(id: string): string {
  return id.slice(id.indexOf("_") + 1)
}

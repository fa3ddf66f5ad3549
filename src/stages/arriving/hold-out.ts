import { TextSample } from "../../curation/near/boilerplate.ts"
import { labelsUntested, placeArriving } from "../../curation/holdout/assign-splits.ts"
import { HeldTogether } from "../../curation/holdout/held-together.ts"
import { unlabelled } from "../../curation/holdout/split-targets.ts"
import { sortByKey } from "../../curation/text/sort-by-key.ts"
import { groupingOf } from "../../curation/holdout/text-groups.ts"
import { tooFewToTell } from "../../evaluation/verdict/preflight.ts"
import type { Assignment, RealInput, Seed, Split } from "../../core/rows/example.ts"
import { heldNames } from "../../core/rows/holdout-refresh.ts"
import { inputText, stratumOf } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { withLockAcross } from "../../store/files/lock.ts"
import { plainSeeds } from "../../store/rows/seed-ranges.ts"
import { SpilledTexts } from "../../store/files/spilled-texts.ts"
import { StandingSplits } from "../../store/rows/standing-splits.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import type { StageContext } from "../context.ts"
import { inPieces, rowsAPiece } from "../in-pieces.ts"
import { columnFigures, testRowsNeeded, type ColumnFigures } from "./group-figures.ts"
import { oneFamily } from "./one-family.ts"
import { wornRows } from "./holdout-wear.ts"

export interface HoldOutCounts extends ColumnFigures {
  readonly train: number
  readonly validation: number
  readonly test: number
  /** How many test examples the verdict's rule needs. */
  readonly testNeeded: number
  /** Why the test set is too small to tell what the rule asks; absent when it is large enough. */
  readonly tooFew?: string
  /** Why nothing is held out, where near-duplicates are the reason. */
  readonly oneFamily?: string
}

interface HeldOutCounts {
  readonly counts: HoldOutCounts
  /** The labels without a test example. */
  readonly untested: readonly string[]
  /** Where every row is held. */
  readonly standing: StandingSplits
}

/**
 * Every seed and real input of the task has a split, recorded for good: rows without one are assigned, rows with one
 * keep it. Idempotent, and the same after a crash: the assignment depends on content only. While the test set is worn
 * its opened rows count for nothing: what arrives then goes to the test set first.
 */
export async function holdOut(context: StageContext, task: TaskSpecification): Promise<HeldOutCounts> {
  const rows = new TaskRows(context.workspace, task.task)
  const standing = new StandingSplits(rows)
  if (standing.missing === 0) return countsOf(task, rows, standing)
  // Before the lock, which is held for work in this process alone.
  const worn = await wornRows(context, task)
  return withLockAcross(context.workspace.lockFile(task.task), context.workspace.show(rows.folder), () =>
    inPieces(holdOutLocked(task, rows, worn), context.signal),
  )
}

/** The same in pieces, for who has the task's lock and knows `wornRows`. */
export function* holdOutLocked(
  task: TaskSpecification,
  rows: TaskRows,
  worn: Iterable<string> | undefined,
): Generator<void, HeldOutCounts> {
  // Read under the lock: another command may have assigned the same rows before.
  const standing = new StandingSplits(rows)
  if (standing.missing > 0) yield* assign(task, rows, standing, worn ?? [])
  return countsOf(task, rows, standing)
}

function countsOf(task: TaskSpecification, rows: TaskRows, standing: StandingSplits): HeldOutCounts {
  const gold = standing.groups()
  const count = (split: Split) => gold.reduce((sum, group) => sum + (group.split === split ? group.rows : 0), 0)
  const figures = columnFigures(task, rows, standing)
  const { designEffect } = figures.groups ?? {}
  const tooFew = tooFewToTell({ testRows: count("test"), rule: task.verdict, designEffect })
  const family = count("validation") + count("test") === 0 ? oneFamily(task, rows) : undefined
  return {
    counts: {
      train: count("train"),
      validation: count("validation"),
      test: count("test"),
      testNeeded: testRowsNeeded(task, figures),
      ...(tooFew === undefined ? {} : { tooFew }),
      ...(family === undefined ? {} : { oneFamily: family }),
      ...figures,
    },
    untested: labelsUntested(gold),
    standing,
  }
}

/** Gives a split to what has none. The texts lie in a temporary file while they are compared. */
function* assign(
  task: TaskSpecification,
  rows: TaskRows,
  standing: StandingSplits,
  worn: Iterable<string>,
): Generator<void, void> {
  const texts = SpilledTexts.in(rows.folder, "hold-out", standing.held.length)
  try {
    const together = new HeldTogether(task, standing.held.length)
    const sample = yield* readTexts(task, rows, { standing, texts, together })
    const { threshold, nearDuplicates } = task.build
    const near = yield* groupingOf(texts, sample, { threshold, numbers: nearDuplicates?.numbers })
    const numbered = {
      held: heldNow(standing, worn),
      stratum: standing.stratum,
      strata: standing.strata,
      idOf: (row: number) => standing.idOf(row),
      compareIds: (a: number, b: number) => standing.compareIds(a, b),
    }
    const testNeeded = testRowsNeeded(task, columnFigures(task, rows, standing))
    const placed = placeArriving(numbered, near, together, { testNeeded, key: task.task })
    const added = Uint32Array.from(placed.keys()).filter((row) => standing.held[row] === 0)
    sortByKey(added, 32, (row) => standing.idRank(row), numbered.compareIds)
    rows.addAssignments(assignments(added, placed, standing))
    for (const row of added) standing.hold(row, placed[row] as number)
  } finally {
    texts.close()
  }
}

interface ReadInto {
  readonly standing: StandingSplits
  readonly texts: SpilledTexts
  readonly together: HeldTogether
}

/**
 * Puts the texts of all rows aside, by their numbers, and notes the strata of those that have no split, and what
 * belongs together. Returns a sample of the texts.
 */
function* readTexts(
  task: TaskSpecification,
  rows: TaskRows,
  { standing, texts, together }: ReadInto,
): Generator<void, TextSample> {
  const sample = new TextSample()
  const take = (given: Seed | RealInput, stratum: () => string) => {
    const row = texts.added
    together.take(row, given)
    // As it is read back.
    const text = inputText(task, given.input).toWellFormed()
    texts.add(text)
    sample.add(text)
    if (standing.held[row] === 0) standing.stratum[row] = standing.stratumNumber(stratum())
  }
  for (const seed of plainSeeds(rows)) {
    take(seed, () => stratumOf(task, seed.output))
    if (texts.added % rowsAPiece === 0) yield
  }
  for (const input of rows.eachInput()) {
    take(input, () => unlabelled)
    if (texts.added % rowsAPiece === 0) yield
  }
  return sample
}

/** Where each row is held, opened rows of a worn test set nowhere. */
function heldNow(standing: StandingSplits, worn: Iterable<string>): Uint8Array {
  const held = standing.held.slice()
  for (const digits of worn)
    for (const row of [standing.rowOf(`seed_${digits}`), standing.rowOf(`input_${digits}`)])
      if (row >= 0 && held[row] !== 0) held[row] = heldNames.indexOf("retired")
  return held
}

function* assignments(added: Uint32Array, placed: Uint8Array, standing: StandingSplits): Generator<Assignment> {
  for (const row of added)
    yield {
      id: standing.idOf(row),
      split: heldNames[placed[row] as number] as Split,
      stratum: standing.strata[standing.stratum[row] as number] as string,
    }
}

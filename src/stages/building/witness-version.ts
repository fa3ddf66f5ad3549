import { inputText } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { HeldOutRow } from "../../curation/leaks/contamination.ts"
import { countsForCommonRuns, type FoundLeak } from "../../curation/leaks/definition.ts"
import { inOrder, joinNotes, Witness, type WitnessNotes } from "../../curation/leaks/witness.ts"
import { GramWitness } from "../../curation/leaks/witness-grams.ts"
import { groupDescents, type GroupedRow } from "../../curation/leaks/witness-groups.ts"
import { witnessIndex, type WitnessIndex, type WitnessOptions } from "../../curation/leaks/witness-index.ts"
import { descents, type ParentedRow } from "../../curation/leaks/witness-lineage.ts"
import { mostMissed, type NearCount } from "../../curation/leaks/witness-near.ts"
import { commonRunHashes } from "../../curation/leaks/witness-templates.ts"
import { TextSample } from "../../curation/near/boilerplate.ts"
import { mostTexts } from "../../curation/near/cuts.ts"
import type { WrittenFiles } from "../../store/rows/versions.ts"
import { eachFrozenRow, type WitnessShare } from "./witness-lines.ts"

/** What a version is witnessed against. */
export interface WitnessedHoldout {
  /** The files of the holdout, as they are frozen. */
  readonly files: readonly string[]
  /** What is held out beside them: rows of worn test sets, inputs without an answer, benchmarks. */
  readonly others: readonly HeldOutRow[]
  readonly heldOutIds: ReadonlySet<string>
  /** Real inputs that have a group. */
  readonly groupedInputs: readonly GroupedRow[]
  readonly threshold: number | undefined
  readonly ngram: number
  /** How many rows the task has at most. */
  readonly expected: number
}

export interface WitnessReport {
  readonly rows: number
  readonly heldOut: number
  /** The leaks that the build had missed. */
  readonly found: readonly FoundLeak[]
  /** How far the search for near pairs went, and how many rows may be near although none was found. */
  readonly near: NearCount & { readonly mostMissed: number }
}

/**
 * What a witness finds in the files of a version as they lie on disk: train rows that meet what is held out. It
 * reads the lines, and knows nothing else of the build. `look` has hands look at them.
 */
export async function witnessVersion(
  task: TaskSpecification,
  files: Pick<WrittenFiles, "train" | "dropped">,
  holdout: WitnessedHoldout,
  { seed, look }: { readonly seed: number; readonly look: (share: WitnessShare) => Promise<readonly WitnessNotes[]> },
): Promise<WitnessReport> {
  const heldOut = heldOutTexts(task, holdout)
  const { heldOutIds, threshold, ngram } = holdout
  const { numbers } = task.build.nearDuplicates ?? {}
  const index = witnessIndex({ heldOut, heldOutIds, threshold, numbers, ngram })
  const next = new Int32Array(new SharedArrayBuffer(4))
  const notes = joinNotes(await look({ task, index, seed, path: files.train, next }))
  const found = [
    ...notes.found,
    ...descents(notes.parented, notes.parented.length === 0 ? [] : parentedRows(task, files.dropped), index.idOfDigits),
    ...besideHeldOut(task, files.dropped, { index, notes, inputs: holdout.groupedInputs }),
    ...overlaps(task, files, index, { grams: notes.grams, heldOut, expected: holdout.expected }),
  ]
  return {
    rows: notes.rows,
    heldOut: heldOut.length,
    found: inOrder(found),
    near: { ...notes.near, mostMissed: mostMissed(notes.near) },
  }
}

function heldOutTexts(task: TaskSpecification, { files, others }: WitnessedHoldout): WitnessOptions["heldOut"] {
  const texts = others.map(({ id, input, group }) => ({ id, text: inputText(task, input), group }))
  for (const file of files) eachFrozenRow(task, file, ({ id, text, group }) => texts.push({ id, text, group }))
  return texts
}

/** The rows that descend from a row of a group of which a row is held out, though they are of no such group. */
function besideHeldOut(
  task: TaskSpecification,
  dropped: string,
  { index, notes, inputs }: { index: WitnessIndex; notes: WitnessNotes; inputs: readonly GroupedRow[] },
): FoundLeak[] {
  const { groups } = index
  if (groups.size === 0 || notes.parented.length === 0) return []
  const grouped = [...inputs]
  eachFrozenRow(task, dropped, ({ id, group }) => {
    if (group !== undefined) grouped.push({ id, group })
  })
  return groupDescents(notes.parented, { parented: parentedRows(task, dropped), grouped }, groups)
}

function parentedRows(task: TaskSpecification, path: string): ParentedRow[] {
  const rows: ParentedRow[] = []
  eachFrozenRow(task, path, ({ id, parents }) => {
    if (parents.length > 0) rows.push([id, parents])
  })
  return rows
}

/**
 * The rows that share an n-gram with a held-out text. Only where there are such n-grams at all is it looked up which
 * runs of words are common to many texts.
 */
function overlaps(
  task: TaskSpecification,
  files: { readonly train: string; readonly dropped: string },
  index: WitnessIndex,
  {
    grams,
    heldOut,
    expected,
  }: {
    readonly grams: readonly number[]
    readonly heldOut: readonly { readonly text: string }[]
    readonly expected: number
  },
): FoundLeak[] {
  if (grams.length === 0) return []
  const sample = new TextSample(mostTexts, expected)
  eachFrozenRow(task, files.train, ({ text }) => sample.add(text))
  eachFrozenRow(task, files.dropped, ({ text, reason = "" }) => {
    if (countsForCommonRuns(reason)) sample.add(text)
  })
  for (const { text } of heldOut) sample.add(text)
  const leaking = new GramWitness(index).leaking(grams, commonRunHashes(sample.texts(), index.ngram))
  const found: FoundLeak[] = []
  if (leaking.size === 0) return found
  const witness = new Witness(index, 0)
  eachFrozenRow(task, files.train, ({ id, text }) => {
    const met = witness.gramOf(text, leaking)
    if (met !== undefined) found.push({ check: "ngram", train: id, heldOut: met })
  })
  return found
}

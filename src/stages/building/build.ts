import type { HoldoutId } from "../../core/rows/frozen-ids.ts"
import { Curation, type Conflict } from "../../curation/version/curation.ts"
import { heldOutGroups } from "../../curation/leaks/contamination.ts"
import { digits } from "../../curation/leaks/lineage.ts"
import type { GroupedRow } from "../../curation/leaks/witness-groups.ts"
import type { CurationOptions } from "../../curation/version/intake.ts"
import { lineParts } from "../../curation/rows/row-batch.ts"
import { RowTable } from "../../curation/rows/row-table.ts"
import type { SemanticFindings } from "../../curation/version/semantic-duplicates.ts"
import { DataError } from "../../core/errors.ts"
import type { Example, FlaggedRow, RealInput } from "../../core/rows/example.ts"
import { groupOf } from "../../core/rows/kept-columns.ts"
import type { DatasetManifest, HoldoutManifest } from "../../core/rows/manifests.ts"
import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { PartedSpill } from "../../store/files/parted-spill.ts"
import { remembered } from "../../store/rows/remembered.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { TaskWatch } from "../../store/erasing/task-watch.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { StageContext } from "../context.ts"
import { requireAllowed } from "../rights.ts"
import type { ThreadStarter } from "../threads.ts"
import { holdOut } from "../arriving/hold-out.ts"
import { requireKnownLabels } from "../arriving/unknown-labels.ts"
import { type ExamplePair, queueConflicts } from "../standing/conflicts.ts"
import { reviewStart } from "../standing/fates.ts"
import { CostMeter, describeCosts, type BuildCosts } from "./build-costs.ts"
import { compareRows } from "./compare-rows.ts"
import { sourcesOf } from "./conflict-sources.ts"
import { freezeClean, type Freezing, type VersionContent } from "./freeze-version.ts"
import { type HeldOutPairs, heldOutPairs } from "./held-out-pairs.ts"
import { noteNumberTwins } from "./number-note.ts"
import { protectHeldOut, readHeldOut, requireValid } from "./held-out-rows.ts"
import { passRows, type PassParts } from "./pass-rows.ts"
import type { SemanticSearch } from "./semantic-search.ts"
import { crewFor } from "./thread-hands.ts"
import { contentOf, examplesOf, requireSome } from "./version-content.ts"
import { buildSources } from "./build-sources.ts"
import { holdoutManifest } from "./version-manifest.ts"
import type { WitnessReport } from "./witness-version.ts"

export interface BuildResult {
  readonly state: "built" | "unchanged"
  readonly manifest: DatasetManifest
  readonly holdout: HoldoutManifest
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number }
  readonly open: number
  /** How many of the test rows were real inputs, which people answered. */
  readonly answeredTest: number
  /** The pairs of near-duplicates with different outputs that nobody decided on; they are in the review queue. */
  readonly conflicts: readonly { readonly a: string; readonly b: string; readonly similarity: number }[]
  /** What of the holdout stands in it twice; of the conflicts those that nobody decided on, in the queue as well. */
  readonly heldOutPairs: HeldOutPairs
  /**
   * Rows of the version and of its holdout that people wrote or accepted and in which a quality filter found something.
   */
  readonly flagged: readonly FlaggedRow[]
  /** What the core and each optional check took. */
  readonly costs: BuildCosts
  /** What a witness saw in the frozen lines; `found` are the leaks that the build had missed, which were dropped. */
  readonly witness: WitnessReport
  /** What says the same in other words, where it was looked for. */
  readonly semantic?: Pick<SemanticFindings, "duplicates" | "nearHeldOut"> | undefined
}

export interface BuildOptions {
  readonly findSemantic?: SemanticSearch | undefined
  readonly threads?: ThreadStarter | undefined
  /** See `freezeClean`. */
  readonly afterWriting?: ((folder: string) => void) | undefined
}

/**
 * The dataset version of what is accepted now exists, clean and without a leak, with its holdout: immutable, named by
 * its content, the same bytes whenever the rows and the recipe are the same. kept + dropped = read. Throws a GateError
 * when the rows break `rights.forbid`; then nothing is frozen.
 *
 * Train rows are read one by one, in several threads where there are many seeds and `threads` are given, and lie in a
 * temporary file meanwhile; memory has what is needed to compare them (see `Curation`), and the held-out rows. Nothing
 * is read again for a version that is there, while no byte of what it was made from, or of it, has changed.
 */
export async function build(
  context: StageContext,
  task: TaskSpecification,
  filters: readonly ConfiguredFilter[],
  options: BuildOptions = {},
): Promise<BuildResult> {
  // What looks in other words asks a model, whose answers are no files of the task.
  if (options.findSemantic !== undefined || options.afterWriting !== undefined)
    return buildStanding(context, task, filters, options)
  const { workspace } = context
  const meter = new CostMeter(context.monotonicMs)
  let isMade = false
  const result = await remembered(workspace, task.task, "build", buildSources(context, task, filters), async () => {
    isMade = true
    return buildStanding(context, task, filters, options)
  })
  return isMade ? result : { ...result, state: "unchanged", costs: meter.costs(result.manifest.read) }
}

/** Built of the rows as they stand: where some are erased meanwhile, or labels change, it begins anew. */
async function buildStanding(
  context: StageContext,
  task: TaskSpecification,
  filters: readonly ConfiguredFilter[],
  options: BuildOptions,
): Promise<BuildResult> {
  for (let round = 1; ; round += 1) {
    const watch = new TaskWatch(context.workspace, task.task)
    try {
      return await buildAnew(context, { task, filters, watch }, options)
    } catch (error) {
      if (round === mostRounds || context.signal.aborted || !watch.hasChanged()) throw error
      context.report.note(`rows of ${task.task} were erased, or its labels changed: the build begins anew`)
    }
  }
}

const mostRounds = 3

async function buildAnew(
  context: StageContext,
  {
    task,
    filters,
    watch,
  }: Pick<PassParts, "filters"> & { readonly task: TaskSpecification; readonly watch: TaskWatch },
  { findSemantic, threads, afterWriting }: BuildOptions,
): Promise<BuildResult> {
  const { standing, counts } = await holdOut(context, task)
  if (counts.oneFamily !== undefined) context.report.warn(counts.oneFamily)
  const meter = new CostMeter(context.monotonicMs)
  const rows = new TaskRows(context.workspace, task.task)
  const crew = crewFor(rows, threads)
  try {
    const start = reviewStart(task, rows)
    const heldOut = readHeldOut(task, rows, start, standing)
    requireKnownLabels(context.workspace, task, standing)
    requireValid(task, [...heldOut.validation, ...heldOut.test], context.workspace.show(rows.seedsFile))
    const spill = PartedSpill.in(rows.folder, "build", lineParts)
    try {
      const material = { task, rows, table: new RowTable(spill), spill }
      const parts = { filters, start, heldOut, meter, material, hands: crew.handsOn(material) }
      return await buildFromRows(context, { ...parts, watch }, { findSemantic, afterWriting })
    } finally {
      // Nobody writes to it any more.
      await crew.stop()
      spill.close()
    }
  } finally {
    await crew.stop()
  }
}

async function buildFromRows(
  context: StageContext,
  parts: PassParts & { readonly watch: TaskWatch },
  { findSemantic, afterWriting }: Pick<BuildOptions, "findSemantic" | "afterWriting">,
): Promise<BuildResult> {
  const { filters, start, heldOut, meter, hands } = parts
  const { task, rows, table } = parts.material
  const protectedRows = protectHeldOut(context, task, heldOut)
  const { validation, test, inputs, heldOutIds } = protectedRows
  const { numbers } = task.build.nearDuplicates ?? {}
  const options = { task, heldOut: inputs, heldOutIds, ...task.build, numbers, expected: heldOut.seen }
  const groupedInputs = inputsInGroups(task, parts.start.inputs)
  const curation = new Curation(table, options, besideHeldOut(groupedInputs, heldOutGroups(inputs)))
  const { read, open, flagged, proposals, privacy } = await passRows(context, parts, curation)
  requireRead(task, read)
  const found = await compareRows(curation.close(), hands)
  noteNumberTwins(context, task, curation, inputs)
  const semantic =
    findSemantic &&
    meter.check("embedding", table.size, () => findSemantic([...examplesOf(table, table.kept())], inputs))
  if (semantic !== undefined) dropFound(table, semantic.dropped)
  requireSome(task, table)
  requireAllowed(context, task, examplesOf(table, table.kept()))
  const holdout = holdoutManifest(task, validation, test)
  const { watch } = parts
  const versions = new Versions(context.workspace, task.task, (write) => watch.commit(write))
  await versions.freezeHoldout(holdout, { validation, test })
  const content = {
    ...{ filters, flagged, proposals, semantic, holdout: holdout.id, conflicts: found.length },
    ...{ heldOut: [...validation, ...test], benchmarks: protectedRows.benchmarks },
    privacy: privacy(protectedRows.protection),
  }
  const frozen = await freezeClean({
    ...{ task, table, versions, meter, afterWriting },
    holdout: { ...witnessedHoldout(holdout.id, options, [...validation, ...test]), groupedInputs },
    contentOf: () => contentOf(parts.material, hands, content),
    look: (share) => hands.witness(share),
  })
  versions.setLatest(frozen.manifest.id)
  const costs = meter.costs(read)
  if (read >= fewestTimed) context.report.note(`build: ${describeCosts(costs)}`)
  const conflicts = standing(table, found, semantic !== undefined || frozen.witness.found.length > 0)
  const inHoldout = heldOutPairs(task, [...validation, ...test])
  const pairs = [...conflicts, ...table.droppedPairs("conflict"), ...inHoldout.conflicts]
  const waiting = watch.commit(() => queueConflicts(rows, sourcesOf(rows, start, heldOut, pairs), pairs))
  const isHeldOut = (pair: ExamplePair) => inHoldout.conflicts.some((other) => other === pair)
  return {
    state: frozen.isNew ? "built" : "unchanged",
    manifest: frozen.manifest,
    holdout,
    rows: { train: frozen.content.kept.length, validation: validation.length, test: test.length },
    open,
    answeredTest: test.filter(({ id }) => heldOut.held.has(`input_${digits(id)}`)).length,
    conflicts: waiting.filter((pair) => !isHeldOut(pair)),
    heldOutPairs: { ...inHoldout, conflicts: inHoldout.conflicts.filter((pair) => waiting.includes(pair)) },
    flagged: frozen.content.flagged,
    costs,
    witness: frozen.witness,
    ...(semantic && { semantic: { duplicates: semantic.duplicates, nearHeldOut: semantic.nearHeldOut } }),
  }
}

/** What is held out beside the files of the holdout, and by which rules, for a witness. */
function witnessedHoldout(
  id: HoldoutId,
  { heldOut, heldOutIds, threshold, ngram, expected }: CurationOptions & { readonly heldOutIds: ReadonlySet<string> },
  frozen: readonly Example[],
): Omit<Freezing<VersionContent>["holdout"], "groupedInputs"> {
  const ids = new Set(frozen.map((row) => row.id))
  return { id, others: heldOut.filter((row) => !ids.has(row.id)), heldOutIds, threshold, ngram, expected }
}

/** The real inputs that have a group: they may be parents of rows without being rows themselves. */
function inputsInGroups(task: TaskSpecification, inputs: readonly RealInput[]): GroupedRow[] {
  return inputs.flatMap((input) => {
    const group = groupOf(task, input)
    return group === undefined ? [] : [{ id: input.id, group }]
  })
}

/** By the digits of inputs of a group of which a row is held out, that row. */
function besideHeldOut(inputs: readonly GroupedRow[], groups: ReadonlyMap<string, string>): Map<string, string> {
  return new Map(
    inputs.flatMap(({ id, group }) => {
      const witness = groups.get(group)
      return witness === undefined ? [] : [[digits(id), witness] as const]
    }),
  )
}

function requireRead(task: TaskSpecification, read: number): void {
  if (read > 0) return
  throw new DataError(
    `task ${task.task} has no examples to train on`,
    [],
    `Import gold examples: tuneloop seed import ${task.task} <file>`,
  )
}

function dropFound(table: RowTable, dropped: SemanticFindings["dropped"]): void {
  const numbers = new Map([...table.kept()].map((number) => [table.id(number), number]))
  for (const { id, reason, witness, similarity, detail } of dropped)
    table.drop(numbers.get(id) as number, { reason, witness, similarity, detail })
}

/** The pairs of which both rows are still kept; all are where nothing was dropped since they were compared. */
function standing(table: RowTable, found: readonly Conflict[], mayBeDropped: boolean): readonly Conflict[] {
  if (!mayBeDropped || found.length === 0) return found
  const ids = new Set(Array.from(table.kept(), (number) => table.id(number)))
  return found.filter(({ a, b }) => ids.has(a) && ids.has(b))
}

// Of fewer rows the figures would be those of starting up.
const fewestTimed = 1000

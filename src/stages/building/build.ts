import { join } from "node:path"
import type { Comparison } from "../../curation/rows/keep-best.ts"
import { Curation } from "../../curation/version/curation.ts"
import { leakChecks } from "../../curation/leaks/definition.ts"
import { preferencePairs } from "../../curation/version/preferences.ts"
import { outbound, Protection } from "../../curation/version/personal-data-policy.ts"
import { flagHeldOut } from "../../curation/version/quality.ts"
import { lineParts, type Why } from "../../curation/rows/row-batch.ts"
import { rowLines } from "../../curation/rows/row-lines.ts"
import { RowTable } from "../../curation/rows/row-table.ts"
import type { SemanticFindings } from "../../curation/version/semantic-duplicates.ts"
import { DataError } from "../../core/errors.ts"
import type { DatasetManifest, Example, FlaggedRow, HoldoutManifest, Preference } from "../../core/rows/example.ts"
import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { PartedSpill } from "../../store/files/parted-spill.ts"
import { writeDigested } from "../../store/files/staged-file.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Versions } from "../../store/rows/versions.ts"
import { readBenchmarks } from "./benchmarks.ts"
import { CostMeter, describeCosts, type BuildCosts } from "./build-costs.ts"
import type { StageContext } from "../context.ts"
import { queueConflicts } from "../standing/conflicts.ts"
import { reviewStart } from "../standing/fates.ts"
import { readHeldOut, requireValid } from "./held-out-rows.ts"
import { holdOut } from "../arriving/hold-out.ts"
import { sourcesOf } from "./conflict-sources.ts"
import { requireAllowed } from "../rights.ts"
import { passRows, type PassParts } from "./pass-rows.ts"
import type { RowPass } from "./row-pass.ts"
import { BuildThreads, type ThreadStarter } from "./build-threads.ts"
import type { SemanticSearch } from "./semantic-search.ts"
import { freezeClean } from "./freeze-version.ts"
import { holdoutManifest, versionManifest } from "./version-manifest.ts"
import { witnessLines } from "./witness-lines.ts"
import type { WitnessReport } from "./witness-version.ts"

export interface BuildResult {
  readonly state: "built" | "unchanged"
  readonly manifest: DatasetManifest
  readonly holdout: HoldoutManifest
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number }
  readonly open: number
  /** The pairs of near-duplicates with different outputs that nobody decided on; they are in the review queue. */
  readonly conflicts: readonly { readonly a: string; readonly b: string; readonly similarity: number }[]
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
 * temporary file meanwhile; memory has what is needed to compare them (see `Curation`), and the held-out rows.
 */
export async function build(
  context: StageContext,
  task: TaskSpecification,
  filters: readonly ConfiguredFilter[],
  { findSemantic, threads, afterWriting }: BuildOptions = {},
): Promise<BuildResult> {
  const { standing } = holdOut(context, task)
  const meter = new CostMeter(context.monotonicMs)
  const rows = new TaskRows(context.workspace, task.task)
  const buildThreads = new BuildThreads(rows, threads)
  try {
    const start = reviewStart(task, rows)
    const heldOut = readHeldOut(task, rows, start, standing)
    requireValid(task, [...heldOut.validation, ...heldOut.test], context.workspace.show(rows.seedsFile))
    const spill = new PartedSpill(join(rows.folder, "build"), lineParts)
    try {
      return await buildFromRows(context, task, {
        filters,
        findSemantic,
        rows,
        start,
        heldOut,
        spill,
        meter,
        buildThreads,
        afterWriting,
      })
    } finally {
      // Nobody writes to it any more.
      await buildThreads.stop()
      spill.close()
    }
  } finally {
    await buildThreads.stop()
  }
}

interface BuildParts extends PassParts {
  readonly findSemantic: SemanticSearch | undefined
  readonly afterWriting: BuildOptions["afterWriting"]
}

async function buildFromRows(context: StageContext, task: TaskSpecification, parts: BuildParts): Promise<BuildResult> {
  const { filters, findSemantic, rows, start, heldOut, spill, meter, buildThreads, afterWriting } = parts
  const table = new RowTable(spill)
  const heldOutProtection = new Protection(task)
  const protect = (example: Example) => heldOutProtection.protect(example, { isTrain: false }).row
  const [validation, test] = [heldOut.validation.map(protect), heldOut.test.map(protect)]
  const benchmarks = readBenchmarks(context.workspace, task)
  const heldOutInputs = [
    ...[...validation, ...test].map(({ id, input }) => ({ id, input })),
    ...heldOut.retired.map((row) => ({ id: row.id, input: outbound(task, row).input })),
    ...heldOut.unanswered,
    ...benchmarks.rows.map((row) => ({ ...row, input: outbound(task, { input: row.input, output: null }).input })),
  ]
  // A parent is named by the id of the seed or input, an example by its own: both name the same held-out row.
  const options = {
    task,
    heldOut: heldOutInputs,
    heldOutIds: new Set(heldOut.held.keys()),
    ...task.build,
    expected: heldOut.seen,
  }
  const curation = new Curation(table, options)
  const { read, open, flagged, proposals, privacy } = await passRows(context, task, parts, curation)
  if (read === 0)
    throw new DataError(
      `task ${task.task} has no examples to train on`,
      [],
      `Import gold examples: tuneloop seed import ${task.task} <file>`,
    )
  const found = curation.finish(await compareAll(curation, table, spill, buildThreads))
  const semantic =
    findSemantic &&
    meter.check("embedding", table.size, () => findSemantic([...examplesOf(table, table.kept())], heldOutInputs))
  if (semantic !== undefined) dropFound(table, semantic.dropped)
  requireSome(task, table)
  requireAllowed(context, task, examplesOf(table, table.kept()))
  const holdout = holdoutManifest(task, validation, test)
  const privacyReport = privacy(heldOutProtection)
  const versions = new Versions(context.workspace, task.task)
  await versions.freezeHoldout(holdout, { validation, test })
  const contentOf = () => {
    const kept = table.kept()
    requireSome(task, table)
    const flaggedHere = [...keptOnly(flagged, table, kept), ...flagHeldOut(task, [...validation, ...test], filters)]
    const planned = versionManifest(task, holdout.id, table, {
      conflicts: found.length,
      flagged: flaggedHere,
      filters,
      checks: [...leakChecks, ...(semantic === undefined ? [] : ["embedding"])],
      semantic,
      benchmarks: benchmarks.digests,
      privacy: privacyReport,
    })
    const dropped = table.dropped()
    const files = {
      train: fileOf(table, spill, buildThreads, kept),
      dropped: fileOf(table, spill, buildThreads, dropped, table.whys(dropped)),
      preferences: preferencesOf(task, table, proposals),
    }
    return { planned, files, kept, flagged: flaggedHere }
  }
  const frozenIds = new Set([...validation, ...test].map(({ id }) => id))
  const { content, manifest, isNew, witness } = await freezeClean({
    task,
    table,
    versions,
    holdout: {
      id: holdout.id,
      others: heldOutInputs.filter(({ id }) => !frozenIds.has(id)),
      heldOutIds: options.heldOutIds,
      threshold: task.build.threshold,
      ngram: task.build.ngram,
      expected: heldOut.seen,
    },
    meter,
    contentOf,
    look: async (share) => (buildThreads.count > 0 ? buildThreads.witness(share) : [witnessLines(share)]),
    afterWriting,
  })
  const { kept, flagged: flaggedHere } = content
  const isKeptId = keptIds(table, found, semantic !== undefined || witness.found.length > 0)
  const conflicts = found.filter(({ a, b }) => isKeptId(a) && isKeptId(b))
  versions.setLatest(manifest.id)
  const costs = meter.costs(read)
  if (read >= fewestTimed) context.report.note(`build: ${describeCosts(costs)}`)
  const pairs = [...conflicts, ...table.droppedPairs("conflict")]
  return {
    state: isNew ? "built" : "unchanged",
    manifest,
    holdout,
    rows: { train: kept.length, validation: validation.length, test: test.length },
    open,
    conflicts: queueConflicts(rows, sourcesOf(rows, start, heldOut, pairs), pairs),
    flagged: flaggedHere,
    costs,
    witness,
    ...(semantic === undefined
      ? {}
      : { semantic: { duplicates: semantic.duplicates, nearHeldOut: semantic.nearHeldOut } }),
  }
}

/** Compares the rows with one another, in the threads where there are some. */
async function compareAll(
  curation: Curation,
  table: RowTable,
  spill: PartedSpill,
  threads: BuildThreads,
): Promise<Comparison[]> {
  const { task } = curation.options
  const { records } = table
  const rows = curation.close()
  const { recordedBands } = curation
  const joining =
    threads.count > 0 && recordedBands > 0 ? threads.join(records.share(), rows, recordedBands) : undefined
  // Where the rest fails, that error is the one to tell.
  joining?.catch(() => undefined)
  const overlapping = curation.dropOverlapping()
  if (overlapping !== undefined) {
    if (threads.count === 0) curation.judgeOverlapping(overlapping.rows, overlapping.plan)
    else
      for (const judged of await threads.judge(records, spill.share(), overlapping.rows, overlapping.plan))
        curation.takeJudged(judged)
  }
  const { plan, resketch } = curation.plan()
  let joined = await joining
  if (resketch !== undefined) {
    const left = rows.filter((row) => table.isKept(row))
    if (threads.count === 0) curation.resketch(left, resketch)
    else
      for (const moved of (await threads.resketch(task, records, spill.share(), left, resketch)).flat())
        records.move(moved)
    joined = threads.count > 0 ? await threads.join(records.share(), rows, plan.plan.bands.count) : undefined
  }
  const groups = curation.groups(rows, plan, joined)
  return threads.count > 0
    ? threads.compare(task, { records: records.share(), spill: spill.share() }, groups, plan)
    : [curation.compare(groups, plan)]
}

/** Writes the lines of the rows, in a thread where there are some. */
function fileOf(
  table: RowTable,
  spill: PartedSpill,
  threads: BuildThreads,
  rows: Uint32Array,
  whys?: readonly Why[],
): (path: string) => Promise<string> {
  if (threads.count > 0)
    return (path) => threads.write({ path, records: table.records.share(), spill: spill.share(), rows, whys })
  return async (path) => writeDigested(path, rowLines(table.records, spill, rows, whys))
}

function dropFound(table: RowTable, dropped: SemanticFindings["dropped"]): void {
  const numbers = new Map([...table.kept()].map((number) => [table.id(number), number]))
  for (const { id, reason, witness, similarity, detail } of dropped)
    table.drop(numbers.get(id) as number, { reason, witness, similarity, detail })
}

function requireSome(task: TaskSpecification, table: RowTable): void {
  if (table.kept().length > 0) return
  const reasons = [...table.reasons()].sort(([a], [b]) => (a < b ? -1 : 1))
  throw new DataError(
    `every example of ${task.task} was dropped: ${describeDrops(Object.fromEntries(reasons))}`,
    [],
    "See the reasons above; nothing was frozen.",
  )
}

/** Made of the rows that are kept, so that nothing gets in that was not checked for leaks. */
function preferencesOf(task: TaskSpecification, table: RowTable, proposals: RowPass["proposals"]): Preference[] {
  if (proposals.size === 0) return []
  const corrected = table.kept().filter((number) => proposals.has(table.id(number)))
  return preferencePairs(task, examplesOf(table, corrected), proposals)
}

/** Whether a row that was compared is still kept; all are where nothing was dropped since. */
function keptIds(table: RowTable, found: readonly unknown[], mayBeDropped: boolean): (id: string) => boolean {
  if (!mayBeDropped || found.length === 0) return () => true
  const ids = new Set(Array.from(table.kept(), (number) => table.id(number)))
  return (id) => ids.has(id)
}

// Of fewer rows the figures would be those of starting up.
const fewestTimed = 1000

function* examplesOf(table: RowTable, numbers: Uint32Array): Generator<Example> {
  for (const number of numbers) yield table.example(number)
}

/** What was flagged in rows that are in the version, in the order of their ids. */
function keptOnly(flagged: readonly FlaggedRow[], table: RowTable, kept: Uint32Array): FlaggedRow[] {
  if (flagged.length === 0) return []
  const byId = Map.groupBy(flagged, ({ id }) => id)
  return [...kept].flatMap((number) => byId.get(table.id(number)) ?? [])
}

/** `12 near-duplicate, 3 rejected`; `none` for nothing. */
export function describeDrops(dropped: Readonly<Record<string, number>>): string {
  return (
    Object.entries(dropped)
      .map(([reason, count]) => `${count} ${reason}`)
      .join(", ") || "none"
  )
}

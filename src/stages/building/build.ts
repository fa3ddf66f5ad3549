import { join } from "node:path"
import type { Comparison } from "../../curation/rows/keep-best.ts"
import { Curation } from "../../curation/version/curation.ts"
import { leakChecks } from "../../curation/leaks/leak-report.ts"
import { digits } from "../../curation/leaks/lineage.ts"
import { preferencePairs } from "../../curation/version/preferences.ts"
import { outbound, Protection } from "../../curation/version/personal-data-policy.ts"
import { flagHeldOut } from "../../curation/version/quality.ts"
import { lineParts, type Why } from "../../curation/rows/row-batch.ts"
import { rowLines } from "../../curation/rows/row-lines.ts"
import { RowTable } from "../../curation/rows/row-table.ts"
import type { SemanticFindings } from "../../curation/version/semantic-duplicates.ts"
import { DataError } from "../../core/errors.ts"
import type { DatasetManifest, Example, FlaggedRow, HoldoutManifest } from "../../core/rows/example.ts"
import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { pickSeeds } from "../../store/rows/seed-ranges.ts"
import { PartedSpill } from "../../store/files/parted-spill.ts"
import { writeDigested } from "../../store/files/staged-file.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Versions } from "../../store/rows/versions.ts"
import { readBenchmarks } from "./benchmarks.ts"
import { CostMeter, describeCosts, type BuildCosts } from "./build-costs.ts"
import type { StageContext } from "../context.ts"
import { queueConflicts } from "../standing/conflicts.ts"
import { fates, reviewStart, type ReviewStart } from "../standing/fates.ts"
import { readHeldOut, requireValid, type HeldOutRows } from "./held-out-rows.ts"
import { holdOut } from "../arriving/hold-out.ts"
import type { SourceRow } from "../../core/rows/review-item.ts"
import { requireAllowed } from "../rights.ts"
import { RowPass, type PassPart } from "./row-pass.ts"
import { BuildThreads, type ThreadEnd, type ThreadStarter } from "./build-threads.ts"
import type { SemanticSearch } from "./semantic-search.ts"
import { holdoutManifest, versionManifest } from "./version-manifest.ts"

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
  /** What says the same in other words, where it was looked for. */
  readonly semantic?: Pick<SemanticFindings, "duplicates" | "nearHeldOut"> | undefined
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
  {
    findSemantic,
    threads,
  }: { readonly findSemantic?: SemanticSearch | undefined; readonly threads?: ThreadStarter | undefined } = {},
): Promise<BuildResult> {
  const { standing } = await holdOut(context, task)
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

interface BuildParts {
  readonly filters: readonly ConfiguredFilter[]
  readonly findSemantic: SemanticSearch | undefined
  readonly rows: TaskRows
  readonly start: ReviewStart
  readonly heldOut: HeldOutRows
  readonly spill: PartedSpill
  readonly meter: CostMeter
  readonly buildThreads: BuildThreads
}

async function buildFromRows(context: StageContext, task: TaskSpecification, parts: BuildParts): Promise<BuildResult> {
  const { filters, findSemantic, rows, start, heldOut, spill, meter, buildThreads } = parts
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
  const reasons = table.reasons()
  const kept = table.kept()
  const keptIds = semantic === undefined ? undefined : new Set([...kept].map((number) => table.id(number)))
  const conflicts = found.filter(({ a, b }) => keptIds === undefined || (keptIds.has(a) && keptIds.has(b)))
  if (kept.length === 0)
    throw new DataError(
      `every example of ${task.task} was dropped: ${describeDrops(Object.fromEntries([...reasons].sort(([a], [b]) => (a < b ? -1 : 1))))}`,
      [],
      "See the reasons above; nothing was frozen.",
    )
  requireAllowed(context, task, examplesOf(table, kept))
  const flaggedHere = [...keptOnly(flagged, table, kept), ...flagHeldOut(task, [...validation, ...test], filters)]
  const holdout = holdoutManifest(task, validation, test)
  // Made of the rows that are kept, so that nothing gets in that was not checked for leaks.
  const preferences =
    proposals.size === 0
      ? []
      : preferencePairs(
          task,
          examplesOf(
            table,
            kept.filter((number) => proposals.has(table.id(number))),
          ),
          proposals,
        )
  const planned = versionManifest(task, holdout.id, table, {
    conflicts: found.length,
    flagged: flaggedHere,
    filters,
    checks: [...leakChecks, ...(semantic === undefined ? [] : ["embedding"])],
    semantic,
    benchmarks: benchmarks.digests,
    privacy: privacy(heldOutProtection),
  })
  const versions = new Versions(context.workspace, task.task)
  await versions.freezeHoldout(holdout, { validation, test })
  const dropped = table.dropped()
  const { manifest, isNew } = await versions.freezeVersion(planned, {
    train: fileOf(table, spill, buildThreads, kept),
    dropped: fileOf(table, spill, buildThreads, dropped, table.whys(dropped)),
    preferences,
  })
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
    ...(semantic === undefined
      ? {}
      : { semantic: { duplicates: semantic.duplicates, nearHeldOut: semantic.nearHeldOut } }),
  }
}

/** Takes every row through the pass: seeds by the threads, if there are any, all else here. */
async function passRows(context: StageContext, task: TaskSpecification, parts: BuildParts, curation: Curation) {
  const { filters, rows, start, heldOut, spill, meter, buildThreads } = parts
  const { options } = curation
  const flagged: FlaggedRow[] = []
  let [read, open] = [0, heldOut.open]
  const take = (part: PassPart) => {
    read += part.read
    open += part.open
    flagged.push(...part.flagged)
    curation.add(part.batch)
  }
  const pass = new RowPass(task, filters, meter, curation.intake)
  const ends: ThreadEnd[] = []
  if (buildThreads.count > 0) {
    const held = new Set(heldOut.held.keys())
    const decisions = [...start.decisions].filter(([item]) => !/^(cand|input)_/.test(item))
    ends.push(
      ...(await buildThreads.passSeeds(
        context,
        rows,
        { root: context.workspace.root, options, held, decisions, spill: spill.share() },
        take,
      )),
    )
  }
  const seeds = ends.length > 0 ? { seeds: [] } : {}
  for (const fate of fates(rows, start, { heldOf: () => "train", isWanted: (id) => !heldOut.held.has(id), ...seeds })) {
    pass.take(fate)
    if (pass.bytes >= mostPartBytes) take(pass.part())
  }
  take(pass.part())
  for (const { samples, checks, extents } of ends) {
    spill.adopt(extents)
    curation.addSamples(samples)
    meter.addThread(checks, ends.length)
  }
  const privacy = (first: Protection) => {
    for (const report of [pass.protection.report(), ...ends.map((end) => end.privacy)]) first.add(report)
    return first.report()
  }
  return { read, open, flagged, proposals: pass.proposals, privacy }
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

const mostPartBytes = 1 << 21
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

/** The rows of conflicts as they stand in their files: of the pairs, and of those that were asked about before. */
function sourcesOf(
  rows: TaskRows,
  start: ReviewStart,
  { held, standing }: HeldOutRows,
  pairs: readonly { readonly a: string; readonly b: string }[],
): Map<string, SourceRow> {
  const asked = rows.review.conflicts().flatMap(({ a, b }) => [a.row, b.row])
  const wanted = new Set([...asked, ...pairs.flatMap(({ a, b }) => [a, b])].map(digits))
  const sources = new Map<string, SourceRow>()
  if (wanted.size === 0) return sources
  const seeds = pickSeeds(rows, standing, new Set(Array.from(wanted, (id) => `seed_${id}`)))
  for (const fate of fates(rows, start, {
    heldOf: (id) => held.get(id) ?? "train",
    isWanted: (id) => wanted.has(digits(id)),
    seeds,
  }))
    if (fate.state === "example" && fate.held !== "retired" && wanted.has(digits(fate.row)))
      sources.set(fate.row, { row: fate.row, split: fate.held, example: fate.original })
  return sources
}

/** `12 near-duplicate, 3 rejected`; `none` for nothing. */
export function describeDrops(dropped: Readonly<Record<string, number>>): string {
  return (
    Object.entries(dropped)
      .map(([reason, count]) => `${count} ${reason}`)
      .join(", ") || "none"
  )
}

import { sampleOf } from "../curation/boilerplate.ts"
import { commonRuns } from "../curation/common-runs.ts"
import { curate } from "../curation/deduplicate.ts"
import { leakReport } from "../curation/leak-report.ts"
import { preferencePairs } from "../curation/preferences.ts"
import { countStrata, prevalenceOf, prevalencePlan } from "../curation/prevalence.ts"
import { outbound, protectRows, type PrivacyReport } from "../curation/privacy.ts"
import { countFlags, filterRows, flagHeldOut } from "../curation/quality.ts"
import type { SemanticFindings } from "../curation/semantic-duplicates.ts"
import { anyInputText } from "../curation/validity.ts"
import { contentId, digest, digestText } from "../core/canonical.ts"
import { DataError, GateError } from "../core/errors.ts"
import type { DatasetManifest, DroppedExample, Example, FlaggedRow, HoldoutManifest, Preference } from "../core/example.ts"
import type { ConfiguredFilter } from "../core/filter.ts"
import { inputIssues, outputIssues, stratumOf } from "../core/output.ts"
import type { TaskSpecification } from "../core/task.ts"
import { toJsonLines } from "../store/files.ts"
import { TaskRows } from "../store/task-rows.ts"
import { Versions } from "../store/versions.ts"
import { readBenchmarks } from "./benchmarks.ts"
import type { StageContext } from "./context.ts"
import { queueConflicts } from "./conflicts.ts"
import { taskExamples } from "./examples.ts"
import { holdOut } from "./hold-out.ts"
import type { SemanticSearch } from "./semantic-search.ts"
import { requireAllowed } from "./rights.ts"

/** Raised when a change here or in curation/ would make another version of the same rows. */
const semantics = 4
/** The same for a holdout, so that it keeps its id where only the rules for train rows change. */
const holdoutSemantics = 2

export interface BuildResult {
  readonly state: "built" | "unchanged"
  readonly manifest: DatasetManifest
  readonly holdout: HoldoutManifest
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number }
  readonly open: number
  /** The pairs of near-duplicates with different outputs that nobody decided on; they are in the review queue. */
  readonly conflicts: readonly { readonly a: string; readonly b: string; readonly similarity: number }[]
  /** Rows of the version and of its holdout that people wrote or accepted and in which a quality filter found something. */
  readonly flagged: readonly FlaggedRow[]
  /** What says the same in other words, where it was looked for. */
  readonly semantic?: Pick<SemanticFindings, "duplicates" | "nearHeldOut"> | undefined
}

/** The dataset version of what is accepted now exists, clean and without a leak, with its holdout: immutable, named by its content, the same bytes whenever the rows and the recipe are the same. kept + dropped = read. Throws a GateError when the leak report is not empty or the rows break `rights.forbid`; then nothing is frozen. */
export function build(
  context: StageContext,
  task: TaskSpecification,
  filters: readonly ConfiguredFilter[],
  findSemantic?: SemanticSearch,
): BuildResult {
  holdOut(context, task)
  const rows = new TaskRows(context.workspace, task.task)
  const original = taskExamples(task, rows)
  requireValid(context, task, [...original.validation, ...original.test], rows)
  const safe = protectRows(task, original)
  const examples = { ...original, train: safe.train, validation: safe.validation, test: safe.test }
  if (original.train.length === 0)
    throw new DataError(`task ${task.task} has no examples to train on`, [], `Import gold examples: tuneloop seed import ${task.task} <file>`)
  const heldOut = [...examples.validation, ...examples.test]
  // A parent is named by the id of the seed or input, an example by its own: both name the same held-out row.
  const heldOutIds = new Set(rows.assignments().flatMap(({ id, split }) => (split === "train" ? [] : [id])))
  const benchmarks = readBenchmarks(context.workspace, task)
  const heldOutInputs = [
    ...heldOut.map(({ id, input }) => ({ id, input })),
    ...original.retired.map((row) => ({ id: row.id, input: outbound(task, row).input })),
    ...unansweredHeldOut(task, rows, heldOutIds, [...heldOut, ...original.retired]),
    ...benchmarks.rows.map((row) => ({ ...row, input: outbound(task, { input: row.input, output: null }).input })),
  ]
  const { threshold, ngram, maxLength } = task.build
  const quality = filterRows(task, examples.train, filters)
  // Judged once, so that the report goes by the same templates as the clean-up.
  const common = commonRuns(sampleOf([...heldOutInputs, ...quality.passed].map(({ input }) => anyInputText(task, input))), ngram)
  const curated = curate({ task, candidates: quality.passed, heldOut: heldOutInputs, heldOutIds, threshold, ngram, common, maxLength })
  const turnedDown: DroppedExample[] = examples.turnedDown.map(({ reason, detail, ...example }) => ({
    ...outbound(task, example),
    reason,
    ...(detail === undefined ? {} : { detail }),
  }))
  const check = (train: readonly Example[]) => leakReport({ task, train, heldOut: heldOutInputs, heldOutIds, threshold, ngram, common })
  // The report is exact where the clean-up's hashing may miss a pair in a thousand right at the threshold: what it finds goes as well.
  const firstCheck = check(curated.kept)
  const missed = new Map(firstCheck.found.map((leak) => [leak.train, leak]))
  const lexical = curated.kept.filter(({ id }) => !missed.has(id))
  const semantic = findSemantic?.(lexical, heldOutInputs)
  const kept = semantic?.kept ?? lexical
  const late = curated.kept.flatMap((example): DroppedExample[] => {
    const leak = missed.get(example.id)
    return leak === undefined
      ? []
      : [
          {
            ...example,
            reason: leak.check === "lineage" ? "lineage" : `leak-${leak.check}`,
            witness: leak.heldOut,
            ...(leak.similarity === undefined ? {} : { similarity: leak.similarity }),
          },
        ]
  })
  const dropped = [...safe.dropped, ...quality.dropped, ...curated.dropped, ...late, ...(semantic?.dropped ?? []), ...turnedDown].sort((a, b) =>
    a.reason === b.reason ? (a.id < b.id ? -1 : 1) : a.reason < b.reason ? -1 : 1,
  )
  const leaks = missed.size === 0 ? firstCheck : check(kept)
  if (leaks.found.length > 0)
    throw new GateError(
      `the dataset would leak ${leaks.found.length} rows into what is held out: ${leaks.found
        .slice(0, 5)
        .map((leak) => `${leak.train} is ${leak.check} with ${leak.heldOut}`)
        .join("; ")}`,
      "Remove those rows, then build again; nothing was frozen.",
    )
  if (kept.length === 0)
    throw new DataError(
      `every example of ${task.task} was dropped: ${describeDrops(countReasons(dropped))}`,
      [],
      "See the reasons above; nothing was frozen.",
    )
  requireAllowed(context, task, kept)
  const keptIds = new Set(kept.map(({ id }) => id))
  const flagged = [...quality.flagged.filter(({ id }) => keptIds.has(id)), ...flagHeldOut(task, heldOut, filters)]
  const holdout = holdoutManifest(task, examples.validation, examples.test)
  // Made of the rows that are kept, so that nothing gets in that was not checked for leaks.
  const preferences = preferencePairs(task, kept, examples.proposals)
  const manifest = versionManifest(task, holdout.id, kept, dropped, {
    preferences,
    conflicts: curated.conflicts.length,
    flagged,
    filters,
    checks: [...leaks.checks, ...(semantic === undefined ? [] : ["embedding"])],
    semantic,
    benchmarks: benchmarks.digests,
    privacy: safe.report,
  })
  const versions = new Versions(context.workspace, task.task)
  const state = versions.has(manifest.id) ? "unchanged" : "built"
  versions.freezeHoldout(holdout, examples)
  versions.freezeVersion(manifest, { train: kept, dropped, preferences })
  versions.setLatest(manifest.id)
  return {
    state,
    manifest,
    holdout,
    rows: { train: kept.length, validation: examples.validation.length, test: examples.test.length },
    open: examples.open.length,
    conflicts: queueConflicts(rows, original.sources, [
      ...curated.conflicts.filter(({ a, b }) => keptIds.has(a) && keptIds.has(b)),
      ...dropped.flatMap(({ id, reason, witness, similarity }) =>
        reason === "conflict" && witness !== undefined ? [{ a: witness, b: id, similarity: similarity ?? 1 }] : [],
      ),
    ]),
    flagged,
    ...(semantic === undefined ? {} : { semantic: { duplicates: semantic.duplicates, nearHeldOut: semantic.nearHeldOut } }),
  }
}

/** Held-out rows may be edited by hand: a wrong one would make every later figure wrong. */
function requireValid(context: StageContext, task: TaskSpecification, examples: readonly Example[], rows: TaskRows): void {
  const file = context.workspace.show(rows.seedsFile)
  const issues = examples.flatMap((example) =>
    [...inputIssues(task, example.input), ...outputIssues(task, example.output)].map((issue) => ({
      ...issue,
      file,
      path: `${example.id} ${issue.path ?? ""}`,
    })),
  )
  if (issues.length > 0)
    throw new DataError(
      "held-out examples no longer fit the specification",
      issues,
      "Correct those rows (same id), or the specification, and build again.",
    )
}

/** Held-out inputs without an answer are no examples yet, but nothing may be trained on them either. */
function unansweredHeldOut(
  task: TaskSpecification,
  rows: TaskRows,
  heldOutIds: ReadonlySet<string>,
  answered: readonly Example[],
): { id: string; input: Example["input"] }[] {
  const known = new Set(answered.map(({ id }) => id.slice(id.indexOf("_"))))
  const unanswered = rows.inputs().filter(({ id }) => heldOutIds.has(id) && !known.has(id.slice(id.indexOf("_"))))
  // As train rows are compared with them: with the same pseudonyms.
  return unanswered.map(({ id, input }) => ({ id, input: outbound(task, { input, output: null }).input }))
}

function holdoutManifest(task: TaskSpecification, validation: readonly Example[], test: readonly Example[]): HoldoutManifest {
  const perLabel: Record<string, { validation: number; test: number }> = {}
  for (const [split, rows] of [
    ["validation", validation],
    ["test", test],
  ] as const)
    for (const { output } of rows) {
      const stratum = stratumOf(task, output)
      perLabel[stratum] ??= { validation: 0, test: 0 }
      perLabel[stratum][split]++
    }
  return {
    schemaVersion: 1,
    id: contentId("hold", { semantics: holdoutSemantics, task: task.task, validation: revisions(validation), test: revisions(test) }),
    task: task.task,
    files: { "validation.jsonl": fileEntry(validation), "test.jsonl": fileEntry(test) },
    perLabel: Object.fromEntries(Object.entries(perLabel).sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}

function versionManifest(
  task: TaskSpecification,
  holdout: string,
  kept: readonly Example[],
  dropped: readonly DroppedExample[],
  found: {
    readonly preferences: readonly Preference[]
    readonly conflicts: number
    readonly flagged: readonly FlaggedRow[]
    readonly filters: readonly ConfiguredFilter[]
    readonly checks: readonly string[]
    readonly semantic: SemanticFindings | undefined
    readonly benchmarks: Readonly<Record<string, string>>
    readonly privacy: PrivacyReport
  },
): DatasetManifest {
  const filters = Object.fromEntries(found.filters.map(({ name, options }) => [name, options]))
  const recipe = {
    semantics,
    kind: task.kind,
    ...task.build,
    threshold: task.build.threshold ?? null,
    filters,
    // The listed names are people: the recipe has their digest only.
    privacy: { personalData: task.privacy.personalData, names: task.privacy.names.length === 0 ? null : digest(task.privacy.names) },
    benchmarks: found.benchmarks,
    holdout,
    ...(prevalenceOf(task) === undefined ? {} : { prevalence: prevalenceOf(task) }),
  }
  const prevalence = prevalencePlan(
    task,
    countStrata(
      task,
      kept.map(({ output }) => output),
    ),
  )
  const { preferences } = found
  // A version without preferences keeps the id that it had before there were any.
  const taught = preferences.length === 0 ? {} : { preferences: revisions(preferences) }
  return {
    schemaVersion: 1,
    id: contentId("ds", { task: task.task, recipe, kept: revisions(kept), dropped: revisions(dropped), ...taught }),
    task: task.task,
    kind: task.kind,
    holdout,
    recipe,
    files: {
      "train.jsonl": fileEntry(kept),
      "dropped.jsonl": fileEntry(dropped),
      ...(preferences.length === 0 ? {} : { "preferences.jsonl": fileEntry(preferences) }),
    },
    read: kept.length + dropped.length,
    kept: kept.length,
    dropped: countReasons(dropped),
    conflicts: found.conflicts,
    flagged: countFlags(found.flagged),
    personalData: found.privacy,
    ...(prevalence === undefined ? {} : { prevalence }),
    ...(found.semantic === undefined || task.build.semantic === undefined ? {} : { semantic: semanticSummary(task.build.semantic, found.semantic) }),
    leaks: { checks: found.checks, found: 0 },
  }
}

function semanticSummary(
  { model, threshold, drop }: NonNullable<TaskSpecification["build"]["semantic"]>,
  { duplicates, nearHeldOut }: SemanticFindings,
): DatasetManifest["semantic"] {
  return { model, threshold, duplicates: duplicates.length, nearHeldOut: nearHeldOut.length, dropped: drop }
}

function revisions(rows: readonly (Example | Preference)[]): string[] {
  return rows.map((row) => digest(row)).sort()
}

function fileEntry(rows: readonly unknown[]): { rows: number; digest: string } {
  return { rows: rows.length, digest: digestText(toJsonLines(rows)) }
}

function countReasons(dropped: readonly DroppedExample[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { reason } of dropped) counts[reason] = (counts[reason] ?? 0) + 1
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** `12 near-duplicate, 3 rejected`; `none` for nothing. */
export function describeDrops(dropped: Readonly<Record<string, number>>): string {
  return (
    Object.entries(dropped)
      .map(([reason, count]) => `${count} ${reason}`)
      .join(", ") || "none"
  )
}

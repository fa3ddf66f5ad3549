import type { DatasetId, HoldoutId } from "../../core/rows/frozen-ids.ts"
import { countStrata, prevalenceOf, prevalencePlan } from "../../curation/holdout/prevalence.ts"
import type { PrivacyReport } from "../../curation/version/personal-data-policy.ts"
import { countFlags } from "../../curation/version/quality.ts"
import type { RowTable } from "../../curation/rows/row-table.ts"
import type { SemanticFindings } from "../../curation/version/semantic-duplicates.ts"
import { contentId, digest, digestText } from "../../core/canonical.ts"
import type { Example, FlaggedRow } from "../../core/rows/example.ts"
import type { DatasetManifest, HoldoutManifest } from "../../core/rows/manifests.ts"
import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import { stratumOf } from "../../core/task/output.ts"
import { hasManyAnswers, type TaskSpecification } from "../../core/task/task.ts"
import { toJsonLines } from "../../store/files/files.ts"
import type { PlannedVersion } from "../../store/rows/versions.ts"

/** Raised when a change in build.ts or in curation/ would make another version of the same rows, of a task's kind. */
const semantics = { label: 5, multilabel: 5, json: 5, text: 5, chat: 6 } as const
/**
 * Raised when texts are compared by other rules. Not part of an id: ids follow from the files, so that a version with
 * other rows has another one, and one whose rows are the same keeps its own.
 */
const comparisonSemantics = 3
/** The same for a holdout, so that it keeps its id where only the rules for train rows change. */
const holdoutSemantics = 2
/** Raised when other personal data is found: versions from which none is taken out keep their ids. */
const personalDataPatterns = 2
/** What a version follows from beside its rows and its recipe. */
export const buildSemantics = { semantics, holdoutSemantics, comparisonSemantics, personalDataPatterns }

/** What a holdout of these rows says of itself. */
export function holdoutManifest(
  task: TaskSpecification,
  validation: readonly Example[],
  test: readonly Example[],
): HoldoutManifest {
  // A label may have the name of something that every object has.
  const perLabel = new Map<string, { validation: number; test: number }>()
  for (const [split, rows] of [
    ["validation", validation],
    ["test", test],
  ] as const)
    for (const { output } of rows) {
      const stratum = stratumOf(task, output)
      const counts = perLabel.get(stratum) ?? { validation: 0, test: 0 }
      counts[split]++
      perLabel.set(stratum, counts)
    }
  return {
    schemaVersion: 1,
    id: contentId("hold", {
      semantics: holdoutSemantics,
      task: task.task,
      validation: revisions(validation),
      test: revisions(test),
    }),
    task: task.task,
    files: { "validation.jsonl": fileEntry(validation), "test.jsonl": fileEntry(test) },
    perLabel: Object.fromEntries([...perLabel].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}

/** What a version of the rows in the table says of itself, but for its files. */
export function versionManifest(
  task: TaskSpecification,
  holdout: HoldoutId,
  table: RowTable,
  found: {
    readonly conflicts: number
    readonly flagged: readonly FlaggedRow[]
    readonly filters: readonly ConfiguredFilter[]
    readonly checks: readonly string[]
    readonly semantic: SemanticFindings | undefined
    readonly benchmarks: Readonly<Record<string, string>>
    readonly privacy: PrivacyReport
  },
): PlannedVersion {
  const filters = Object.fromEntries(found.filters.map(({ name, options }) => [name, options]))
  const { nearDuplicates, ...build } = task.build
  const recipe = {
    semantics: semantics[task.kind],
    kind: task.kind,
    ...build,
    ...(nearDuplicates?.numbers === "drop" ? { nearDuplicates } : {}),
    threshold: task.build.threshold ?? null,
    filters,
    // The listed names are people: the recipe has their digest only.
    privacy: {
      personalData: task.privacy.personalData,
      names: task.privacy.names.length === 0 ? null : digest(task.privacy.names),
      ...(isChanging(task.privacy.personalData) ? { patterns: personalDataPatterns } : {}),
    },
    benchmarks: found.benchmarks,
    holdout,
    ...(prevalenceOf(task) === undefined ? {} : { prevalence: prevalenceOf(task) }),
    ...(task.holdout.groupBy === undefined ? {} : { groupBy: task.holdout.groupBy }),
    ...(hasManyAnswers(task) ? { manyAnswers: true } : {}),
  }
  const prevalence =
    prevalenceOf(task) === undefined ? undefined : prevalencePlan(task, countStrata(task, table.keptOutputs()))
  const reasons = table.reasons()
  const dropped = [...reasons.values()].reduce((sum, count) => sum + count, 0)
  const manifest: PlannedVersion["manifest"] = {
    schemaVersion: 1,
    task: task.task,
    kind: task.kind,
    holdout,
    recipe,
    read: table.size,
    kept: table.size - dropped,
    dropped: Object.fromEntries([...reasons].sort(([a], [b]) => (a < b ? -1 : 1))),
    conflicts: found.conflicts,
    flagged: countFlags(found.flagged),
    personalData: found.privacy,
    ...(prevalence === undefined ? {} : { prevalence }),
    ...(found.semantic === undefined || task.build.semantic === undefined
      ? {}
      : { semantic: semanticSummary(task.build.semantic, found.semantic) }),
  }
  return { manifest, leakChecks: [...found.checks], idOf: (files) => versionId({ task: task.task, recipe, files }) }
}

/** Whether rows are other ones, or fewer, where personal data is found. */
function isChanging(policy: TaskSpecification["privacy"]["personalData"]): boolean {
  return policy === "drop" || policy === "pseudonymise"
}

/** The id of a version: the same always stands for the same bytes. */
function versionId({ task, recipe, files }: Pick<DatasetManifest, "task" | "recipe" | "files">): DatasetId {
  return contentId("ds", { task, recipe, files })
}

/**
 * Whether the version's id is that of what its manifest says of its files. True of versions from before ids followed
 * from the files.
 */
export function isIdSound(manifest: DatasetManifest): boolean {
  const { semantics: its } = manifest.recipe
  return typeof its !== "number" || its < firstWithFiles || versionId(manifest) === manifest.id
}

const firstWithFiles = 5

function semanticSummary(
  { model, threshold, drop }: NonNullable<TaskSpecification["build"]["semantic"]>,
  { duplicates, nearHeldOut }: SemanticFindings,
): DatasetManifest["semantic"] {
  return { model, threshold, duplicates: duplicates.length, nearHeldOut: nearHeldOut.length, dropped: drop }
}

function revisions(rows: readonly unknown[]): string[] {
  return rows.map((row) => digest(row)).sort()
}

function fileEntry(rows: readonly unknown[]): { rows: number; digest: string } {
  return { rows: rows.length, digest: digestText(toJsonLines(rows)) }
}

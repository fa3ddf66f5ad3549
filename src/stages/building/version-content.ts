import type { HoldoutId } from "../../core/rows/frozen-ids.ts"
import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import { DataError } from "../../core/errors.ts"
import type { Example, FlaggedRow, Preference } from "../../core/rows/example.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { leakChecksOf } from "../../curation/leaks/definition.ts"
import type { RowTable } from "../../curation/rows/row-table.ts"
import type { PrivacyReport } from "../../curation/version/personal-data-policy.ts"
import { preferencePairs } from "../../curation/version/preferences.ts"
import { flagHeldOut } from "../../curation/version/quality.ts"
import type { SemanticFindings } from "../../curation/version/semantic-duplicates.ts"
import type { BuildHands, BuildMaterial } from "./build-hands.ts"
import type { VersionContent } from "./freeze-version.ts"
import type { RowPass } from "./row-pass.ts"
import { versionManifest } from "./version-manifest.ts"

/** What is known of a version beside its rows. */
export interface KnownContent {
  readonly filters: readonly ConfiguredFilter[]
  readonly flagged: readonly FlaggedRow[]
  readonly proposals: RowPass["proposals"]
  readonly semantic: SemanticFindings | undefined
  /** The holdout, and its rows. */
  readonly holdout: HoldoutId
  readonly heldOut: readonly Example[]
  readonly conflicts: number
  readonly benchmarks: Readonly<Record<string, string>>
  readonly privacy: PrivacyReport
}

export interface RowContent extends VersionContent {
  readonly kept: Uint32Array
  readonly flagged: readonly FlaggedRow[]
}

/** What a version of the rows that are kept now is made of. A DataError where none is. */
export function contentOf({ task, table }: BuildMaterial, hands: BuildHands, known: KnownContent): RowContent {
  requireSome(task, table)
  const [kept, dropped] = [table.kept(), table.dropped()]
  const flagged = [...keptOnly(known.flagged, table, kept), ...flagHeldOut(task, known.heldOut, known.filters)]
  const planned = versionManifest(task, known.holdout, table, {
    ...known,
    flagged,
    checks: [...leakChecksOf(task), ...(known.semantic === undefined ? [] : ["embedding"])],
  })
  const whys = table.whys(dropped)
  const files = {
    train: (path: string) => hands.write({ path, rows: kept, whys: undefined }),
    dropped: (path: string) => hands.write({ path, rows: dropped, whys }),
    preferences: preferencesOf(task, table, known.proposals),
  }
  return { planned, files, kept, flagged }
}

export function requireSome(task: TaskSpecification, table: RowTable): void {
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

export function* examplesOf(table: RowTable, numbers: Uint32Array): Generator<Example> {
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

import type { HoldoutId } from "../../core/rows/frozen-ids.ts"
import { GateError } from "../../core/errors.ts"
import type { DatasetManifest } from "../../core/rows/manifests.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { reasonOf, type FoundLeak } from "../../curation/leaks/definition.ts"
import type { WitnessNotes } from "../../curation/leaks/witness.ts"
import type { RowTable } from "../../curation/rows/row-table.ts"
import type { PlannedVersion, VersionFiles, Versions, WrittenFiles } from "../../store/rows/versions.ts"
import type { CostMeter } from "./build-costs.ts"
import type { WitnessShare } from "./witness-lines.ts"
import { witnessVersion, type WitnessedHoldout, type WitnessReport } from "./witness-version.ts"

/** What a version is frozen with. */
export interface Freezing<Content extends VersionContent> {
  readonly task: TaskSpecification
  readonly table: RowTable
  readonly versions: Versions
  readonly holdout: Omit<WitnessedHoldout, "files"> & { readonly id: HoldoutId }
  readonly meter: CostMeter
  /** What the version is made of, of the rows that are kept by then. */
  readonly contentOf: () => Content
  readonly look: (share: WitnessShare) => Promise<readonly WitnessNotes[]>
  /** Done with the folder once its files are written: tests break the promise here on purpose. */
  readonly afterWriting?: ((folder: string) => void) | undefined
}

export interface VersionContent {
  readonly planned: PlannedVersion
  readonly files: VersionFiles
}

export interface Frozen<Content> {
  readonly content: Content
  readonly manifest: DatasetManifest
  readonly isNew: boolean
  /** What the witness saw at last; `found` has what it found before. */
  readonly witness: WitnessReport
}

/**
 * The version is frozen, and a witness that read its lines found no leak in them. What it finds is a fault of the
 * build: those rows are dropped with their reason, and the files written anew. A GateError where it finds some in these
 * as well; then nothing is frozen.
 */
export async function freezeClean<Content extends VersionContent>(
  freezing: Freezing<Content>,
): Promise<Frozen<Content>> {
  const { task, table, versions, holdout, meter, contentOf, look, afterWriting } = freezing
  const files = versions.holdoutFiles(holdout.id)
  const found: FoundLeak[] = []
  for (let round = 1; round <= mostRounds; round += 1) {
    const content = contentOf()
    let report: WitnessReport | undefined
    const inspect = async (written: WrittenFiles): Promise<number> => {
      afterWriting?.(written.folder)
      const { kept } = content.planned.manifest
      report = await meter.wait("witness", kept, () =>
        witnessVersion(task, written, { ...holdout, files }, { seed: round, look }),
      )
      return report.found.length
    }
    const frozen = await versions.freezeVersion(content.planned, { ...content.files, inspect })
    if (report === undefined) throw new Error("a version was frozen without a witness")
    if (frozen !== undefined) return { content, ...frozen, witness: { ...report, found } }
    found.push(...report.found)
    dropFound(table, report.found)
  }
  const [first] = found
  throw new GateError(
    `the rows of ${task.task} still meet what is held out after ${found.length} leaks were dropped: ` +
      `${first?.check}, ${first?.train} and ${first?.heldOut}; nothing was frozen`,
    "This is a bug of tuneloop: please report it with these ids.",
  )
}

// A witness that finds something in files that it found clean but for what was dropped then points at something else.
const mostRounds = 2

/** Rows that are in the files and not in the table go when the files are written anew. */
function dropFound(table: RowTable, found: readonly FoundLeak[]): void {
  const wanted = new Map(found.toReversed().map((leak) => [leak.train, leak]))
  for (const row of table.kept()) {
    const leak = wanted.get(table.id(row))
    if (leak !== undefined)
      table.drop(row, { reason: reasonOf(leak.check), witness: leak.heldOut, similarity: leak.similarity })
  }
}

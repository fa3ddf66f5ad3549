import { reviewSplit, type LedgerExport } from "../../core/contracts/ledger.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Lease } from "../../core/training/leases.ts"
import { isUnsettled, reduceRun, type RemoteJob, type UploadedFile } from "../../core/training/run.ts"
import { isThere } from "../../store/rows/model-places.ts"
import { runFilesSaying, type ErasedSaying } from "../../store/erasing/run-erasure.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"

/** A run that had an erased row, or says something of one. */
export interface ReachedRun {
  readonly run: string
  readonly state: string
  readonly splits: readonly string[]
  readonly folder: string
  readonly adapter: string | undefined
  readonly remote: RemoteJob | undefined
  /** Its files at the provider that have the row, as far as is known. */
  readonly uploads: readonly UploadedFile[]
  /** The command that deletes them; absent where none lies there. */
  readonly purge?: string
  /** Files of its folder that say something of the rows: they go, or lose it. */
  readonly files: readonly string[]
  /** Its leases that are not over. */
  readonly leases: readonly Lease[]
}

/** The parts of a task's frozen folders that had erased rows. */
export type ReachedVersions = readonly { readonly id: string; readonly files: readonly string[] }[]

export async function reachedRuns(
  context: StageContext,
  task: TaskSpecification,
  versions: ReachedVersions,
  erased: ErasedSaying,
): Promise<ReachedRun[]> {
  const filesOf = new Map(versions.map(({ id, files }) => [id, files]))
  const ledger = context.readLedger()
  const { workspace } = context
  const reached: ReachedRun[] = []
  for (const { run } of await ledger.runs.list({ task: task.task })) {
    const files = runFiles(workspace, run)
    const planned = readPlan(files)
    if (planned === undefined) continue
    const isIn = (id: string, file: string) => filesOf.get(id)?.includes(file) === true
    const splits = [
      ...(["train.jsonl", "preferences.jsonl"].some((file) => isIn(planned.dataset, file)) ? ["train"] : []),
      ...(isIn(planned.holdout, "validation.jsonl") ? ["validation"] : []),
      ...(isIn(planned.holdout, "test.jsonl") ? ["test"] : []),
    ]
    const { gone, changed } = runFilesSaying(workspace, run, erased, lostFiles(splits))
    if (splits.length + gone.length + changed.length === 0) continue
    const summary = reduceRun(run, await ledger.runs.events(run))
    const { state, job: remote } = summary
    const adapter = isThere(workspace, files.adapter) ? workspace.show(files.adapter) : undefined
    const uploads = summary.uploads.filter(
      ({ file, purgedAt }) => purgedAt === undefined && splits.some((split) => file === `${split}.jsonl`),
    )
    // Of a submission that was cut off nobody has heard yet what it uploaded.
    const isOpen = splits.length > 0 && planned.backend.name !== "local" && isUnsettled(summary)
    const purge = uploads.length > 0 || isOpen ? { purge: `tuneloop runs purge ${run}` } : {}
    const leases = (await ledger.runs.leases(run)).filter((lease) => lease.state !== "over")
    const folder = workspace.show(files.folder)
    reached.push({
      run,
      state,
      splits,
      folder,
      adapter,
      remote,
      uploads,
      files: [...gone, ...changed],
      leases,
      ...purge,
    })
  }
  return reached
}

/** The rows of a run as they were sent that go whole, by the splits that lost one. */
export function lostFiles(splits: readonly string[]): string[] {
  return splits.filter((split) => split !== "test").map((split) => `rendered/${split}.jsonl`)
}

/** An export that had an erased row. */
export type ReachedExport = Pick<LedgerExport, "path" | "format" | "version" | "split" | "at"> & {
  readonly exists: boolean
}

/** The files that rows were written to at a person's word; of sheets for review all that are there. */
export async function reachedExports(
  context: StageContext,
  task: TaskSpecification,
  versions: ReachedVersions,
): Promise<ReachedExport[]> {
  const filesOf = new Map(versions.map(({ id, files }) => [id, files]))
  const exported = await context.readLedger().exports.of(task.task)
  return exported
    .filter(({ version, holdout, split }) => {
      if (split === reviewSplit) return false
      return split === "train"
        ? filesOf.get(version)?.some((file) => file === "train.jsonl" || file === "preferences.jsonl")
        : filesOf.get(holdout)?.includes(`${split}.jsonl`)
    })
    .map(({ path, format, version, split, at }) => ({
      ...{ path, format, version, split, at },
      exists: isThere(context.workspace, path),
    }))
}

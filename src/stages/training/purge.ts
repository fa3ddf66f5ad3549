import type { FineTuneBackend, StoredThing } from "../../core/contracts/backend.ts"
import { UsageError } from "../../core/errors.ts"
import { isTerminal, isUnsettled, type RunSummary } from "../../core/training/run.ts"
import type { StageContext } from "../context.ts"
import { hasMadeSomething } from "./run-model.ts"
import { refreshRun } from "./sync.ts"

/** A file that was uploaded for a run. */
export interface PurgeableFile {
  readonly run: string
  readonly file: string
  readonly remoteId: string
  /** Why it stays; absent where it is deleted. */
  readonly kept?: string
}

/**
 * What of the runs lies at the service and can be deleted, and what cannot yet, each with its reason: a job that is not
 * over needs it, whoever made that job, or nobody knows whether one does.
 */
export async function purgeableFiles(
  context: StageContext,
  backend: FineTuneBackend,
  runs: readonly string[],
): Promise<readonly PurgeableFile[]> {
  if (backend.purge === undefined || backend.stored === undefined)
    throw new UsageError(`${backend.name} uploads nothing that could be purged`)
  const files: PurgeableFile[] = []
  for (const run of runs) {
    const { summary } = await refreshRun(context, run, backend)
    const isHome = summary.state !== "succeeded" || hasMadeSomething(context, summary)
    for (const { remoteId, file, purgedAt } of summary.uploads)
      if (purgedAt === undefined)
        files.push({
          ...{ run, file, remoteId },
          ...(isHome
            ? reasonToKeep(summary, remoteId)
            : { kept: `what ${run} made is not here yet: tuneloop runs fetch ${run}` }),
        })
  }
  if (files.length === 0) return files
  const needed = new Map<string, StoredThing>()
  for await (const thing of backend.stored())
    if (thing.kind === "job" && thing.isOpen === true) for (const id of thing.files ?? []) needed.set(id, thing)
  return files.map((file) => {
    const job = needed.get(file.remoteId)
    return job === undefined ? file : { ...file, kept: `the job ${job.id} is ${job.status ?? "not over"} and needs it` }
  })
}

/** The job of the run itself may be too new to be in the list. */
function reasonToKeep(summary: RunSummary, remoteId: string): { readonly kept?: string } {
  const { run, state, job } = summary
  if (isUnsettled(summary)) return { kept: `${run} is ${state}: a job may need it` }
  if (job === undefined || isTerminal(state)) return {}
  const named = Object.values(job.details ?? {})
  const isOther = named.length > 0 && !named.includes(remoteId)
  return isOther ? {} : { kept: `the job ${job.id} is ${state} and needs it` }
}

/** Each file is deleted there and the ledger knows, one after another: after a crash the next call goes on. */
export async function purgeFiles(
  context: StageContext,
  backend: FineTuneBackend,
  files: readonly PurgeableFile[],
): Promise<void> {
  const { runs } = context.ledger()
  for (const { run, file, remoteId, kept } of files) {
    if (kept !== undefined) continue
    context.signal.throwIfAborted()
    await backend.purge?.(remoteId)
    await runs.appendEvents(run, [{ type: "purged", file, remoteId }])
  }
}

import { digest } from "../../core/canonical.ts"
import type { FineTuneBackend, ServiceJob } from "../../core/contracts/backend.ts"
import { ProviderError, ToolkitError } from "../../core/errors.ts"
import { reduceRun, type RunSummary } from "../../core/training/run.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import { keptPath } from "../../store/rows/model-places.ts"
import { readAdopted, writeAdopted } from "../../store/rows/adopted-runs.ts"
import { runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"
import { choiceOfRun, placeKey, placingOptions, type WithDefaults } from "./run-choice.ts"
import { syncRun } from "./sync.ts"

export interface AdoptedJob {
  readonly id: string
  /** `known`: one of this workspace's own runs, or adopted before. */
  readonly outcome: "adopted" | "known"
  readonly summary: RunSummary
  /** The files of its rows that could be brought. */
  readonly rows: readonly string[]
  readonly objective: ServiceJob["objective"]
}

/** The name under which runs that were not made here are listed. */
export const adoptedJob = "adopted"

/**
 * The jobs at a service, or the one of the id, are runs of this workspace, with all that the service still says of
 * them: settings, events, models, checkpoints, result files, and the rows that they were trained on. A job that is a
 * run here already is left as it is; an interrupt loses nothing, and the same call goes on.
 */
export async function* adoptJobs(
  context: StageContext,
  backend: FineTuneBackend,
  choice: JobSpecification["backend"],
  wanted: { readonly task: string; readonly id?: string | undefined; readonly withDefaults: WithDefaults },
): AsyncGenerator<AdoptedJob> {
  if (backend.history === undefined)
    throw new ToolkitError(`${backend.name} cannot list jobs that were not made here`, {
      code: "unsupported",
      exitCode: 2,
      hint: "Adopt from a backend that lists its jobs: openai-compatible or together.",
    })
  const runOfJob = await knownJobs(context, choice, wanted.withDefaults)
  for await (const job of historyOf(backend, wanted.id)) {
    context.signal.throwIfAborted()
    const known = runOfJob.get(job.id)
    const run = known ?? runId(choice, job)
    if (known === undefined) await create(context, { run, backend, choice, job, task: wanted.task })
    const summary = await syncRun(context, run, backend)
    // Whoever was interrupted before the rows came gets them now; a run that was made here has its own.
    const isAdopted = readAdopted(runFiles(context.workspace, run)) !== undefined
    yield {
      id: job.id,
      outcome: known === undefined ? "adopted" : "known",
      summary,
      rows: isAdopted ? await bringRows(context, run, backend, job) : [],
      objective: job.objective,
    }
  }
}

async function* historyOf(backend: FineTuneBackend, id: string | undefined): AsyncGenerator<ServiceJob> {
  try {
    if (backend.history !== undefined) yield* backend.history(id)
  } catch (error) {
    if (!(error instanceof ProviderError) || error.hint !== undefined || error.status === undefined) throw error
    const isMisnamed = id !== undefined && [400, 404, 422].includes(error.status)
    throw new ProviderError(isMisnamed ? `there is no job ${id}: ${error.message}` : error.message, {
      provider: backend.name,
      status: error.status,
      isRetryable: error.isRetryable,
      retryAfterMs: error.retryAfterMs,
      mayHaveCost: false,
      hint: isMisnamed
        ? "Check the id, and whose key it is; --all in its place adopts every job that the service lists."
        : `Check the backend's address and whose key it is: tuneloop doctor --backend ${backend.name}. ` +
          "Then run the same command again: what was adopted is kept.",
    })
  }
}

async function create(
  context: StageContext,
  {
    run,
    backend,
    choice,
    job,
    task,
  }: {
    readonly run: string
    readonly backend: FineTuneBackend
    readonly choice: JobSpecification["backend"]
    readonly job: ServiceJob
    readonly task: string
  },
): Promise<void> {
  writeAdopted(runFiles(context.workspace, run), {
    schemaVersion: 1,
    backend: choice,
    job: job.id,
    baseModel: job.baseModel ?? null,
    adoptedAt: context.now().toISOString(),
    ...(job.objective === undefined ? {} : { objective: job.objective }),
    said: { ...job.said },
  })
  const { runs } = context.ledger()
  await runs.create({ run, job: adoptedJob, task, plan: planOf(choice, job) })
  const { train, validation } = job.files
  const details = {
    ...(train === undefined ? {} : { trainingFile: train }),
    ...(validation === undefined ? {} : { validationFile: validation }),
  }
  await runs.appendEvents(run, [
    { type: "submitted", job: { backend: backend.name, id: job.id, submissionKey: "", details } },
  ])
}

/** The runs of jobs at the same place, whoever made them: services elsewhere may give the same ids. */
async function knownJobs(
  context: StageContext,
  choice: JobSpecification["backend"],
  withDefaults: WithDefaults,
): Promise<ReadonlyMap<string, string>> {
  const { runs } = context.ledger()
  const place = placeKey(await withDefaults(choice))
  const known = new Map<string, string>()
  for (const { run } of await runs.list()) {
    const { job } = reduceRun(run, await runs.events(run))
    if (job?.backend !== choice.name) continue
    // A run whose folder is gone may be of any place: rather known than adopted a second time.
    if (placeKey(await withDefaults(choiceOfRun(context, run) ?? choice)) === place) known.set(job.id, run)
  }
  return known
}

async function bringRows(
  context: StageContext,
  run: string,
  backend: FineTuneBackend,
  job: ServiceJob,
): Promise<string[]> {
  const brought = (await backend.fetchRows?.(job, runFiles(context.workspace, run))) ?? []
  if (brought.length === 0) return []
  const artifacts = brought.map(({ path, ...artifact }) => ({ ...artifact, path: keptPath(context.workspace, path) }))
  await context.ledger().runs.appendEvents(
    run,
    artifacts.map((artifact) => ({ type: "artifact-fetched", ...artifact })),
  )
  return artifacts.map(({ path }) => path)
}

/** A run of the same job at the same place is the same run, on every machine. */
function runId(choice: JobSpecification["backend"], job: ServiceJob): string {
  const time = (job.createdAt ?? "").replace(/[-:]/g, "").slice(0, 15)
  return `${adoptedJob}-${time === "" ? "" : `${time}Z-`}${planOf(choice, job).slice(7, 13)}`
}

function planOf(choice: JobSpecification["backend"], { id }: ServiceJob): string {
  const place = placingOptions(choice)
  return digest({ adopted: { backend: choice.name, id, ...(Object.keys(place).length === 0 ? {} : { place }) } })
}

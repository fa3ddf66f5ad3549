import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import { ToolkitError } from "../../core/errors.ts"
import { type CheckpointChoice, chosenCheckpoint } from "../../core/training/checkpoints.ts"
import { baseOf, type ModelRef } from "../../core/training/model-ref.ts"
import type { FetchedArtifact, RunSummary } from "../../core/training/run.ts"
import { isThere, keptPath, placedModel } from "../../store/rows/model-places.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"

/**
 * The model that a run made, with an absolute location: a hosted one by its name, weights only while they are there.
 * Runs of before models were recorded have their adapter's folder.
 */
export function modelOf({ workspace }: StageContext, { run, model }: RunSummary): ModelRef | undefined {
  if (model !== undefined && (!("location" in model) || isThere(workspace, model.location)))
    return placedModel(workspace, model)
  const files = runFiles(workspace, run)
  const plan = readPlan(files)
  if (plan === undefined || !isThere(workspace, files.adapter)) return undefined
  return { kind: "adapter", base: baseOf(plan), location: files.adapter }
}

/** Whether the run made what it was for: a model, or an artifact that is still there. */
export function hasMadeSomething(context: StageContext, summary: RunSummary): boolean {
  return (
    modelOf(context, summary) !== undefined || summary.artifacts.some(({ path }) => isThere(context.workspace, path))
  )
}

/**
 * What a finished run made is in its folder, where its backend has such things. A backend that cannot be reached is a
 * warning: the run is finished all the same, and the next command tries again.
 */
export async function fetchArtifacts(
  context: StageContext,
  summary: RunSummary,
  backend: FineTuneBackend,
): Promise<void> {
  try {
    await bringArtifacts(context, summary, backend)
  } catch (error) {
    if (!(error instanceof ToolkitError)) throw error
    context.report.warn(`what ${summary.run} made could not be fetched: ${error.message}`)
  }
}

/**
 * What there is of what a job made is in the run's folder and in the ledger; `isNew` where it was not before. Of the
 * checkpoints it is the one of the choice, that of the plan where absent.
 */
export async function bringArtifacts(
  context: StageContext,
  summary: RunSummary,
  backend: FineTuneBackend,
  choice?: CheckpointChoice,
): Promise<readonly (FetchedArtifact & { readonly isNew: boolean })[]> {
  const { run, job, artifacts } = summary
  if (backend.fetch === undefined || job === undefined) return []
  const files = runFiles(context.workspace, run)
  const checkpoint = chosenCheckpoint(summary, choice ?? readPlan(files)?.checkpoint ?? "last")
  const before = new Set(artifacts.filter(({ path }) => isThere(context.workspace, path)).map(nameOf))
  const fetched = (await backend.fetch(job, files, checkpoint)).map(
    ({ path, digest, bytes }): FetchedArtifact => ({ path: keptPath(context.workspace, path), digest, bytes }),
  )
  const recorded = new Set(artifacts.map(nameOf))
  const bodies = fetched.filter((artifact) => !recorded.has(nameOf(artifact)))
  if (bodies.length > 0)
    await context.ledger().runs.appendEvents(
      run,
      bodies.map((artifact) => ({ type: "artifact-fetched", ...artifact })),
    )
  return fetched.map((artifact) => ({ ...artifact, isNew: !before.has(nameOf(artifact)) }))
}

function nameOf({ path, digest }: FetchedArtifact): string {
  return `${digest} ${path}`
}

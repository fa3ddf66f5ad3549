import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import { ToolkitError } from "../../core/errors.ts"
import { baseOf, type ModelRef } from "../../core/training/model-ref.ts"
import type { RunSummary } from "../../core/training/run.ts"
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
  { run, job, artifacts }: RunSummary,
  backend: FineTuneBackend,
): Promise<void> {
  if (backend.fetch === undefined || job === undefined) return
  try {
    const fetched = (await backend.fetch(job, runFiles(context.workspace, run))).map(({ path, digest, bytes }) => ({
      path: keptPath(context.workspace, path),
      digest,
      bytes,
    }))
    const isKnown = ({ path, digest }: { path: string; digest: string }) =>
      artifacts.some((artifact) => artifact.path === path && artifact.digest === digest)
    const bodies = fetched.filter((artifact) => !isKnown(artifact))
    if (bodies.length === 0) return
    await context.ledger().runs.appendEvents(
      run,
      bodies.map((artifact) => ({ type: "artifact-fetched", ...artifact })),
    )
  } catch (error) {
    if (!(error instanceof ToolkitError)) throw error
    context.report.warn(`what ${run} made could not be fetched: ${error.message}`)
  }
}

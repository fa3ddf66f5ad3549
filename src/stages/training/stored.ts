import type { FineTuneBackend, StoredThing, TrainingPlan } from "../../core/contracts/backend.ts"
import { ToolkitError, UsageError } from "../../core/errors.ts"
import type { RunEvent } from "../../core/training/run.ts"
import { runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"
import { choiceOfRun, placeKey, type WithDefaults } from "./run-choice.ts"

/** Where a backend is, by one choice of it, and the runs of the workspace that were sent there, newest first. */
export interface Place {
  readonly choice: TrainingPlan["backend"]
  readonly runs: readonly string[]
}

/**
 * The places of a backend: the one that the workspace gives this name, else each that runs and jobs of the workspace
 * name, or that of its defaults where none does. Choices that differ in what they leave to defaults are one place.
 */
export async function placesOf(
  context: StageContext,
  name: string,
  withDefaults: WithDefaults,
): Promise<readonly Place[]> {
  const { workspace } = context
  const places = new Map<string, { choice: TrainingPlan["backend"]; runs: string[] }>()
  const keyOf = async (choice: TrainingPlan["backend"]) => placeKey(await withDefaults(choice))
  const placeOf = async (choice: TrainingPlan["backend"]) => {
    const key = await keyOf(choice)
    const place = places.get(key) ?? { choice, runs: [] }
    places.set(key, place)
    return place
  }
  const named = await placeOf(workspace.backendOf({ name, options: {} }))
  const isOwn = Object.hasOwn(workspace.settings.backends, name)
  const namedKey = await keyOf(named.choice)
  const isMeant = async (choice: TrainingPlan["backend"]) =>
    choice.name === named.choice.name && (!isOwn || (await keyOf(choice)) === namedKey)
  const meant = new Set(isOwn ? [named] : [])
  for (const { run } of await context.readLedger().runs.list()) {
    const choice = choiceOfRun(context, run)
    if (choice === undefined || !(await isMeant(choice))) continue
    const place = await placeOf(choice)
    place.runs.push(run)
    meant.add(place)
  }
  for (const job of isOwn ? [] : workspace.jobs()) {
    const backend = backendOfJob(context, job)
    if (backend?.name === name) meant.add(await placeOf(backend))
  }
  return meant.size === 0 ? [named] : [...meant]
}

/** Undefined, with a warning, where the file cannot be read: a slip in one job keeps nothing from being purged. */
function backendOfJob({ workspace, report }: StageContext, job: string): TrainingPlan["backend"] | undefined {
  try {
    return workspace.readJob(job).backend
  } catch (error) {
    if (!(error instanceof ToolkitError)) throw error
    report.warn(error.message)
    return undefined
  }
}

/** Something at a service with the run that it belongs to; null where it is not of this workspace. */
export type OwnedThing = StoredThing & { readonly run: string | null }

/** What lies at the service, newest first of each kind, with the runs that it belongs to. */
export async function storedThings(
  context: StageContext,
  backend: FineTuneBackend,
  runs: readonly string[],
): Promise<readonly OwnedThing[]> {
  if (backend.stored === undefined)
    throw new UsageError(`${backend.name} keeps nothing that could be listed`, "tuneloop runs ls lists the runs.")
  const owners = await ownersOf(context, backend, runs)
  const things: StoredThing[] = []
  for await (const thing of backend.stored()) things.push(thing)
  // A service's own files of a run's job are the run's as well.
  for (const { kind, id, submissionKey, files = [] } of things) {
    const run = owners.get(id) ?? owners.get(submissionKey ?? "")
    if (kind !== "job" || run === undefined) continue
    for (const name of [id, ...files]) if (!owners.has(name)) owners.set(name, run)
  }
  return things.map((thing) => ({ ...thing, run: owners.get(thing.id) ?? null }))
}

/** The runs by the ids of what they have there, and by the keys of their submissions. */
async function ownersOf(
  context: StageContext,
  backend: FineTuneBackend,
  runs: readonly string[],
): Promise<Map<string, string>> {
  const owners = new Map<string, string>()
  for (const run of runs) {
    const events = await context.readLedger().runs.events(run)
    const uploads = (await backend.uploads?.(runFiles(context.workspace, run))) ?? []
    for (const id of [...events.flatMap(namesIn), ...uploads.map(({ remoteId }) => remoteId)]) owners.set(id, run)
  }
  return owners
}

function namesIn(event: RunEvent): string[] {
  if (event.type === "submitting") return [event.submissionKey]
  if (event.type === "submitted") return [event.job.id]
  return event.type === "uploaded" ? [event.remoteId] : []
}

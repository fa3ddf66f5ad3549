import { UsageError } from "../core/errors.ts"
import { show } from "../core/parse.ts"
import type { HoldoutId } from "../core/rows/frozen-ids.ts"
import { Versions } from "../store/rows/versions.ts"
import type { Workspace } from "../store/workspace.ts"

/** The id of a holdout that the task has, by its id, the beginning of its id, or `latest`. */
export function resolveHoldout(workspace: Workspace, task: string, given: string): HoldoutId {
  const id = findHoldout(workspace, task, given)
  if (id !== undefined) return id
  const existing = new Versions(workspace, task).holdoutIds()
  throw new UsageError(
    `task ${task} has no holdout ${show(given)}; allowed: ${["latest", ...existing].join(", ")}`,
    existing.length === 0 ? `Make one: tuneloop build ${task}` : "Name one of them.",
  )
}

/** The same; undefined where a name fits none or several. */
export function findHoldout(workspace: Workspace, task: string, given: string): HoldoutId | undefined {
  const versions = new Versions(workspace, task)
  const latest = versions.latest()
  if (given === "latest") return latest === undefined ? undefined : versions.manifest(latest).holdout
  const beginning = given.startsWith("hold_") ? given : `hold_${given}`
  const found = versions.holdoutIds().filter((id) => id === given || id.startsWith(beginning))
  return found.length === 1 ? found[0] : undefined
}

import { UsageError } from "../core/errors.ts"
import { show } from "../core/parse.ts"
import { isHoldoutId, type HoldoutId } from "../core/rows/frozen-ids.ts"
import { Versions } from "../store/rows/versions.ts"
import type { Workspace } from "../store/workspace.ts"

/** The id of a holdout that the task has. */
export function resolveHoldout(workspace: Workspace, task: string, given: string): HoldoutId {
  const versions = new Versions(workspace, task)
  const latest = versions.latest()
  const id = given === "latest" && latest !== undefined ? versions.manifest(latest).holdout : given
  if (isHoldoutId(id) && versions.has(id)) return id
  const existing = versions.holdoutIds()
  throw new UsageError(
    `task ${task} has no holdout ${show(given)}; allowed: ${["latest", ...existing].join(", ")}`,
    existing.length === 0 ? `Make one: tuneloop build ${task}` : "Name one of them.",
  )
}

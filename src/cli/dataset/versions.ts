import type { DatasetId } from "../../core/rows/frozen-ids.ts"
import { UsageError } from "../../core/errors.ts"
import { nearest, show } from "../../core/parse.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { Host } from "../host.ts"

export interface NamedVersion {
  readonly task: string
  readonly id: DatasetId
}

/**
 * The version that the user means by its id, the beginning of its id (with or without `ds_`), or `latest`; of the given
 * task, or of any. A name that fits none or several is a UsageError with the choice.
 */
export function resolveVersion(host: Host, given: string, task?: string): NamedVersion {
  const tasks = task === undefined ? host.workspace.tasks() : [task]
  const existing = tasks.flatMap((name) => new Versions(host.workspace, name).ids().map((id) => ({ task: name, id })))
  const found =
    given === "latest"
      ? tasks.flatMap((name) => {
          const id = new Versions(host.workspace, name).latest()
          return id === undefined ? [] : [{ task: name, id }]
        })
      : existing.filter(({ id }) => id === given || id.startsWith(given.startsWith("ds_") ? given : `ds_${given}`))
  if (found.length === 1 && found[0] !== undefined) return found[0]
  const of = task === undefined ? "" : ` of ${task}`
  if (found.length > 1)
    throw new UsageError(
      `${show(given)} may mean ${found.map(({ task: name, id }) => `${id} of ${name}`).join(", ")}`,
      given === "latest" ? "Name the version by its id; tuneloop dataset ls lists them." : "Give more of the id.",
    )
  if (existing.length === 0)
    throw new UsageError(
      `there is no dataset version${of} yet`,
      `Make one: tuneloop build ${task ?? "<task>"}; tuneloop dataset ls lists them.`,
    )
  const ids = existing.map(({ id }) => id)
  const meant = nearest(given, ids)
  throw new UsageError(
    `there is no dataset version ${show(given)}${of}; there are: ${ids.join(", ")}, ` +
      `latest${meant ? `; did you mean ${show(meant)}?` : ""}`,
    "tuneloop dataset ls lists them.",
  )
}

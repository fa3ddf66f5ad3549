import { join } from "node:path"
import { z } from "zod"
import { appendAtomically, toJsonLines } from "../files/files.ts"
import { readJsonLines } from "../files/json-lines.ts"
import type { Workspace } from "../workspace.ts"

export const remainingKinds = [
  "file",
  "unread",
  "task",
  "git",
  "export",
  "adapter",
  "upload",
  "model",
  "deployment",
  "provider",
] as const

const entrySchema = z.strictObject({
  at: z.iso.datetime(),
  kind: z.enum(remainingKinds),
  place: z.string(),
  todo: z.string(),
})
const acceptedSchema = z.strictObject({ at: z.iso.datetime(), accepted: z.string() })
const lineSchema = z.union([entrySchema, acceptedSchema])

/** Where a text lies that an erasure does not reach, and what a person has to do about it; nothing of the text. */
export type RemainingPlace = Omit<z.output<typeof entrySchema>, "at">

/**
 * What erasures of a task left to people, as it is not done or accepted yet: a file in git that is appended to, so that
 * every clone knows of it.
 */
export class RemainingPlaces {
  readonly #file: string

  constructor(workspace: Workspace, task: string) {
    this.#file = join(workspace.taskFolder(task), "erasures-elsewhere.jsonl")
  }

  /** The places that nobody accepted since they were listed, each once, the first first. */
  standing(): RemainingPlace[] {
    const lines = readJsonLines(this.#file, lineSchema)
    const acceptedAt = lines.reduce((last, line) => ("accepted" in line && line.at > last ? line.at : last), "")
    const open = new Map<string, RemainingPlace>()
    for (const line of lines) {
      if ("accepted" in line || line.at <= acceptedAt) continue
      const { at: _, ...place } = line
      open.set(keyOf(place), place)
    }
    return [...open.values()]
  }

  add(places: readonly RemainingPlace[], at: string): void {
    const known = new Set(this.standing().map(keyOf))
    const added = places.filter((place) => !known.has(keyOf(place))).map((place) => ({ at, ...place }))
    if (added.length > 0) appendAtomically(this.#file, toJsonLines(added))
  }

  /** All that stands is left as it is, for this reason. */
  accept(reason: string, at: string): void {
    appendAtomically(this.#file, toJsonLines([{ at, accepted: reason }]))
  }
}

export function keyOf({ kind, place }: RemainingPlace): string {
  return `${kind} ${place}`
}

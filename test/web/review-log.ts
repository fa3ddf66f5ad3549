import { readdirSync } from "node:fs"
import { join } from "node:path"
import { linesOf } from "../command-line.ts"

/** A decision as the log has it. */
export interface Line {
  readonly item: string
  readonly verdict: string
  readonly output?: unknown
  readonly reason?: string
  readonly reviewer: string
  readonly at: string
  readonly source?: unknown
  readonly [other: string]: unknown
}

/** Every line of every log of the task, by time. */
export function logOf(workspace: string, task: string): Line[] {
  const folder = join(workspace, "datasets", task, "decisions")
  // What a kill left of a write is no log.
  return readdirSync(folder)
    .filter((file) => file.endsWith(".jsonl"))
    .flatMap((file) => linesOf<Line>(join(folder, file)))
    .sort((a, b) => (a.at < b.at ? -1 : 1))
}

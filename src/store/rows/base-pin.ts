import { existsSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import type { RunFiles } from "../../core/contracts/backend.ts"
import { readJsonFile } from "../files/json-file.ts"
import { writeAtomically } from "../files/files.ts"

/** What the base model of a run was when it was first looked at. It lies beside the plan, outside its id. */
const basePinSchema = z.looseObject({
  schemaVersion: z.literal(1),
  model: z.string(),
  revision: z.string().nullable(),
  /** A hub's commit, the digest of a file or folder, a provider's snapshot. */
  pin: z.string(),
  pinnedAt: z.string(),
  /** The backend that looked. */
  source: z.string(),
})
export type BasePin = z.output<typeof basePinSchema>

/** The run's pin; undefined where its base was never looked at. */
export function readBasePin(files: RunFiles): BasePin | undefined {
  return existsSync(pinFile(files)) ? readJsonFile(pinFile(files), basePinSchema) : undefined
}

export function writeBasePin(files: RunFiles, pin: BasePin): void {
  writeAtomically(pinFile(files), `${JSON.stringify(pin, null, 2)}\n`)
}

function pinFile(files: RunFiles): string {
  return join(files.folder, "base.json")
}

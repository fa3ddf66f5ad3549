import { existsSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import { objectives } from "../../core/training/job.ts"
import type { RunFiles } from "../../core/contracts/backend.ts"
import { makeFolder, writeAtomically } from "../files/files.ts"
import { readJsonFile } from "../files/json-file.ts"

const adoptedSchema = z.looseObject({
  schemaVersion: z.literal(1),
  backend: z.looseObject({ name: z.string(), options: z.record(z.string(), z.unknown()) }),
  job: z.string(),
  baseModel: z.string().nullable(),
  adoptedAt: z.string(),
  objective: z.enum(objectives).optional(),
  /** The version that was built of the file it was trained on. */
  dataset: z.string().optional(),
  /** The job as the service had it. */
  said: z.record(z.string(), z.unknown()),
})
/** What is known of a run that was not made here: it has no plan. */
export type AdoptedRun = z.output<typeof adoptedSchema>

export function writeAdopted(files: RunFiles, adopted: AdoptedRun): void {
  makeFolder(files.folder)
  writeAtomically(adoptedFile(files), `${JSON.stringify(adopted, null, 2)}\n`)
}

/** Undefined for a run that was made here. */
export function readAdopted(files: RunFiles): AdoptedRun | undefined {
  const file = adoptedFile(files)
  return existsSync(file) ? readJsonFile(file, adoptedSchema) : undefined
}

function adoptedFile(files: RunFiles): string {
  return join(files.folder, "adopted.json")
}

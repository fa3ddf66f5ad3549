import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import type { RunFiles } from "../../core/contracts/backend.ts"
import { DataError } from "../../core/errors.ts"
import { parseJson } from "../../core/parse.ts"

const notesSchema = z.object({
  submissionKey: z.string(),
  /** What lies at the provider for this submission, by the name of the file. */
  uploads: z.record(z.string(), z.object({ id: z.string(), bytes: z.number() })),
  /** When a job was last asked for, UTC; absent while none was. */
  creatingAt: z.string().optional(),
})
/** What is known of a submission, in the run's folder: written before each step that a crash must not forget. */
export type SubmissionNotes = z.output<typeof notesSchema>

/** The notes of the run's last submission; undefined where it has none. */
export function readNotes(files: RunFiles): SubmissionNotes | undefined {
  const path = notesFile(files)
  if (!existsSync(path)) return undefined
  const notes = notesSchema.safeParse(parseJson(readFileSync(path, "utf8")))
  if (notes.success) return notes.data
  throw new DataError(
    `${path} does not say which job was asked for`,
    [],
    "Look at the provider for a job of this run, then: tuneloop runs resolve <run> --created ID | --not-created",
  )
}

/** Durable when this returns: whole, or as it was before. */
export function writeNotes(files: RunFiles, notes: SubmissionNotes): void {
  const path = notesFile(files)
  const file = openSync(`${path}.tmp`, "w")
  try {
    writeSync(file, `${JSON.stringify(notes, null, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.tmp`, path)
}

function notesFile(files: RunFiles): string {
  return join(files.folder, "submission.json")
}

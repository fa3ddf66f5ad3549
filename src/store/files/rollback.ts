import { existsSync, linkSync, copyFileSync, renameSync, rmSync } from "node:fs"
import { temporaryBeside } from "./temporaries.ts"

/** The work is done, or the files are what they were before it. They must be replaced, never written into. */
export async function withRollback<Done>(files: readonly string[], work: () => Promise<Done>): Promise<Done> {
  const kept = files.map((file) => ({ file, before: existsSync(file) ? keep(file) : undefined }))
  try {
    return await work()
  } catch (error) {
    for (const { file, before } of kept) {
      if (before === undefined) rmSync(file, { force: true })
      else renameSync(before, file)
    }
    throw error
  } finally {
    for (const { before } of kept) if (before !== undefined) rmSync(before, { force: true })
  }
}

/** Another name of what the file holds now; a copy where the file system has no second names. */
function keep(file: string): string {
  const before = temporaryBeside(file)
  try {
    linkSync(file, before)
  } catch {
    copyFileSync(file, before)
  }
  return before
}

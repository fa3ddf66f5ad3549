import { existsSync, mkdirSync } from "node:fs"
import { dirname } from "node:path"
import type { Artifact, RunFiles, ServiceJob } from "../../core/contracts/backend.ts"
import { ProviderError } from "../../core/errors.ts"
import { artifactOf } from "./artifacts.ts"

/** The rows of a job are in the run's folder, where the service still has them; what was there before is left out. */
export async function bringRows(
  { files: there }: ServiceJob,
  files: RunFiles,
  download: (id: string, path: string) => Promise<void>,
): Promise<Artifact[]> {
  const artifacts: Artifact[] = []
  for (const [id, path] of [
    [there.train, files.train],
    [there.validation, files.validation],
  ] as const) {
    if (id === undefined || existsSync(path)) continue
    mkdirSync(dirname(path), { recursive: true })
    if (await isGiven(() => download(id, path))) artifacts.push(await artifactOf(path))
  }
  return artifacts
}

/** False for a file that the service has deleted, or does not give away. */
async function isGiven(download: () => Promise<void>): Promise<boolean> {
  try {
    await download()
    return true
  } catch (error) {
    if (error instanceof ProviderError && [400, 403, 404].includes(error.status ?? 0)) return false
    throw error
  }
}

import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import type { Artifact, RunFiles } from "../core/contracts/backend.ts"
import { ProviderError } from "../core/errors.ts"
import { folderDigest } from "./_digests.ts"
import { trainingState } from "./_training.ts"
import type { Transport } from "./_transport.ts"
import { readExit } from "./_work-state.ts"

/**
 * The adapter that a training made is in the run's folder, whole and with the digest that the trainer gave it; one that
 * is here already is not brought again, and that of an earlier attempt is replaced. Returns what is here of what was
 * made elsewhere.
 */
export async function fetchAdapter(transport: Transport, files: RunFiles): Promise<readonly Artifact[]> {
  const place = transport.place(files.adapter)
  if (place === files.adapter) return []
  const exit = await readExit(transport, trainingState(files))
  if (exit?.status !== "succeeded") return []
  const wanted = exit.adapterDigest
  if (existsSync(files.adapter)) {
    const here = await folderDigest(files.adapter)
    if (here.digest === wanted) return [{ path: files.adapter, ...here }]
  }
  const arriving = mkdtempSync(`${files.adapter}.`)
  const arrived = join(arriving, basename(files.adapter))
  try {
    await transport.get(place, arrived)
    const { digest, bytes } = await folderDigest(arrived)
    if (wanted !== undefined && digest !== wanted)
      throw new ProviderError(`the adapter arrived with the digest ${digest}; the trainer made ${wanted}`, {
        provider: transport.name,
        isRetryable: true,
        hint: "Run the command again: it is copied anew.",
      })
    rmSync(files.adapter, { recursive: true, force: true })
    renameSync(arrived, files.adapter)
    return [{ path: files.adapter, digest, bytes }]
  } finally {
    rmSync(arriving, { recursive: true, force: true })
  }
}

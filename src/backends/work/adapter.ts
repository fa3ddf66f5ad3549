import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import type { Artifact } from "../../core/contracts/backend.ts"
import { ProviderError } from "../../core/errors.ts"
import { folderDigest } from "./digests.ts"

/** An adapter elsewhere: what its maker says of it, and how it comes. */
interface MadeAdapter {
  /** By the trainer's word; undefined where it gave none. */
  readonly digest: string | undefined
  readonly provider: string
  readonly get: (to: string) => Promise<void>
}

/**
 * The adapter is in the folder, whole and with its digest; one that is here already is not brought again, and that of
 * an earlier attempt is replaced.
 */
export async function bringAdapter(folder: string, { digest: wanted, provider, get }: MadeAdapter): Promise<Artifact> {
  if (existsSync(folder)) {
    const here = await folderDigest(folder)
    if (here.digest === wanted) return { path: folder, ...here }
  }
  const arriving = mkdtempSync(`${folder}.`)
  const arrived = join(arriving, basename(folder))
  try {
    await get(arrived)
    const { digest, bytes } = await folderDigest(arrived)
    if (wanted !== undefined && digest !== wanted)
      throw new ProviderError(`the adapter arrived with the digest ${digest}; the trainer made ${wanted}`, {
        provider,
        isRetryable: true,
        hint: "Run the command again: it is copied anew.",
      })
    rmSync(folder, { recursive: true, force: true })
    renameSync(arrived, folder)
    return { path: folder, digest, bytes }
  } finally {
    rmSync(arriving, { recursive: true, force: true })
  }
}

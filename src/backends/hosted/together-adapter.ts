import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { pipeline } from "node:stream/promises"
import { createZstdDecompress } from "node:zlib"
import { extract } from "tar"
import type { Artifact, RunFiles } from "../../core/contracts/backend.ts"
import { ProviderError } from "../../core/errors.ts"
import type { RemoteJob, SavedCheckpoint } from "../../core/training/run.ts"
import { artifactOf } from "./artifacts.ts"
import type { TogetherJobs } from "./together-jobs.ts"

/**
 * The adapter of a finished job is in the run's folder, unpacked, as `adapter` or as that of the checkpoint; the folder
 * is whole or not there. What is there already is not brought again.
 */
export async function fetchAdapter(
  jobs: TogetherJobs,
  { id }: RemoteJob,
  files: RunFiles,
  checkpoint?: SavedCheckpoint,
): Promise<Artifact[]> {
  const target = checkpoint === undefined ? files.adapter : join(files.checkpoints, `step-${checkpoint.step}`)
  if (!existsSync(target)) await bringAdapter(files, target, (file) => jobs.downloadAdapter(id, file, checkpoint?.step))
  return Promise.all(filesIn(target).map(artifactOf))
}

async function bringAdapter(files: RunFiles, target: string, download: (file: string) => Promise<void>): Promise<void> {
  mkdirSync(dirname(target), { recursive: true })
  const staging = mkdtempSync(join(files.folder, "adapter-"))
  try {
    const archive = join(staging, "adapter.tar.zst")
    await download(archive)
    const unpacked = join(staging, "unpacked")
    mkdirSync(unpacked)
    await unpack(archive, unpacked)
    renameSync(folderWith(unpacked, "adapter_config.json"), target)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

/** Paths that would leave the folder and links are skipped by the library. */
async function unpack(archive: string, folder: string): Promise<void> {
  try {
    await pipeline(
      createReadStream(archive),
      createZstdDecompress(),
      extract({
        cwd: folder,
        strict: true,
        filter: (_path, entry) => !("type" in entry) || entry.type !== "SymbolicLink",
      }),
    )
  } catch (error) {
    throw new ProviderError(`the adapter came as an archive that cannot be read: ${(error as Error).message}`, {
      provider: "together",
      isRetryable: true,
      mayHaveCost: false,
      cause: error,
    })
  }
}

function folderWith(folder: string, name: string): string {
  const found = filesIn(folder).find((path) => path.endsWith(`/${name}`) || path.endsWith(`\\${name}`))
  if (found !== undefined) return dirname(found)
  throw new ProviderError(`the archive holds no ${name}`, { provider: "together", mayHaveCost: false })
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .sort()
}

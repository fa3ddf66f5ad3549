import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { AtomicWriter } from "./atomic-writer.ts"
import { digestFile } from "./files.ts"

/** A file that is written beside its place and not there yet. */
export interface StagedFile {
  readonly path: string
  readonly digest: string
  /** How many pieces it has: for JSON Lines given one by one, its rows. */
  readonly pieces: number
  /** The digest of what is at the place now; undefined for nothing. */
  current(): string | undefined
  /** The file is at its place, whole, or what was there before still is. */
  commit(): void
  /** Nothing is left of it. Does nothing after a commit. */
  discard(): void
}

/** The pieces are on disk beside the path, flushed; a million rows are never one text. Makes the folder. */
export function stageFile(path: string, pieces: Iterable<string | Uint8Array>): StagedFile {
  const hash = createHash("sha256")
  const writer = new AtomicWriter(path, (bytes) => hash.update(bytes))
  let count = 0
  try {
    for (const piece of pieces) {
      writer.write(piece)
      count++
    }
    writer.stage()
  } catch (error) {
    writer.abandon()
    throw error
  }
  return {
    path,
    digest: `sha256:${hash.digest("hex")}`,
    pieces: count,
    current: () => (existsSync(path) ? digestFile(path) : undefined),
    commit: () => writer.commit(),
    discard: () => writer.abandon(),
  }
}

/** The file is there, whole, made of the pieces; returns its digest. */
export function writeDigested(path: string, pieces: Iterable<string | Uint8Array>): string {
  const file = stageFile(path, pieces)
  file.commit()
  return file.digest
}

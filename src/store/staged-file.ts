import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs"
import { createHash, randomBytes } from "node:crypto"
import { dirname, join } from "node:path"
import { digestText } from "../core/canonical.ts"

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
  mkdirSync(dirname(path), { recursive: true })
  const temporary = join(dirname(path), `.${randomBytes(6).toString("hex")}.tmp`)
  const hash = createHash("sha256")
  let count = 0
  try {
    const descriptor = openSync(temporary, "wx")
    try {
      for (const piece of pieces) {
        const bytes = typeof piece === "string" ? Buffer.from(piece) : piece
        hash.update(bytes)
        count++
        for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written)
      }
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  return {
    path,
    digest: `sha256:${hash.digest("hex")}`,
    pieces: count,
    current: () => (existsSync(path) ? digestText(readFileSync(path)) : undefined),
    commit: () => renameSync(temporary, path),
    discard: () => rmSync(temporary, { force: true }),
  }
}

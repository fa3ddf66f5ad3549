import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { flushFolder, makeFolder, temporaryBeside, writeError } from "./files.ts"

/** A file that is written bit by bit and appears whole or not at all: until `commit` it lies beside its place under another name. */
export class AtomicWriter {
  readonly #path: string
  readonly #temporary: string
  readonly #descriptor: number
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #isClosed = false

  constructor(path: string) {
    this.#path = path
    makeFolder(dirname(path))
    this.#temporary = temporaryBeside(path)
    try {
      this.#descriptor = openSync(this.#temporary, "wx")
    } catch (error) {
      throw writeError(path, error)
    }
  }

  /** Takes a copy of bytes. */
  write(part: string | Uint8Array): void {
    const bytes = Buffer.from(part as string)
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    if (this.#waitingBytes >= flushBytes) this.#flush()
  }

  /** All of it is on disk beside its place, and nothing more can be written: only `commit` or `abandon` follow. */
  stage(): void {
    if (this.#isClosed) return
    this.#flush()
    try {
      fsyncSync(this.#descriptor)
      this.#close()
    } catch (error) {
      throw writeError(this.#path, error)
    }
  }

  /** The file is there, flushed to disk; or what was there before, and an error says why. */
  commit(): void {
    try {
      this.stage()
      renameSync(this.#temporary, this.#path)
    } catch (error) {
      this.abandon()
      throw writeError(this.#path, error)
    }
    flushFolder(dirname(this.#path))
  }

  /** What was there before stays. Does nothing after a commit. */
  abandon(): void {
    this.#close()
    rmSync(this.#temporary, { force: true })
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    closeSync(this.#descriptor)
  }

  #flush(): void {
    try {
      const bytes = Buffer.concat(this.#waiting)
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at)
    } catch (error) {
      throw writeError(this.#path, error)
    }
    this.#waiting = []
    this.#waitingBytes = 0
  }
}

const flushBytes = 1 << 18

import { closeSync, fstatSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { flushFolder, makeFolder, writeError } from "./files.ts"
import { removeLeftOvers, temporaryBeside } from "./temporaries.ts"

/** The file is made of the pieces, whole, or holds what it held before: also where the pieces are made of that. */
export function writePieces(path: string, pieces: Iterable<string | Uint8Array>): void {
  const writer = new AtomicWriter(path)
  try {
    for (const piece of pieces) writer.write(piece)
  } catch (error) {
    writer.abandon()
    throw error
  }
  writer.commit()
}

/** Lines of JSON, many a piece; none for no rows. */
export function* jsonPieces(rows: Iterable<unknown>): Generator<string> {
  let piece = ""
  for (const row of rows) {
    piece += `${JSON.stringify(row)}\n`
    if (piece.length < pieceLength) continue
    yield piece
    piece = ""
  }
  if (piece !== "") yield piece
}

/**
 * A file that is written bit by bit and appears whole or not at all: until `commit` it lies beside its place under
 * another name.
 */
export class AtomicWriter {
  readonly #path: string
  readonly #temporary: string
  readonly #descriptor: number
  readonly #see: (bytes: Uint8Array) => void
  readonly #waiting = Buffer.allocUnsafe(waitingBytes)
  #used = 0
  #isClosed = false
  #writtenAtMs = 0

  /** `see` is shown all that is written, in its order, many writes at once. */
  constructor(path: string, see: (bytes: Uint8Array) => void = () => undefined) {
    this.#path = path
    this.#see = see
    makeFolder(dirname(path))
    this.#temporary = temporaryBeside(path)
    try {
      this.#descriptor = openSync(this.#temporary, "wx")
    } catch (error) {
      throw writeError(path, error)
    }
  }

  /** Bytes may be changed afterwards. */
  write(part: string | Uint8Array): void {
    // UTF-8 has at most three bytes for a UTF-16 code unit.
    const bytes = typeof part === "string" && 3 * part.length > waitingBytes ? Buffer.from(part) : part
    const most = typeof bytes === "string" ? 3 * bytes.length : bytes.length
    if (this.#used + most > waitingBytes) this.#flush()
    if (typeof bytes === "string") this.#used += this.#waiting.write(bytes, this.#used)
    else if (most > waitingBytes) this.#put(bytes)
    else {
      this.#waiting.set(bytes, this.#used)
      this.#used += most
    }
  }

  /** All of it is on disk beside its place, and nothing more can be written: only `commit` or `abandon` follow. */
  stage(): void {
    if (this.#isClosed) return
    this.#flush()
    try {
      fsyncSync(this.#descriptor)
      this.#writtenAtMs = fstatSync(this.#descriptor).mtimeMs
      this.#close()
    } catch (error) {
      throw writeError(this.#path, error)
    }
  }

  /**
   * The file is there, flushed to disk; or what was there before, and an error says why. What a killed write left in
   * the folder is removed: see `removeLeftOvers`.
   */
  commit(): void {
    try {
      this.stage()
      renameSync(this.#temporary, this.#path)
    } catch (error) {
      this.abandon()
      throw writeError(this.#path, error)
    }
    flushFolder(dirname(this.#path))
    removeLeftOvers(dirname(this.#path), this.#writtenAtMs)
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
    this.#put(this.#waiting.subarray(0, this.#used))
    this.#used = 0
  }

  #put(bytes: Uint8Array): void {
    this.#see(bytes)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at)
    } catch (error) {
      throw writeError(this.#path, error)
    }
  }
}

const waitingBytes = 1 << 18
const pieceLength = 1 << 16

import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs"
import { dirname, join } from "node:path"
import { makeFolder, writeError } from "./files.ts"
import { temporaryBeside } from "./temporaries.ts"

/**
 * Where bytes lie that memory should not hold, one after another, found again by their place: in a file of its own
 * beside the path, which has no name where the system allows it: then a kill leaves nothing behind. Elsewhere it has a
 * temporary's name, and goes with the other ones.
 */
export class SpillFile {
  readonly #path: string
  readonly #temporary: string
  readonly #descriptor: number
  #buffer = Buffer.allocUnsafe(bufferBytes)
  /** How many bytes are in the file, and how many wait in the buffer. */
  #written = 0
  #waiting = 0

  /** One in a folder, by what it is for. */
  static in(folder: string, name: string): SpillFile {
    return new SpillFile(join(folder, name))
  }

  constructor(path: string) {
    this.#path = path
    makeFolder(dirname(path))
    this.#temporary = temporaryBeside(path)
    try {
      this.#descriptor = openSync(this.#temporary, "wx+", 0o600)
    } catch (error) {
      throw writeError(path, error)
    }
    removeIfAllowed(this.#temporary)
  }

  /** How many bytes there are: the place of what is added next. */
  get size(): number {
    return this.#written + this.#waiting
  }

  /** Adds the bytes, or the text as UTF-8. */
  add(part: Uint8Array | string): void {
    if (typeof part === "string") {
      // UTF-8 has at most three bytes for a UTF-16 code unit.
      this.#reserve(3 * part.length)
      this.#waiting += this.#buffer.write(part, this.#waiting, "utf8")
    } else {
      this.#reserve(part.length)
      this.#buffer.set(part, this.#waiting)
      this.#waiting += part.length
    }
  }

  /** Fills `target` with the bytes from the place on. All of them must have been added. */
  read(place: number, target: Uint8Array): void {
    if (place + target.length > this.#written) {
      if (place >= this.#written) {
        const start = place - this.#written
        target.set(this.#buffer.subarray(start, start + target.length))
        return
      }
      this.#flush()
    }
    for (let done = 0; done < target.length; ) {
      const read = readSync(this.#descriptor, target, done, target.length - done, place + done)
      if (read === 0) throw new Error(`a temporary file ends at ${place + done}`)
      done += read
    }
  }

  /** Nothing is left of it. */
  close(): void {
    closeSync(this.#descriptor)
    removeIfAllowed(this.#temporary)
  }

  #reserve(bytes: number): void {
    if (this.#waiting + bytes <= this.#buffer.length) return
    this.#flush()
    if (bytes > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(bytes)
  }

  #flush(): void {
    try {
      for (let at = 0; at < this.#waiting; )
        at += writeSync(this.#descriptor, this.#buffer, at, this.#waiting - at, this.#written + at)
    } catch (error) {
      throw writeError(this.#path, error)
    }
    this.#written += this.#waiting
    this.#waiting = 0
  }
}

/** Windows does not remove an open file: then it goes when it is closed. */
function removeIfAllowed(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // What stays has a temporary's name, and goes with the other ones.
  }
}

const bufferBytes = 1 << 20

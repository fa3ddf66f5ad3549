import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import type { Spill } from "../core/spill.ts"
import { makeFolder, temporaryBeside, writeError } from "./files.ts"

interface Extent {
  readonly place: number
  readonly bytes: number
}

/** What is being written to a part: memory has it until it is full. */
interface OpenExtent {
  readonly place: number
  readonly buffer: Uint8Array
  used: number
}

/** A spill in a file of its own beside the path, which has no name where the system allows it: then a kill leaves nothing behind. Elsewhere it has a temporary's
 * name, and goes with the other ones. Memory: 64 kB for each part that has something. */
export class PartedSpill implements Spill {
  readonly #path: string
  readonly #temporary: string
  readonly #descriptor: number
  readonly #open: (OpenExtent | undefined)[]
  readonly #extents: Extent[][]
  #end = 0
  #hasOpen = false
  #part = Buffer.alloc(0)

  constructor(path: string, parts: number) {
    this.#path = path
    this.#open = Array.from({ length: parts }, () => undefined)
    this.#extents = Array.from({ length: parts }, () => [])
    makeFolder(dirname(path))
    this.#temporary = temporaryBeside(path)
    try {
      this.#descriptor = openSync(this.#temporary, "wx+", 0o600)
    } catch (error) {
      throw writeError(path, error)
    }
    removeIfAllowed(this.#temporary)
  }

  add(part: number, bytes: Uint8Array): number {
    let extent = this.#open[part]
    if (extent === undefined || extent.used + bytes.length > extent.buffer.length) {
      const buffer = extent?.buffer ?? new Uint8Array(extentBytes)
      if (extent !== undefined) this.#write(part, extent)
      extent = { place: this.#end, buffer: bytes.length > buffer.length ? new Uint8Array(bytes.length) : buffer, used: 0 }
      this.#end += extent.buffer.length
      this.#open[part] = extent
      this.#hasOpen = true
    }
    extent.buffer.set(bytes, extent.used)
    extent.used += bytes.length
    return extent.place + extent.used - bytes.length
  }

  read(place: number, target: Uint8Array): void {
    this.#writeAll()
    this.#read(place, target)
  }

  readPart(part: number): (place: number, length: number) => Uint8Array {
    this.#writeAll()
    const extents = this.#extents[part] ?? []
    const size = extents.reduce((sum, { bytes }) => sum + bytes, 0)
    if (this.#part.length < size) this.#part = Buffer.allocUnsafe(size)
    const starts: number[] = []
    let start = 0
    for (const { place, bytes } of extents) {
      this.#read(place, this.#part.subarray(start, start + bytes))
      starts.push(start)
      start += bytes
    }
    return (place, length) => {
      let [low, high] = [0, extents.length - 1]
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if ((extents[middle] as Extent).place <= place) low = middle
        else high = middle - 1
      }
      const at = (starts[low] as number) + place - (extents[low] as Extent).place
      return this.#part.subarray(at, at + length)
    }
  }

  /** Nothing is left of it. */
  close(): void {
    closeSync(this.#descriptor)
    removeIfAllowed(this.#temporary)
  }

  #writeAll(): void {
    if (!this.#hasOpen) return
    for (const [part, extent] of this.#open.entries()) {
      if (extent === undefined) continue
      this.#write(part, extent)
      this.#open[part] = undefined
    }
    this.#hasOpen = false
  }

  #write(part: number, { place, buffer, used }: OpenExtent): void {
    try {
      for (let at = 0; at < used; ) at += writeSync(this.#descriptor, buffer, at, used - at, place + at)
    } catch (error) {
      throw writeError(this.#path, error)
    }
    this.#extents[part]?.push({ place, bytes: used })
  }

  #read(place: number, target: Uint8Array): void {
    for (let done = 0; done < target.length; ) {
      const read = readSync(this.#descriptor, target, done, target.length - done, place + done)
      if (read === 0) throw new Error(`a temporary file ends at ${place + done}`)
      done += read
    }
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

const extentBytes = 1 << 16

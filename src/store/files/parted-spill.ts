import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Spill, SpillReader, SpillWriter } from "../../core/spill.ts"
import { makeFolder, writeError } from "./files.ts"
import { temporaryBeside } from "./temporaries.ts"

/** The spill as another thread is given it: what was added here until then can be read there. */
export interface SharedSpill {
  readonly path: string
  readonly descriptor: number
  readonly parts: number
  /** How many blocks of the file are taken. */
  readonly blocks: Int32Array<SharedArrayBuffer>
  readonly extents: Extents
}

/** Bytes of a part that lie together. */
interface Extent {
  readonly place: number
  readonly bytes: number
}
/** Of each part the extents that were written. */
export type Extents = readonly (readonly Extent[] | undefined)[]

/**
 * A spill in a file of its own beside the path, which has no name where the system allows it: then a kill leaves
 * nothing behind. Elsewhere it has a temporary's name, and goes with the other ones. Several threads may add to it,
 * each by a `PartWriter` of its own. Memory: 64 kB for each part and thread.
 */
export class PartedSpill implements Spill {
  readonly #shared: Omit<SharedSpill, "extents">
  readonly #temporary: string
  readonly #writer: PartWriter
  readonly #reader: PartReader

  /** One in a folder, by what it is for. */
  static in(folder: string, name: string, parts: number): PartedSpill {
    return new PartedSpill(join(folder, name), parts)
  }

  constructor(path: string, parts: number) {
    makeFolder(dirname(path))
    this.#temporary = temporaryBeside(path)
    try {
      const descriptor = openSync(this.#temporary, "wx+", 0o600)
      this.#shared = { path, descriptor, parts, blocks: new Int32Array(new SharedArrayBuffer(4)) }
    } catch (error) {
      throw writeError(path, error)
    }
    this.#writer = new PartWriter(this.#shared)
    this.#reader = new PartReader({ ...this.#shared, extents: [] })
    removeIfAllowed(this.#temporary)
  }

  add(part: number, text: string): number {
    return this.#writer.add(part, text)
  }

  get lastBytes(): number {
    return this.#writer.lastBytes
  }

  share(): SharedSpill {
    return { ...this.#shared, extents: this.#written().extents }
  }

  /** From now on what a writer in another thread has written is here as well. */
  adopt(extents: Extents): void {
    this.#reader.adopt(extents)
  }

  read(place: number, target: Uint8Array): void {
    this.#written().read(place, target)
  }

  partBytes(part: number): number {
    return this.#written().partBytes(part)
  }

  readPart(part: number): (place: number, length: number) => Uint8Array {
    return this.#written().readPart(part)
  }

  /** Nothing is left of it. */
  close(): void {
    closeSync(this.#shared.descriptor)
    removeIfAllowed(this.#temporary)
  }

  #written(): PartReader {
    this.#reader.adopt(this.#writer.flush())
    return this.#reader
  }
}

/** Reads a spill, here or in another thread. Memory: the largest part that is read. */
export class PartReader implements SpillReader {
  readonly extents: Extent[][]
  readonly #descriptor: number
  #part = Buffer.alloc(0)

  constructor({ descriptor, parts, extents }: SharedSpill) {
    this.#descriptor = descriptor
    this.extents = Array.from({ length: parts }, () => [])
    this.adopt(extents)
  }

  adopt(extents: Extents): void {
    for (const [part, found] of extents.entries())
      if (found !== undefined && found.length > 0)
        this.extents[part] = [...(this.extents[part] as Extent[]), ...found].sort((a, b) => a.place - b.place)
  }

  read(place: number, target: Uint8Array): void {
    for (let done = 0; done < target.length; ) {
      const read = readSync(this.#descriptor, target, done, target.length - done, place + done)
      if (read === 0) throw new Error(`a temporary file ends at ${place + done}`)
      done += read
    }
  }

  partBytes(part: number): number {
    return (this.extents[part] as Extent[]).reduce((sum, { bytes }) => sum + bytes, 0)
  }

  readPart(part: number): (place: number, length: number) => Uint8Array {
    const size = this.partBytes(part)
    const extents = this.extents[part] as Extent[]
    if (this.#part.length < size) this.#part = Buffer.allocUnsafe(size)
    const starts: number[] = []
    let start = 0
    for (const { place, bytes } of extents) {
      this.read(place, this.#part.subarray(start, start + bytes))
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
}

/** Adds texts to a spill. What was added can be read once what `flush` returns is with the spill. */
export class PartWriter implements SpillWriter {
  lastBytes = 0
  readonly #shared: Omit<SharedSpill, "extents">
  /** What is being written to each part: memory has it until it is full. */
  readonly #open: ({ readonly place: number; readonly buffer: Buffer; used: number } | undefined)[]
  #extents: Extent[][] = []
  #hasOpen = false

  constructor(shared: Omit<SharedSpill, "extents">) {
    this.#shared = shared
    this.#open = Array.from({ length: shared.parts }, () => undefined)
  }

  add(part: number, text: string): number {
    let extent = this.#open[part]
    // UTF-8 has at most three bytes for a UTF-16 code unit; most texts have one.
    if (extent === undefined || extent.used + 3 * text.length > extent.buffer.length) {
      const bytes = Buffer.byteLength(text)
      if (extent === undefined || extent.used + bytes > extent.buffer.length) {
        if (extent !== undefined) this.#write(part, extent)
        const blocks = Math.max(1, Math.ceil(bytes / blockBytes))
        const buffer =
          blocks === 1 && extent?.buffer.length === blockBytes
            ? extent.buffer
            : Buffer.allocUnsafeSlow(blocks * blockBytes)
        extent = { place: blockBytes * Atomics.add(this.#shared.blocks, 0, blocks), buffer, used: 0 }
        this.#open[part] = extent
        this.#hasOpen = true
      }
    }
    this.lastBytes = extent.buffer.write(text, extent.used)
    extent.used += this.lastBytes
    return extent.place + extent.used - this.lastBytes
  }

  /** All that was added is in the file; returns where, of what was added since the last time. */
  flush(): Extents {
    if (!this.#hasOpen) return []
    for (const [part, extent] of this.#open.entries()) {
      if (extent === undefined) continue
      this.#write(part, extent)
      this.#open[part] = undefined
    }
    const extents = this.#extents
    this.#extents = []
    this.#hasOpen = false
    return extents
  }

  #write(
    part: number,
    { place, buffer, used }: { readonly place: number; readonly buffer: Buffer; readonly used: number },
  ): void {
    try {
      for (let at = 0; at < used; ) at += writeSync(this.#shared.descriptor, buffer, at, used - at, place + at)
    } catch (error) {
      throw writeError(this.#shared.path, error)
    }
    const extents = this.#extents[part] ?? []
    extents.push({ place, bytes: used })
    this.#extents[part] = extents
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

const blockBytes = 1 << 16

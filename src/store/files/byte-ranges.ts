import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import { requireFile } from "./files.ts"

/**
 * The lines of a file by ranges of bytes, so that several threads read one file: a line belongs to the range in which
 * it begins. The file must not change meanwhile.
 */
export class ByteRanges {
  readonly count: number
  /** Where in the file the lines begin that were read last. */
  start = 0
  readonly #descriptor: number
  readonly #size: number
  readonly #rangeBytes: number
  #buffer = Buffer.alloc(0)
  /** So many bytes of the buffer are of the file. */
  #length = 0

  constructor(path: string, rangeBytes: number) {
    requireFile(path)
    this.#descriptor = openSync(path, "r")
    this.#size = fstatSync(this.#descriptor).size
    this.#rangeBytes = rangeBytes
    this.count = Math.ceil(this.#size / rangeBytes)
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  /**
   * The lines that begin in the range, with their ends (and, in the first range, without a byte order mark);
   * overwritten by the next range.
   */
  lines(range: number): Buffer {
    const from = Math.max(0, range * this.#rangeBytes - 1)
    const until = Math.min(this.#size, (range + 1) * this.#rangeBytes)
    this.#begin(from, until)
    // A line that only passes through is not read on: a long one passes through many ranges.
    if (range > 0 && !this.#buffer.subarray(0, until - 1 - from).includes(newline)) return this.#buffer.subarray(0, 0)
    const bytes = this.#readOn(from, until)
    const start =
      range === 0 ? (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0) : bytes.indexOf(newline) + 1
    this.start = from + start
    // What begins at `until` is of the next range.
    return bytes.subarray(range > 0 && (start === 0 || from + start >= until) ? bytes.length : start)
  }

  /** The line that begins there, with its end; overwritten by what is read next. */
  line(start: number): Buffer {
    const until = Math.min(this.#size, start + 1)
    this.#begin(start, until)
    return this.#readOn(start, until)
  }

  /**
   * Shows `visit` the bytes of each line that begins in the range, without its end. The bytes are overwritten by the
   * next range. Returns the number of lines.
   */
  visitLines(range: number, visit: (bytes: Buffer, index: number) => void): number {
    const bytes = this.lines(range)
    let index = 0
    for (let start = 0; start < bytes.length; index += 1) {
      const found = bytes.indexOf(newline, start)
      const end = found < 0 ? bytes.length : found
      visit(bytes.subarray(start, end), index)
      start = end + 1
    }
    return index
  }

  #begin(from: number, until: number): void {
    this.#length = 0
    this.#readTo(from, until)
  }

  #readTo(from: number, end: number): void {
    if (end - from > this.#buffer.length) {
      const longer = Buffer.allocUnsafe(Math.max(end - from, 2 * this.#buffer.length))
      this.#buffer.copy(longer, 0, 0, this.#length)
      this.#buffer = longer
    }
    while (this.#length < end - from) {
      const at = from + this.#length
      const read = readSync(this.#descriptor, this.#buffer, this.#length, end - at, at)
      if (read === 0) break
      this.#length += read
    }
  }

  /** What was begun, up to the end of the line that is begun before `until`. */
  #readOn(from: number, until: number): Buffer {
    // A line that ends with the range needs nothing more; `until - 1` is where its end would be.
    for (let step = firstStep; from + this.#length >= until; step *= 2) {
      const tail = this.#buffer.subarray(0, this.#length).indexOf(newline, Math.max(0, until - 1 - from))
      if (tail >= 0) return this.#buffer.subarray(0, tail + 1)
      if (from + this.#length === this.#size) break
      this.#readTo(from, Math.min(this.#size, from + this.#length + step))
    }
    return this.#buffer.subarray(0, this.#length)
  }
}

const newline = 10
const firstStep = 4096

import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { constants, isUtf8 } from "node:buffer"
import { createHash } from "node:crypto"
import { basename, dirname, join, resolve } from "node:path"
import { DataError } from "../../core/errors.ts"
import { removeLeftOvers, temporaryBeside } from "./temporaries.ts"
import { markedEncoding } from "./text-encoding.ts"

/**
 * The file holds exactly the text, or what it held before: written beside it, flushed to disk, renamed over it. Makes
 * the folder. What a killed write left in the folder is removed: see `removeLeftOvers`.
 */
export function writeAtomically(path: string, text: string): void {
  makeFolder(dirname(path))
  const temporary = temporaryBeside(path)
  let writtenAtMs: number
  try {
    const descriptor = openSync(temporary, "wx")
    try {
      writeFileSync(descriptor, text)
      fsyncSync(descriptor)
      writtenAtMs = fstatSync(descriptor).mtimeMs
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw writeError(path, error)
  }
  flushFolder(dirname(path))
  removeLeftOvers(dirname(path), writtenAtMs)
}

/** The file holds what it held before, byte for byte, and the whole text after it, or only what it held before. */
export function appendAtomically(path: string, text: string): void {
  const before = existsSync(path) ? readText(path) : ""
  writeAtomically(path, before === "" || before.endsWith("\n") ? before + text : `${before}\n${text}`)
}

/**
 * The folder appears whole or not at all: `fill` writes into a folder beside it, which is then renamed. When the folder
 * is there already, it stays as it is.
 */
export async function createFolderAtomically(
  path: string,
  fill: (temporary: string) => void,
  publish?: Publish,
): Promise<void> {
  if (existsSync(path)) return
  const fillNamed = async (temporary: string) => {
    fill(temporary)
    return basename(path)
  }
  await createFolderByContent(dirname(path), fillNamed, publish)
}

/** Gives a folder its name, or throws: then nothing of it is there. */
export type Publish = (rename: () => void) => void

/**
 * The same for a folder whose name follows from what is in it: `fill` says it at its end. Returns the name, and whether
 * the folder was not there before.
 */
export async function createFolderByContent<Name extends string>(
  parent: string,
  fill: (temporary: string) => Promise<Name>,
  publish: Publish = (rename) => rename(),
): Promise<{ readonly name: Name; readonly isNew: boolean }> {
  makeFolder(parent)
  const temporary = temporaryBeside(join(parent, "folder"))
  makeFolder(temporary)
  const madeAtMs = statSync(temporary).mtimeMs
  let name: Name | undefined
  let isNew = false
  try {
    name = await fill(temporary)
    if (!existsSync(join(parent, name))) {
      const target = join(parent, name)
      publish(() => renameSync(temporary, target))
      isNew = true
    }
  } catch (error) {
    // Another process may have made the same content first.
    if (name === undefined || !existsSync(join(parent, name))) throw writeError(join(parent, name ?? ""), error)
  } finally {
    if (!isNew) rmSync(temporary, { recursive: true, force: true })
  }
  flushFolder(parent)
  removeLeftOvers(parent, madeAtMs)
  return { name, isNew }
}

/** The folder is there, and those it lies in. */
export function makeFolder(path: string): void {
  const missing: string[] = []
  for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) missing.push(folder)
  try {
    // One by one: where a file system says that a folder it has is not there, as /proc does, Node's recursive way
    // tries again for ever.
    if (missing.length === 0) mkdirSync(path, { recursive: true })
    for (const folder of missing.toReversed()) makeOne(folder)
  } catch (error) {
    throw writeError(path, error)
  }
}

function makeOne(folder: string): void {
  try {
    mkdirSync(folder)
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

/**
 * The work has the folder to write into. When it fails, no folder is left that was not there before; one that something
 * lies in stays.
 */
export async function withFolder<Done>(path: string, work: () => Promise<Done>): Promise<Done> {
  const folders: string[] = []
  for (let folder = path; !existsSync(folder); folder = dirname(folder)) folders.push(folder)
  makeFolder(path)
  try {
    return await work()
  } catch (error) {
    for (const folder of folders) {
      try {
        rmdirSync(folder)
      } catch {
        break
      }
    }
    throw error
  }
}

/** JSONL of the rows, one line each; empty for no rows. */
export function toJsonLines(rows: Iterable<unknown>): string {
  let text = ""
  for (const row of rows) text += `${JSON.stringify(row)}\n`
  return text
}

export interface Line {
  readonly text: string
  readonly number: number
}

const chunkBytes = 1 << 20
const newline = 10

/**
 * The lines of a UTF-8 file in order, without their ends and without a byte order mark; the file is read in pieces.
 * Invalid UTF-8 is a DataError naming the line. A missing file has no lines.
 */
export function* readLines(path: string, options: { cutTornLine?: boolean } = {}): Generator<Line> {
  for (const line of readByteLines(path, options)) yield { text: line.text(), number: line.number }
}

/** A line whose text is made only when it is asked for. */
export interface ByteLine {
  readonly bytes: Buffer
  readonly number: number
  text(): string
}

/**
 * The same lines as bytes, of which only those that are asked for become texts; all of them are checked to be UTF-8.
 */
export function* readByteLines(path: string, options: { cutTornLine?: boolean } = {}): Generator<ByteLine> {
  if (!existsSync(path)) return
  let descriptor: number
  try {
    if (statSync(path).isDirectory())
      throw new DataError(`${path} is a folder, not a file`, [], "Move it out of the way.")
    descriptor = openSync(path, "r")
  } catch (error) {
    throw readError(path, "file", error)
  }
  try {
    // What was read of a line that has not ended: joined once, however long it is.
    let pieces: Buffer[] = []
    let number = 0
    const lineOf = (bytes: Buffer, isValid: boolean): ByteLine => {
      number += 1
      if (!isValid && !isUtf8(bytes)) throw invalidUtf8(path, number)
      const content = withoutEnd(number === 1 ? withoutMark(bytes) : bytes)
      return { bytes: content, number, text: () => content.toString("utf8") }
    }
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkBytes)
      const length = readSync(descriptor, chunk, 0, chunkBytes, null)
      if (length === 0) break
      pieces.push(chunk.subarray(0, length))
      if (!chunk.subarray(0, length).includes(newline)) continue
      const rest = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
      const isValid = isUtf8(rest.subarray(0, rest.lastIndexOf(newline) + 1))
      let start = 0
      for (let end = rest.indexOf(newline, start); end >= 0; end = rest.indexOf(newline, start)) {
        yield lineOf(rest.subarray(start, end), isValid)
        start = end + 1
      }
      pieces = start === rest.length ? [] : [rest.subarray(start)]
    }
    const rest = Buffer.concat(pieces)
    // A line without its end is torn when we wrote the file ourselves; in a user's file it is just the last line.
    if (rest.length > 0 && !options.cutTornLine) yield lineOf(rest, false)
  } finally {
    closeSync(descriptor)
  }
}

function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}

function withoutEnd(bytes: Buffer): Buffer {
  return bytes.at(-1) === 13 ? bytes.subarray(0, -1) : bytes
}

/** `sha256:` and 64 hex digits of the bytes of a file, which is read in pieces. */
export function digestFile(path: string): string {
  requireFile(path)
  const sum = createHash("sha256")
  for (const piece of readPieces(path)) sum.update(piece)
  return `sha256:${sum.digest("hex")}`
}

/** The bytes of a file in pieces, each of which the next one overwrites; none of a file that is missing. */
export function* readPieces(path: string): Generator<Buffer> {
  if (!existsSync(path)) return
  const [chunk, descriptor] = [Buffer.allocUnsafe(chunkBytes), openSync(path, "r")]
  try {
    for (let length = readSync(descriptor, chunk); length > 0; length = readSync(descriptor, chunk))
      yield chunk.subarray(0, length)
  } finally {
    closeSync(descriptor)
  }
}

/** The text of a file; a missing file, a folder or unreadable file is a DataError naming it. */
export function readText(path: string, what = "file"): string {
  return decodeText(readBytes(path, what), path)
}

/** The file can be read; a missing file, a folder or unreadable file is a DataError naming it. */
export function requireFile(path: string): void {
  try {
    if (statSync(path).isDirectory()) throw new DataError(`${path} is a folder, not a file`, [], "Name a file.")
    closeSync(openSync(path, "r"))
  } catch (error) {
    throw readError(path, "file", error)
  }
}

/** How many bytes a file has that is there. */
export function fileBytes(path: string): number {
  return statSync(path).size
}

export function readBytes(path: string, what = "file"): Buffer {
  try {
    if (statSync(path).isDirectory()) throw new DataError(`${path} is a folder, not a ${what}`, [], "Name a file.")
    return readFileSync(path)
  } catch (error) {
    throw readError(path, what, error)
  }
}

function readError(path: string, what: string, error: unknown): DataError {
  if (error instanceof DataError) return error
  const code = (error as NodeJS.ErrnoException).code
  if (code === "ENOENT")
    return new DataError(`there is no ${what} ${path}`, [], "Check the path; relative paths start where you are.")
  return new DataError(`cannot read the ${what} ${path}: ${code ?? String(error)}`, [], "Check the file's permissions.")
}

/** The bytes as UTF-8 without a byte order mark; invalid bytes are a DataError naming their line. */
export function decodeText(bytes: Buffer, path: string): string {
  if (bytes.length > constants.MAX_STRING_LENGTH)
    throw new DataError(
      `${path} has ${bytes.length} bytes; a file that is read as a whole may have ${constants.MAX_STRING_LENGTH}`,
      [],
      "Write it as JSONL, which is read line by line, or divide it.",
    )
  try {
    return new TextDecoder(markedEncoding(bytes) ?? "utf-8", { fatal: true }).decode(bytes)
  } catch {
    let number = 1
    for (let start = 0; ; number++) {
      const end = bytes.indexOf(newline, start)
      if (end < 0 || !isUtf8(bytes.subarray(start, end))) throw invalidUtf8(path, number)
      start = end + 1
    }
  }
}

function invalidUtf8(path: string, line: number): DataError {
  return new DataError(
    `${path} is not valid UTF-8`,
    [{ file: path, line, message: "bytes that are not UTF-8" }],
    'Save the file as UTF-8 (in a spreadsheet: "CSV UTF-8") and run the command again.',
  )
}

/** A refusal of the system as an error that says what to do; anything else as it is. */
export function writeError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return new DataError(
        `no space left to write ${path}`,
        [],
        "Free some disk space and run the command again; nothing was half-written.",
      )
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new DataError(`not allowed to write ${path} (${code})`, [], "Check the folder's permissions.")
    case "EISDIR":
      return new DataError(`cannot write ${path}: it is a folder`, [], "Name a file.")
    case "ENOTDIR":
    case "EEXIST":
      return new DataError(
        `cannot write ${path}: a file stands where a folder must be`,
        [],
        "Name another path, or move the file.",
      )
    case "ENOENT":
      return new DataError(`cannot write ${path}: nothing can be made there`, [], "Name another path.")
    case "ENAMETOOLONG":
      return new DataError(`cannot write ${path}: the name is too long`, [], "Choose a shorter one.")
    default:
      return error
  }
}

/** The names in the folder are on disk, where the file system can do that. */
export function flushFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, "r")
    fsyncSync(descriptor)
    closeSync(descriptor)
  } catch {
    // Some file systems and Windows do not flush folders; the rename itself is still atomic.
  }
}

/** A text that changes when the file does: no content is read. A file that goes while it is looked at has none. */
export function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats === undefined ? "" : `${file} ${stats.size} ${stats.mtimeMs} ${stats.ino}`
}

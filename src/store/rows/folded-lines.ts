import { isUtf8 } from "node:buffer"
import { createHash } from "node:crypto"
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs"
import { join } from "node:path"
import { canonicalJson } from "../../core/canonical.ts"
import { writePieces } from "../files/atomic-writer.ts"
import type { Workspace } from "../workspace.ts"
import { Columns, type Width } from "./columns.ts"
import { answersFolder, type FileDigests, whileUnchanged } from "./remembered.ts"

/** What is kept of the lines of a file. */
export interface LineFold<Name extends string> {
  readonly name: string
  /** What the columns follow from beside the lines; raised with the code that makes them. */
  readonly asked: unknown
  readonly widths: Readonly<Record<Name, Width>>
  /** Adds a line that begins at that byte; false where it is none that can be kept so. */
  readonly add: (columns: Columns<Name>, text: string, start: number) => boolean
}

/**
 * The columns of the lines of a file, which are read once: the columns are kept in the cache folder with the digest of
 * the bytes that they were made from, and where a file has these bytes still only what was appended is read. Where the
 * digest is another one, or what is kept is not whole, all of it is read anew. Undefined where a line is none that can
 * be kept so, or the last one has no end. Nothing is kept of a short file. Whose digest is known is not read for it.
 */
export function foldedLines<Name extends string>(
  workspace: Workspace,
  task: string,
  path: string,
  fold: LineFold<Name>,
  digests?: FileDigests,
): Columns<Name> | undefined {
  if (!existsSync(path)) return new Columns(fold.widths)
  const file = join(answersFolder(workspace, task), `lines-${fold.name}`, `${digestOf(workspace.show(path))}.bin`)
  const key = digestOf(canonicalJson(fold.asked))
  const kept = statSync(path).size < fewestBytes ? undefined : keptColumns(file, key, fold)
  const isOfNow = kept !== undefined && kept.digest === digests?.known(path)
  const read = isOfNow ? kept : readOn(path, kept, fold)
  if (read === undefined) return undefined
  const { columns, end, digest } = read
  digests?.use(path, digest)
  if (end !== kept?.end && end >= fewestBytes)
    whileUnchanged(workspace, task, () => {
      const [pieces, sum] = [columns.pieces(), createHash("sha256")]
      for (const piece of pieces) sum.update(piece)
      const { count, texts } = columns
      const head: Head = { key, end, digest, count, texts, kept: sum.digest("hex") }
      writePieces(file, [`${JSON.stringify(head)}\n`, ...pieces])
    })
  return columns
}

/** The first line of what is kept; the columns follow. */
interface Head {
  readonly key: string
  readonly end: number
  readonly digest: string
  readonly count: number
  readonly texts: string[]
  /** The digest of the columns. */
  readonly kept: string
}

interface Read<Name extends string> {
  readonly columns: Columns<Name>
  /** How many bytes of the file the columns are made of, and their digest. */
  readonly end: number
  readonly digest: string
}

function keptColumns<Name extends string>(file: string, key: string, fold: LineFold<Name>): Read<Name> | undefined {
  if (!existsSync(file)) return undefined
  const descriptor = openSync(file, "r")
  try {
    const { head, end: start } = headOf(descriptor)
    if (head.key !== key) return undefined
    const sum = createHash("sha256")
    let at = start
    const columns = Columns.from(fold.widths, head, (bytes) => {
      if (readSync(descriptor, bytes, 0, bytes.length, at) < bytes.length) throw new RangeError("cut off")
      at += bytes.length
      sum.update(bytes)
    })
    return sum.digest("hex") === head.kept ? { columns, end: head.end, digest: head.digest } : undefined
  } catch {
    return undefined
  } finally {
    closeSync(descriptor)
  }
}

function headOf(descriptor: number): { readonly head: Head; readonly end: number } {
  for (let most = 1 << 12; ; most *= 2) {
    const bytes = Buffer.alloc(most)
    const length = readSync(descriptor, bytes, 0, most, 0)
    const end = bytes.subarray(0, length).indexOf(newline)
    if (end >= 0) return { head: JSON.parse(bytes.toString("utf8", 0, end)) as Head, end: end + 1 }
    if (length < most) throw new RangeError("cut off")
  }
}

/** Reads the file on from where the kept columns end, or from its beginning where they are of other bytes. */
function readOn<Name extends string>(
  path: string,
  kept: Read<Name> | undefined,
  fold: LineFold<Name>,
): Read<Name> | undefined {
  const descriptor = openSync(path, "r")
  try {
    const sum = createHash("sha256")
    const chunk = Buffer.allocUnsafe(chunkBytes)
    let at = 0
    const next = (most: number) => {
      const length = readSync(descriptor, chunk, 0, Math.min(most, chunkBytes), at)
      at += length
      const piece = chunk.subarray(0, length)
      sum.update(piece)
      return piece
    }
    while (kept !== undefined && at < kept.end)
      if (next(kept.end - at).length === 0) return readOn(path, undefined, fold)
    if (kept !== undefined && sum.copy().digest("hex") !== kept.digest) return readOn(path, undefined, fold)
    const columns = kept?.columns ?? new Columns(fold.widths)
    let rest = Buffer.alloc(0)
    for (let piece = next(chunkBytes); piece.length > 0; piece = next(chunkBytes)) {
      const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
      const end = bytes.lastIndexOf(newline) + 1
      if (!addLines(bytes.subarray(0, end), at - bytes.length, columns, fold)) return undefined
      rest = Buffer.from(bytes.subarray(end))
    }
    return rest.length > 0 ? undefined : { columns, end: at, digest: sum.digest("hex") }
  } finally {
    closeSync(descriptor)
  }
}

/** Adds whole lines, the first of which begins there. */
function addLines<Name extends string>(
  bytes: Buffer,
  from: number,
  columns: Columns<Name>,
  { add }: LineFold<Name>,
): boolean {
  if (!isUtf8(bytes)) return false
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(newline, start)
    const text = bytes.toString("utf8", start, end)
    if (text.trim() !== "" && !add(columns, text, from + start)) return false
    start = end + 1
  }
  return true
}

function digestOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex")
}

const newline = 10
const chunkBytes = 1 << 20
/** Reading fewer again is as quick. */
const fewestBytes = 1 << 15

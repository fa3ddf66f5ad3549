import { jsonProblem, parseExact } from "../../core/json-text.ts"
import type { ComparedFields } from "../text/compared-fields.ts"
import { comparedText } from "../text/compared-text.ts"
import { bitSketchNumbers } from "../near/bit-sketch.ts"
import { lengthProblem, Sketcher, type SketchPlan } from "../near/sketcher.ts"

/**
 * Rows as numbers: for each the line, the number of hashes, the fingerprints of text and output (two numbers each;
 * zeros for no output), the bit sketch, a key for each band, and the hashes.
 */
export interface RowPart {
  readonly numbers: Int32Array
  readonly rows: number
}

/** The numbers of a row before its keys and hashes. */
export const rowHeader = 6 + bitSketchNumbers

/** What is done with the rows of some lines. */
export interface RowTarget {
  /** Is shown the rows bit by bit, in numbers that are overwritten by the next; the last may have none. */
  publish(part: RowPart, isLast: boolean, lines: number): void
  /** Is told of a line that is no row. */
  complain(line: number, problem: string): void
}

/**
 * Sketches the rows of lines of JSONL. Lines of the usual shapes are read in WebAssembly, and only if they are JSON to
 * the last character; what any other line means, or what is wrong with it, `comparedText` says.
 */
export class RowSketcher extends Sketcher {
  readonly #fields: ComparedFields
  readonly #names: readonly string[]
  readonly #mostNumbers: number
  #mostBytes = 0

  /** `mostNumbers` is the room for a part. */
  constructor(plan: SketchPlan, fields: ComparedFields, mostNumbers: number) {
    super(plan)
    this.#fields = fields
    this.#names = [...fields.text, ...fields.output, ...fields.ignored]
    this.#mostNumbers = mostNumbers
  }

  /**
   * Every line is a row that is published, blank, or complained of. Lines are counted from 0; the answer is their
   * number. `isValid` is false where some of the bytes may not be UTF-8.
   */
  sketchLines(bytes: Buffer, isValid: boolean, target: RowTarget): number {
    const { publish, complain } = target
    if (bytes.length > mostLineBytes) {
      const short = withoutLongLines(bytes)
      if (short !== undefined)
        return this.sketchLines(short.bytes, isValid, {
          publish,
          complain: (line, problem) => complain(line, short.problems.get(line) ?? problem),
        })
    }
    if (bytes.length > this.#mostBytes) this.#prepare(Math.max(bytes.length, 2 * this.#mostBytes))
    const { code } = this
    new Uint8Array(code.memory.buffer).set(bytes, code.inputAt())
    code.begin(bytes.length, Number(!isValid || !this.#isPlain()))
    const flush = (isLast: boolean) => {
      const start = code.outAt() >> 2
      publish(
        { numbers: this.numbers.subarray(start, start + code.used()), rows: code.rowsOut() },
        isLast,
        code.lines(),
      )
      code.emptyOut()
    }
    for (let state = code.rows(); state !== finished; state = code.rows()) {
      if (state === full) {
        flush(false)
        continue
      }
      const line = code.lines() - 1
      const row = readRow(bytes.subarray(code.lineStart(), code.lineEnd()), this.#fields)
      if (row === undefined) continue
      if ("problem" in row) {
        complain(line, row.problem)
        continue
      }
      const problem = lengthProblem(row.text) ?? lengthProblem(row.output ?? "")
      if (problem !== undefined) {
        complain(line, problem)
        continue
      }
      const [low, high] = row.output === undefined ? [0, 0] : this.fingerprint(row.output)
      const { size } = this.sketch(row.text)
      if (code.emit(line, size, low, high)) continue
      flush(false)
      if (!code.emit(line, size, low, high))
        complain(
          line,
          `a text of ${row.text.length} characters; at most about a million words or characters can be compared`,
        )
    }
    flush(true)
    return code.lines()
  }

  /** A path with dots may be one, or a name; for a long name and for very many there is no room. */
  #isPlain(): boolean {
    return (
      this.#names.length <= mostNames &&
      this.#names.every((name) => !name.includes(".") && Buffer.byteLength(name) < nameBytes)
    )
  }

  #prepare(mostBytes: number): void {
    this.#mostBytes = mostBytes
    this.capacity = mostBytes
    const { text, output, ignored } = this.#isPlain() ? this.#fields : noFields
    this.code.prepareRows(mostBytes, this.#mostNumbers, text.length, output.length, ignored.length)
    this.renew()
    if (!this.#isPlain()) return
    const names = Buffer.from(this.code.memory.buffer, this.code.namesAt())
    for (const [index, name] of this.#names.entries())
      names[index * nameBytes] = names.write(name, index * nameBytes + 1)
  }
}

// What assembly/rows.ts answers, and its room for a name with its length.
const finished = 0
const full = 2
const nameBytes = 32
const mostNames = 64
const noFields = { text: [], output: [], ignored: [] }

/** A line of so many bytes is read; what is compared is less. */
export const mostLineBytes = 2 ** 25

/** The lines with a stand-in that is no row for each that is too long; undefined where none is. */
function withoutLongLines(
  bytes: Buffer,
): { readonly bytes: Buffer; readonly problems: ReadonlyMap<number, string> } | undefined {
  const problems = new Map<number, string>()
  const pieces: Buffer[] = []
  for (let start = 0, line = 0; start < bytes.length; line += 1) {
    const found = bytes.indexOf(newline, start)
    const end = found < 0 ? bytes.length : found + 1
    if (end - start > mostLineBytes) {
      problems.set(line, `a line of ${end - start} bytes; at most ${mostLineBytes} can be compared`)
      pieces.push(standIn)
    } else pieces.push(bytes.subarray(start, end))
    start = end
  }
  return problems.size === 0 ? undefined : { bytes: Buffer.concat(pieces), problems }
}

const newline = 10
const standIn = Buffer.from("too long\n")

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** What of a line of JSONL is compared, or what is wrong with it; undefined for a blank line. */
function readRow(bytes: Uint8Array, fields: ComparedFields): ReturnType<typeof comparedText> | undefined {
  const read = readObject(bytes)
  return read === undefined || "problem" in read ? read : comparedText(read.row, fields)
}

/** The object of a line of JSONL, or why it is none; undefined for a blank line. */
export function readObject(
  bytes: Uint8Array,
): { readonly row: Readonly<Record<string, unknown>> } | { readonly problem: string } | undefined {
  let line = ""
  let row: unknown
  try {
    line = decoder.decode(bytes)
    row = parseExact(line)
  } catch (error) {
    if (!(error instanceof SyntaxError)) return { problem: "bytes that are not UTF-8" }
    if (line.trim() === "") return undefined
    return { problem: jsonProblem(error) }
  }
  if (typeof row !== "object" || row === null || Array.isArray(row)) return { problem: "expected a JSON object" }
  return { row: row as Record<string, unknown> }
}

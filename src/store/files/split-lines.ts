import { isUtf8 } from "node:buffer"
import { existsSync } from "node:fs"
import { assignmentSchema, splits } from "../../core/rows/example.ts"
import { parseJson } from "../../core/json-text.ts"
import { ByteRanges } from "./byte-ranges.ts"
import { bitsOf, digitsOf, hexAt, IdTable } from "../../core/id-table.ts"

/** What a line of `splits.jsonl` says, in numbers. */
export interface SplitLine {
  /** Of which rows the id is; undefined for one that has not the usual form. */
  readonly kind: RowKind | undefined
  /** The 64 bits of a usual id. */
  readonly high: number
  readonly low: number
  /** The number of the split in `splits`. */
  readonly split: number
  /** The number of the stratum in `strata`. */
  readonly stratum: number
  id(): string
}

export type RowKind = "seed" | "input"

/**
 * The lines of a `splits.jsonl`, of which those that we wrote are read by their bytes: parsing a million takes seconds.
 */
export class SplitLines {
  /** The strata that were met, in the order of their first lines. */
  readonly strata: string[] = []
  readonly #path: string
  /** From a hash of its bytes to the strata that have it. */
  readonly #byHash = new Map<number, { readonly bytes: Buffer; readonly number: number }[]>()
  readonly #numbers = new Map<string, number>()
  readonly #line = new Line()

  constructor(path: string) {
    this.#path = path
  }

  /**
   * Shows `take` each line, which the next one overwrites. False where one is no assignment: what is wrong with it
   * `TaskRows.eachAssignment` says.
   */
  each(take: (line: SplitLine) => void): boolean {
    if (!existsSync(this.#path)) return true
    const ranges = new ByteRanges(this.#path, rangeBytes)
    try {
      let isSound = true
      for (let range = 0; range < ranges.count; range += 1) isSound = this.#eachIn(ranges.lines(range), take) && isSound
      return isSound
    } finally {
      ranges.close()
    }
  }

  #eachIn(bytes: Buffer, take: (line: SplitLine) => void): boolean {
    if (!isUtf8(bytes)) return false
    let isSound = true
    for (let start = 0; start < bytes.length; ) {
      let end = this.#readUsual(bytes, start)
      if (end >= 0) take(this.#line)
      else {
        const found = bytes.indexOf(newline, start)
        end = found < 0 ? bytes.length : found
        const text = bytes.toString("utf8", start, end)
        if (text.trim() !== "") {
          if (this.#parse(text)) take(this.#line)
          else isSound = false
        }
      }
      start = end + 1
    }
    return isSound
  }

  /**
   * Reads the line that begins there into `#line` where it is one as we write it; the end of the line, or below zero.
   */
  #readUsual(bytes: Buffer, start: number): number {
    const line = this.#line
    const kind = startsWith(bytes, start, seedStart)
      ? "seed"
      : startsWith(bytes, start, inputStart)
        ? "input"
        : undefined
    if (kind === undefined) return -1
    const digits = start + (kind === "seed" ? seedStart : inputStart).length
    const [high, low] = [hexAt(bytes, digits), hexAt(bytes, digits + 8)]
    if (high < 0 || low < 0) return -1
    const split = splitParts.findIndex((part) => startsWith(bytes, digits + 16, part))
    if (split < 0) return -1
    const from = digits + 16 + (splitParts[split] as Buffer).length
    let hash = 0
    let at = from
    for (; at < bytes.length && bytes[at] !== quote; at += 1) {
      const byte = bytes[at] as number
      if (byte === backslash || byte < space) return -1
      hash = (Math.imul(hash, 31) + byte) | 0
    }
    if (bytes[at] !== quote || bytes[at + 1] !== brace || (at + 2 < bytes.length && bytes[at + 2] !== newline))
      return -1
    line.kind = kind
    line.high = high | 0
    line.low = low | 0
    line.split = split
    line.stratum = this.#stratum(bytes, from, at, hash)
    return at + 2
  }

  #parse(text: string): boolean {
    const { data } = assignmentSchema.safeParse(parseJson(text))
    if (data === undefined) return false
    const line = this.#line
    const kind = usualId.exec(data.id)?.[1]
    const [high, low] = kind === undefined ? [0, 0] : bitsOf(data.id)
    line.kind = kind as RowKind | undefined
    line.high = high
    line.low = low
    line.oddId = data.id
    line.split = splits.indexOf(data.split)
    line.stratum = this.#numberOf(data.stratum)
    return true
  }

  #numberOf(stratum: string): number {
    const number = this.#numbers.get(stratum) ?? this.strata.push(stratum) - 1
    this.#numbers.set(stratum, number)
    return number
  }

  #stratum(bytes: Buffer, from: number, until: number, hash: number): number {
    const known = this.#byHash.get(hash)
    if (known !== undefined)
      for (const { bytes: name, number } of known)
        if (name.length === until - from && startsWith(bytes, from, name)) return number
    const name = Buffer.from(bytes.subarray(from, until))
    const number = this.#numberOf(name.toString("utf8"))
    this.#byHash.set(hash, [...(known ?? []), { bytes: name, number }])
    return number
  }
}

/** Ids that lines are looked for by. */
export class LineIds {
  readonly #usual = { seed: new IdTable(), input: new IdTable() }
  readonly #odd = new Set<string>()

  constructor(ids: Iterable<string> = []) {
    for (const id of ids) {
      const kind = usualId.exec(id)?.[1]
      if (kind === undefined) this.#odd.add(id)
      else this.#usual[kind as RowKind].add(...bitsOf(id))
    }
  }

  add(line: SplitLine): void {
    if (line.kind === undefined) this.#odd.add(line.id())
    else this.#usual[line.kind].add(line.high, line.low)
  }

  has(line: SplitLine): boolean {
    return line.kind === undefined ? this.#odd.has(line.id()) : this.#usual[line.kind].find(line.high, line.low) >= 0
  }
}

class Line implements SplitLine {
  kind: RowKind | undefined
  high = 0
  low = 0
  split = 0
  stratum = 0
  oddId = ""

  id(): string {
    return this.kind === undefined ? this.oddId : usualIdOf(this.kind, this.high, this.low)
  }
}

/** The id of a seed or input with these 64 bits. */
function usualIdOf(kind: RowKind, high: number, low: number): string {
  return `${kind}_${digitsOf(high, low)}`
}

function startsWith(bytes: Buffer, at: number, part: Buffer): boolean {
  for (let index = 0; index < part.length; index += 1) if (bytes[at + index] !== part[index]) return false
  return true
}

const usualId = /^(seed|input)_[0-9a-f]{16}$/
const [seedStart, inputStart] = [Buffer.from('{"id":"seed_'), Buffer.from('{"id":"input_')] as const
const splitParts = splits.map((split) => Buffer.from(`","split":"${split}","stratum":"`))
const [newline, space, quote, backslash, brace] = [10, 32, 34, 92, 125] as const
const rangeBytes = 1 << 20

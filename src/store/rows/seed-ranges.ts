import { isAscii, isUtf8 } from "node:buffer"
import { existsSync, statSync } from "node:fs"
import { bitsOf } from "../../core/id-table.ts"
import { seedSchema, type Seed } from "../../core/rows/example.ts"
import { parseJson } from "../../core/json-text.ts"
import { ByteRanges } from "../files/byte-ranges.ts"
import type { StandingSplits } from "./standing-splits.ts"
import type { TaskRows } from "./task-rows.ts"

/**
 * The seeds of a task by ranges of the file's bytes, so that several threads read one file, or a few of many are read.
 */
export class SeedRanges {
  readonly count: number
  /** Whether a line was met that is no seed: what is wrong with it `TaskRows.eachSeed` says. */
  isDamaged = false
  readonly #ranges: ByteRanges | undefined
  readonly #rows: TaskRows

  constructor(rows: TaskRows) {
    this.#rows = rows
    this.#ranges = existsSync(rows.seedsFile) ? new ByteRanges(rows.seedsFile, rangeBytes) : undefined
    this.count = this.#ranges?.count ?? 0
  }

  /**
   * The seeds whose lines begin in the range, as they are read everywhere: without what was erased, with the labels of
   * now.
   */
  *seeds(range: number, isWanted: (id: string) => boolean): Generator<Seed> {
    const bytes = this.#bytes(range)
    const text = bytes.toString(isAscii(bytes) ? "latin1" : "utf8")
    yield* this.#standing(this.#parsed(text), isWanted)
  }

  /** The seeds with these ids, in the order of the file; of the other lines only the ids are looked at. */
  *pick(ids: Ids): Generator<Seed> {
    for (let range = 0; range < this.count; range += 1)
      yield* this.#standing(this.#picked(this.#bytes(range), ids), (id) => ids.has(id))
  }

  /** The seeds whose lines begin there. */
  *at(starts: Iterable<number>): Generator<Seed> {
    for (const start of starts) {
      const bytes = this.#ranges?.line(start) ?? Buffer.alloc(0)
      yield* this.#standing(this.#parsed(bytes.toString("utf8")), () => true)
    }
  }

  close(): void {
    this.#ranges?.close()
  }

  #bytes(range: number): Buffer {
    const bytes = this.#ranges?.lines(range) ?? Buffer.alloc(0)
    if (isUtf8(bytes)) return bytes
    this.isDamaged = true
    return Buffer.alloc(0)
  }

  *#standing(seeds: Iterable<Seed>, isWanted: (id: string) => boolean): Generator<Seed> {
    const erased = this.#rows.erased()
    const { migrations } = this.#rows
    for (const seed of seeds) {
      if (!isWanted(seed.id) || (!erased.isEmpty && erased.of(seed) !== undefined)) continue
      yield migrations.isEmpty ? seed : migrations.row(seed)
    }
  }

  *#parsed(text: string): Generator<Seed> {
    for (let start = 0; start < text.length; ) {
      const found = text.indexOf("\n", start)
      const end = found < 0 ? text.length : found
      const seed = this.#seedOf(text.slice(start, end))
      if (seed !== undefined) yield seed
      start = end + 1
    }
  }

  *#picked(bytes: Buffer, ids: Ids): Generator<Seed> {
    for (let start = 0; start < bytes.length; ) {
      const found = bytes.indexOf(newline, start)
      const end = found < 0 ? bytes.length : found
      const name = bytes.toString("latin1", start, start + usualStart)
      if (!isUsualStart(name) || ids.has(name.slice(idAt, -1))) {
        const seed = this.#seedOf(bytes.toString("utf8", start, end))
        if (seed !== undefined) yield seed
      }
      start = end + 1
    }
  }

  /** The seed of a line; undefined for a blank one and, what is noted, for one that is no seed. */
  #seedOf(line: string): Seed | undefined {
    const value = parseJson(line)
    if (isPlainSeed(value)) return value
    if (line.trim() === "") return undefined
    const seed = seedSchema.safeParse(value)
    if (!seed.success) this.isDamaged = true
    return seed.data
  }
}

/**
 * The seeds of the task with these ids, in the order of the file. They are read where they stand, as long as the file
 * is the one that the splits were read beside; otherwise they are looked for.
 */
export function pickSeeds(
  rows: TaskRows,
  { seeds: known, seedStarts }: StandingSplits,
  ids: ReadonlySet<string>,
): Seed[] {
  const usual = [...ids].filter((id) => seedId.test(id))
  const starts = seedStarts.of(usual.map((id) => known.find(...bitsOf(id))).filter((number) => number >= 0))
  if (starts === undefined) return [...plainSeeds(rows, ids)]
  const ranges = new SeedRanges(rows)
  try {
    const seeds = [...ranges.at(starts)]
    if (ranges.isDamaged) rows.refuse(rows.seedsFile, rows.eachSeed())
    return seeds
  } finally {
    ranges.close()
  }
}

/**
 * The seeds of the task, or those with these ids, as `TaskRows.eachSeed` gives them; most lines are not asked of the
 * schema.
 */
export function* plainSeeds(rows: TaskRows, ids?: Ids): Generator<Seed> {
  const ranges = new SeedRanges(rows)
  try {
    if (ids !== undefined) yield* ranges.pick(ids)
    else for (let range = 0; range < ranges.count; range += 1) yield* ranges.seeds(range, () => true)
    if (ranges.isDamaged) rows.refuse(rows.seedsFile, rows.eachSeed())
  } finally {
    ranges.close()
  }
}

/** How many bytes the seeds of the task have. */
export function seedBytes(rows: TaskRows): number {
  return statSync(rows.seedsFile, { throwIfNoEntry: false })?.size ?? 0
}

/** Ids that are looked for. */
type Ids = Pick<ReadonlySet<string>, "has">

const rangeBytes = 1 << 20
const newline = 10
const [idAt, usualStart] = ['{"id":"'.length, '{"id":"seed_0123456789abcdef"'.length] as const

/** Whether a line begins as we write it. */
function isUsualStart(text: string): boolean {
  return (
    text.startsWith('{"id":"seed_') &&
    text.endsWith('"') &&
    !text.includes("\\") &&
    text.indexOf('"', idAt) === text.length - 1
  )
}

/** True only for what the schema takes as it is: most lines need no more than this look. */
function isPlainSeed(value: unknown): value is Seed {
  if (typeof value !== "object" || value === null) return false
  for (const key in value) if (!plainKeys.has(key)) return false
  const { id, input, output, source = "", columns } = value as Record<string, unknown>
  if (columns !== undefined && !areColumns(columns)) return false
  const isInput = typeof input === "object" && input !== null && !Array.isArray(input)
  return typeof id === "string" && seedId.test(id) && isInput && output !== undefined && typeof source === "string"
}

const plainKeys = new Set(["id", "input", "output", "source", "columns"])

function areColumns(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false
  for (const key in value) if (typeof (value as Record<string, unknown>)[key] !== "string") return false
  return true
}

const seedId = /^seed_[0-9a-f]{16}$/

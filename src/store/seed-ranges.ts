import { isAscii, isUtf8 } from "node:buffer"
import { statSync } from "node:fs"
import { join } from "node:path"
import { seedSchema, type Seed } from "../core/example.ts"
import { parseJson } from "../core/parse.ts"
import { ByteRanges } from "./byte-ranges.ts"
import type { TaskRows } from "./task-rows.ts"

/** The seeds of a task by ranges of the file's bytes, so that several threads read one file. */
export class SeedRanges {
  readonly count: number
  /** Whether a line was met that is no seed: what is wrong with it `TaskRows.eachSeed` says. */
  isDamaged = false
  readonly #ranges: ByteRanges
  readonly #rows: TaskRows

  constructor(rows: TaskRows) {
    this.#rows = rows
    this.#ranges = new ByteRanges(rows.seedsFile, rangeBytes)
    this.count = this.#ranges.count
  }

  /** The seeds whose lines begin in the range, as they are read everywhere: without what was erased, with the labels of now. */
  *seeds(range: number, isWanted: (id: string) => boolean): Generator<Seed> {
    const erased = this.#rows.erased()
    const { migrations } = this.#rows
    for (const seed of this.#lines(this.#ranges.lines(range))) {
      if (!isWanted(seed.id) || (!erased.isEmpty && erased.of(seed) !== undefined)) continue
      yield migrations.isEmpty ? seed : migrations.row(seed)
    }
  }

  close(): void {
    this.#ranges.close()
  }

  *#lines(bytes: Buffer): Generator<Seed> {
    if (!isUtf8(bytes)) {
      this.isDamaged = true
      return
    }
    const text = bytes.toString(isAscii(bytes) ? "latin1" : "utf8")
    for (let start = 0; start < text.length; ) {
      const found = text.indexOf("\n", start)
      const end = found < 0 ? text.length : found
      const line = text.slice(start, end)
      start = end + 1
      const value = parseJson(line)
      if (isPlainSeed(value)) yield value
      else if (line.trim() !== "") {
        const seed = seedSchema.safeParse(value)
        if (seed.success) yield seed.data
        else this.isDamaged = true
      }
    }
  }
}

/** How many bytes the seeds of the task have. */
export function seedBytes(rows: TaskRows): number {
  return statSync(join(rows.seedsFile), { throwIfNoEntry: false })?.size ?? 0
}

const rangeBytes = 1 << 20

/** True only for what the schema takes as it is: most lines need no more than this look. */
function isPlainSeed(value: unknown): value is Seed {
  if (typeof value !== "object" || value === null) return false
  for (const key in value) if (key !== "id" && key !== "input" && key !== "output" && key !== "source") return false
  const { id, input, output, source = "" } = value as Record<string, unknown>
  const isInput = typeof input === "object" && input !== null && !Array.isArray(input)
  return typeof id === "string" && seedId.test(id) && isInput && output !== undefined && typeof source === "string"
}

const seedId = /^seed_[0-9a-f]{16}$/

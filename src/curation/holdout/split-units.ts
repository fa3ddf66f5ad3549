import { heldNames } from "../../core/rows/holdout-refresh.ts"
import type { Groups } from "../rows/groups.ts"

/** Rows that are known by their numbers, from zero on. */
export interface NumberedRows {
  /** Where each row is held, by its number in `heldNames`: zero for rows that arrive. */
  readonly held: Uint8Array
  /** The number of each row's stratum. */
  readonly stratum: Int32Array
  readonly strata: readonly string[]
  idOf(row: number): string
  compareIds(a: number, b: number): number
}

const train = heldNames.indexOf("train")
const retired = heldNames.indexOf("retired")

/**
 * The rows that arrive by the groups of which each goes to one split whole. Units are numbered in the order of their
 * first rows. Memory a row: 17 bytes.
 */
export class Units {
  readonly count: number
  /** Those that arrive, unit by unit, and within a unit by their strata. */
  readonly rows: Uint32Array
  readonly #starts: Uint32Array
  readonly #firsts: Uint32Array
  readonly #follows: Uint8Array
  readonly #stratum: Int32Array

  constructor({ held, stratum, compareIds }: NumberedRows, groups: Pick<Groups, "of">) {
    this.#stratum = stratum
    // By the roots of the groups: where their members are held, and their units plus one.
    const heldBy = new Uint8Array(held.length)
    const unitOf = new Uint32Array(held.length)
    let count = 0
    let arrivals = 0
    for (let row = 0; row < held.length; row += 1) {
      const root = groups.of(row)
      const split = held[row] as number
      if (split === 0) {
        arrivals += 1
        if (unitOf[root] === 0) unitOf[root] = ++count
      } else heldBy[root] = Math.max(heldBy[root] as number, split === retired ? train : split)
    }
    this.count = count
    this.rows = new Uint32Array(arrivals)
    this.#starts = new Uint32Array(count + 1)
    this.#firsts = new Uint32Array(count)
    this.#follows = new Uint8Array(count)
    for (let row = 0; row < held.length; row += 1) {
      if (held[row] !== 0) continue
      const root = groups.of(row)
      const unit = (unitOf[root] as number) - 1
      const size = this.#starts[unit + 1] as number
      this.#starts[unit + 1] = size + 1
      this.#follows[unit] = heldBy[root] as number
      if (size === 0 || compareIds(row, this.#firsts[unit] as number) < 0) this.#firsts[unit] = row
    }
    for (let unit = 0; unit < count; unit += 1)
      this.#starts[unit + 1] = (this.#starts[unit + 1] as number) + (this.#starts[unit] as number)
    const next = this.#starts.slice()
    for (let row = 0; row < held.length; row += 1) {
      if (held[row] !== 0) continue
      const unit = (unitOf[groups.of(row)] as number) - 1
      const at = next[unit] as number
      this.rows[at] = row
      next[unit] = at + 1
    }
    for (let unit = 0; unit < count; unit += 1)
      if (this.size(unit) > 1)
        this.rows
          .subarray(this.start(unit), this.end(unit))
          .sort((a, b) => (stratum[a] as number) - (stratum[b] as number))
  }

  start(unit: number): number {
    return this.#starts[unit] as number
  }

  end(unit: number): number {
    return this.#starts[unit + 1] as number
  }

  size(unit: number): number {
    return this.end(unit) - this.start(unit)
  }

  /** The row of the unit whose id comes first. */
  first(unit: number): number {
    return this.#firsts[unit] as number
  }

  /**
   * The split of the rows near the unit that have one, the most held out: by its number in `heldNames`, zero for none.
   * What is near retired rows alone goes to train.
   */
  follows(unit: number): number {
    return this.#follows[unit] as number
  }

  /** Whether `fits` is true of every stratum of the unit with its number of rows there; asked until it is not. */
  everyPart(unit: number, fits: (stratum: number, size: number) => boolean): boolean {
    const end = this.end(unit)
    for (let from = this.start(unit); from < end; ) {
      const stratum = this.#stratum[this.rows[from] as number] as number
      let until = from + 1
      while (until < end && this.#stratum[this.rows[until] as number] === stratum) until += 1
      if (!fits(stratum, until - from)) return false
      from = until
    }
    return true
  }

  /** The units, the smallest first, of equal ones in the order given. */
  bySize(units: Uint32Array): Uint32Array<ArrayBuffer> {
    const ends = new Uint32Array(units.reduce((most, unit) => Math.max(most, this.size(unit)), 0) + 2)
    for (const unit of units) ends[this.size(unit) + 1] = (ends[this.size(unit) + 1] as number) + 1
    for (let size = 1; size < ends.length; size += 1) ends[size] = (ends[size] as number) + (ends[size - 1] as number)
    const sorted = new Uint32Array(units.length)
    for (const unit of units) {
      const at = ends[this.size(unit)] as number
      sorted[at] = unit
      ends[this.size(unit)] = at + 1
    }
    return sorted
  }
}

/** How many rows of each stratum there are, and where those placed so far are; retired rows count nowhere. */
export class SplitCounts {
  readonly strata: readonly string[]
  readonly #sizes: Int32Array
  readonly #placed: Int32Array

  constructor({ held, stratum, strata }: NumberedRows) {
    this.strata = strata
    this.#sizes = new Int32Array(strata.length)
    this.#placed = new Int32Array(strata.length * heldNames.length)
    for (let row = 0; row < held.length; row += 1) {
      const [split, number] = [held[row] as number, stratum[row] as number]
      if (split === retired) continue
      this.#sizes[number] = (this.#sizes[number] as number) + 1
      if (split !== 0) this.place(number, split)
    }
  }

  size(stratum: number): number {
    return this.#sizes[stratum] as number
  }

  in(stratum: number, split: number): number {
    return this.#placed[stratum * heldNames.length + split] as number
  }

  place(stratum: number, split: number): void {
    this.placeMany(stratum, split, 1)
  }

  placeMany(stratum: number, split: number, rows: number): true {
    const at = stratum * heldNames.length + split
    this.#placed[at] = (this.#placed[at] as number) + rows
    return true
  }

  /** How many rows without a place may be held out: all but one, if none is in train yet. */
  available(stratum: number): number {
    let free = this.size(stratum)
    for (let split = train; split < retired; split += 1) free -= this.in(stratum, split)
    return Math.max(0, this.in(stratum, train) > 0 ? free : free - 1)
  }
}

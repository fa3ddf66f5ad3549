import { splits, type Split } from "../../core/rows/example.ts"
import { heldNames, namedIn, standingAfter, type Held, type HoldoutRefresh } from "../../core/rows/holdout-refresh.ts"
import { bitsOf, type IdTable } from "../../core/id-table.ts"
import { LineStarts, rowIds } from "./row-ids.ts"
import { LineIds, SplitLines, type SplitLine } from "../files/split-lines.ts"
import type { TaskRows } from "./task-rows.ts"

/** So many of the seeds, and of what a refresh put into the test set, are held there and counted with that group. */
export interface HeldGroup {
  readonly split: Held
  readonly stratum: string
  readonly rows: number
}

/**
 * Where each seed and each real input of a task is held, in numbers. Rows are numbered in the order of their files,
 * seeds first. Memory a row: about 30 bytes.
 */
export class StandingSplits {
  readonly seeds: IdTable
  readonly seedStarts = new LineStarts()
  readonly inputs: IdTable
  /** The number in `heldNames` of each row. */
  readonly held: Uint8Array<ArrayBuffer>
  /** The number in `strata` of each row that has a split. */
  readonly stratum: Int32Array<ArrayBuffer>
  readonly strata: string[] = []
  /** How many rows have no split. */
  missing: number
  /** Ids of lines that no row has any more: those that are held out, and those that are not. */
  readonly #strangers = new Map<string, Held>()
  readonly #trainStrangers = new LineIds()
  /** Where inputs are held that a refresh put into the test set and that are no longer there. */
  readonly #gone = new Map<string, Omit<HeldGroup, "rows">>()
  readonly #numbers = new Map<string, number>()
  readonly #freshInputs: readonly number[]

  constructor(rows: TaskRows) {
    this.seeds = rowIds(rows, "seed", this.seedStarts)
    this.inputs = rowIds(rows, "input")
    const count = this.seeds.size + this.inputs.size
    this.held = new Uint8Array(count)
    this.stratum = new Int32Array(count)
    this.missing = count
    const refreshes = rows.refreshes()
    const fresh = new Set(refreshes.flatMap((refresh) => refresh.fresh.map(({ id }) => id)))
    this.#readLines(rows, refreshes, fresh)
    this.#freshInputs = [...fresh].map((id) => this.rowOf(id)).filter((row) => row >= this.seeds.size)
  }

  /** The number of the row, or below zero. */
  rowOf(id: string): number {
    if (/^seed_[0-9a-f]{16}$/.test(id)) return this.seeds.find(...bitsOf(id))
    return /^input_[0-9a-f]{16}$/.test(id) ? this.#inputRow(...bitsOf(id)) : -1
  }

  idOf(row: number): string {
    const { size } = this.seeds
    return row < size ? `seed_${this.seeds.digits(row)}` : `input_${this.inputs.digits(row - size)}`
  }

  /** As texts of their ids compare. */
  compareIds(a: number, b: number): number {
    const { size } = this.seeds
    if (a < size !== b < size) return a < size ? 1 : -1
    return a < size ? this.seeds.compare(a, b) : this.inputs.compare(a - size, b - size)
  }

  /** A number of 32 bits that is never less for a row whose id comes later. */
  idRank(row: number): number {
    const { size } = this.seeds
    return row < size ? 2 ** 31 + (this.seeds.high(row) >>> 1) : this.inputs.high(row - size) >>> 1
  }

  /** The row, which had no split, is held there from now on; its stratum is known. */
  hold(row: number, held: number): void {
    this.held[row] = held
    this.missing -= 1
  }

  /** The number of the stratum in `strata`, where it is added unless it is there. */
  stratumNumber(stratum: string): number {
    const number = this.#numbers.get(stratum) ?? this.strata.push(stratum) - 1
    this.#numbers.set(stratum, number)
    return number
  }

  /** How many rows with an answer are held where, by their groups. */
  groups(): HeldGroup[] {
    const counts = new Map<string, HeldGroup>()
    const add = (split: Held, stratum: string, rows: number) => {
      const key = `${split} ${stratum}`
      counts.set(key, { split, stratum, rows: rows + (counts.get(key)?.rows ?? 0) })
    }
    const gold = new Int32Array(heldNames.length * this.strata.length)
    const count = (row: number) => {
      const place = (this.stratum[row] as number) * heldNames.length + (this.held[row] as number)
      gold[place] = (gold[place] as number) + 1
    }
    for (let row = 0; row < this.seeds.size; row += 1) if (this.held[row] !== 0) count(row)
    for (const row of this.#freshInputs) if (this.held[row] !== 0) count(row)
    for (const [place, rows] of gold.entries()) {
      const split = heldNames[place % heldNames.length]
      if (rows > 0 && split !== undefined) add(split, this.strata[Math.floor(place / heldNames.length)] as string, rows)
    }
    for (const { split, stratum } of this.#gone.values()) add(split, stratum, 1)
    return [...counts.values()]
  }

  /** Where each id is held that is not in train: of rows, and of what stands in the splits alone. */
  heldOut(): Map<string, Held> {
    const held = new Map(this.#strangers)
    for (const [row, number] of this.held.entries()) {
      const name = heldNames[number]
      if (name !== undefined && name !== "train") held.set(this.idOf(row), name)
    }
    return held
  }

  #inputRow(high: number, low: number): number {
    const input = this.inputs.find(high, low)
    return input < 0 ? -1 : this.seeds.size + input
  }

  /** Notes the first line of each row. */
  #readLines(rows: TaskRows, refreshes: readonly HoldoutRefresh[], fresh: ReadonlySet<string>): void {
    const { migrations } = rows
    const standing = standingAfter(refreshes)
    const named = new LineIds(namedIn(refreshes))
    const lines = new SplitLines(rows.splitsFile)
    const strataOfLines: number[] = []
    const stratumOf = ({ stratum }: SplitLine) => {
      const number = strataOfLines[stratum] ?? this.stratumNumber(migrations.label(lines.strata[stratum] as string))
      strataOfLines[stratum] = number
      return number
    }
    const take = (line: SplitLine) => {
      const { kind, high, low } = line
      const row = kind === undefined ? -1 : kind === "seed" ? this.seeds.find(high, low) : this.#inputRow(high, low)
      const isNamed = refreshes.length > 0 && named.has(line)
      if (row >= 0 && this.held[row] !== 0) return
      if (row < 0 && !isNamed) this.#noteStranger(line)
      else if (isNamed) {
        const id = line.id()
        const assignment = {
          id,
          split: splits[line.split] as Split,
          stratum: migrations.label(lines.strata[line.stratum] as string),
        }
        const { split, stratum } = standing(assignment)
        if (row >= 0) this.#note(row, heldNames.indexOf(split), this.stratumNumber(stratum))
        else if (split !== "train" && !this.#strangers.has(id)) this.#strangers.set(id, split)
        if (row < 0 && fresh.has(id) && !this.#gone.has(id)) this.#gone.set(id, { split, stratum })
      } else this.#note(row, line.split + 1, stratumOf(line))
    }
    if (!lines.each(take)) rows.refuse(rows.splitsFile, rows.eachAssignment())
  }

  #noteStranger(line: SplitLine): void {
    const split = splits[line.split] as Split
    if (split === "train") this.#trainStrangers.add(line)
    else if (!this.#trainStrangers.has(line) && !this.#strangers.has(line.id())) this.#strangers.set(line.id(), split)
  }

  #note(row: number, held: number, stratum: number): void {
    this.stratum[row] = stratum
    this.hold(row, held)
  }
}

import { heldNames } from "../../core/rows/holdout-refresh.ts"
import { groupUnits, type GroupNumbers } from "./group-units.ts"
import type { Groups } from "../rows/groups.ts"
import { inKeyedOrder, inTest, inTrain, inValidation, targetsOf, type SplitPlan } from "./split-targets.ts"
import { SplitCounts, Units, type NumberedRows } from "./split-units.ts"

/**
 * Where each row is held once those that arrive have a split, like `placeRows`, where rows have groups: a group goes
 * whole to one split, that of its members that have one (of several splits: test before validation before train;
 * retired ones count as test). The sizes and strata of the splits are as near to those of `placeRows` as whole groups
 * allow: the largest unit goes first, each to where it brings the splits nearest to their targets; then single units
 * are moved, and pairs of few units exchanged, as long as that helps.
 *
 * Depends on content and key only: not on the order of the rows.
 */
export function placeGroups(
  rows: NumberedRows,
  near: Pick<Groups, "of">,
  group: GroupNumbers,
  { testNeeded, key }: SplitPlan,
): Uint8Array<ArrayBuffer> {
  const placed = Uint8Array.from(rows.held)
  const counts = new SplitCounts(rows)
  // Nothing was trained on retired rows, and nothing may be trained on beside them.
  const held = rows.held.map((split, row) => (split === retired && (group[row] as number) >= 0 ? inTest : split))
  const units = new Units({ ...rows, held }, groupUnits(rows, near, group, key))
  const free: number[] = []
  const splitOf = new Uint8Array(units.count)
  for (let unit = 0; unit < units.count; unit += 1) {
    splitOf[unit] = units.follows(unit)
    if (splitOf[unit] === 0) free.push(unit)
    else units.everyPart(unit, (stratum, size) => counts.placeMany(stratum, splitOf[unit] as number, size))
  }
  const ordered = inKeyedOrder(rows, units, Uint32Array.from(free), key)
  const balance = new Balance(units, counts, testNeeded, key)
  for (const unit of units.bySize(ordered).reverse()) {
    const best = balance.bestFor(unit)
    balance.move(unit, 0, best)
    splitOf[unit] = best
  }
  improve(balance, ordered, splitOf)
  for (let unit = 0; unit < units.count; unit += 1)
    for (let index = units.start(unit); index < units.end(unit); index += 1)
      placed[units.rows[index] as number] = splitOf[unit] as number
  return placed
}

const retired = heldNames.indexOf("retired")
const places = [inTrain, inValidation, inTest] as const

/** Moves units, and exchanges pairs of them, as long as the splits come nearer to their targets. */
function improve(balance: Balance, units: Uint32Array, splitOf: Uint8Array): void {
  for (let pass = 0; pass < mostPasses; pass += 1) {
    let isBetter = false
    for (const unit of units) {
      const from = splitOf[unit] as number
      for (const to of places) {
        if (to === splitOf[unit] || balance.change(unit, splitOf[unit] as number, to) >= -rounding) continue
        balance.move(unit, splitOf[unit] as number, to)
        splitOf[unit] = to
      }
      isBetter ||= from !== splitOf[unit]
    }
    if (units.length <= fewUnits && exchange(balance, units, splitOf)) isBetter = true
    if (!isBetter) return
  }
}

function exchange(balance: Balance, units: Uint32Array, splitOf: Uint8Array): boolean {
  let isBetter = false
  for (const [index, first] of units.entries())
    for (const second of units.subarray(index + 1)) {
      const [a, b] = [splitOf[first] as number, splitOf[second] as number]
      if (a === b) continue
      const there = balance.change(first, a, b)
      balance.move(first, a, b)
      if (there + balance.change(second, b, a) < -rounding) {
        balance.move(second, b, a)
        splitOf[first] = b
        splitOf[second] = a
        isBetter = true
      } else balance.move(first, b, a)
    }
  return isBetter
}

// Moves alone come near where there are many units: pairs of few are tried as well.
const [mostPasses, fewUnits, rounding] = [10, 300, 1e-9] as const

/** How far the splits are from their targets, and what it changes when a unit goes from one to another. */
class Balance {
  readonly #units: Units
  readonly #strata: number
  readonly #has: Float64Array
  readonly #wanted: Float64Array

  constructor(units: Units, counts: SplitCounts, testNeeded: number, key: string) {
    this.#units = units
    this.#strata = counts.strata.length
    // A row for each split, with all strata together at its end.
    this.#has = new Float64Array(heldNames.length * (this.#strata + 1))
    this.#wanted = new Float64Array(heldNames.length * (this.#strata + 1))
    const test = targetsOf(counts, inTest, testNeeded, key)
    const validation = targetsOf(counts, inValidation, testNeeded, key)
    for (let stratum = 0; stratum < this.#strata; stratum += 1) {
      const size = counts.size(stratum)
      const tested = test[stratum] as number
      const validated = Math.min(validation[stratum] as number, Math.max(0, size - tested - 1))
      this.#want(inTest, stratum, tested)
      this.#want(inValidation, stratum, validated)
      this.#want(inTrain, stratum, size - tested - validated)
      for (const split of places) this.#add(split, stratum, counts.in(stratum, split))
    }
  }

  /** The split that the unit, which has none, brings nearest to its targets. */
  bestFor(unit: number): number {
    let [best, least] = [inTrain, Infinity]
    for (const split of places) {
      const change = this.change(unit, 0, split)
      if (change < least - rounding) [best, least] = [split, change]
    }
    return best
  }

  /** By how much all splits are farther from their targets when the unit goes; less than zero is better. */
  change(unit: number, from: number, to: number): number {
    let change = 0
    let size = 0
    this.#units.everyPart(unit, (stratum, part) => {
      change += this.#gap(from, stratum, -part) + this.#gap(to, stratum, part)
      size += part
      return true
    })
    return change + this.#gap(from, this.#strata, -size) + this.#gap(to, this.#strata, size)
  }

  move(unit: number, from: number, to: number): void {
    this.#units.everyPart(unit, (stratum, part) => {
      if (from !== 0) this.#add(from, stratum, -part)
      this.#add(to, stratum, part)
      return true
    })
  }

  /** How the distance from a target changes by so many rows more. */
  #gap(split: number, stratum: number, more: number): number {
    if (split === 0) return 0
    const at = split * (this.#strata + 1) + stratum
    const [has, wanted] = [this.#has[at] as number, this.#wanted[at] as number]
    const isAll = stratum === this.#strata
    return distance(split, has + more, wanted, isAll) - distance(split, has, wanted, isAll)
  }

  #want(split: number, stratum: number, rows: number): void {
    for (const each of [stratum, this.#strata]) {
      const at = split * (this.#strata + 1) + each
      this.#wanted[at] = (this.#wanted[at] as number) + rows
    }
  }

  #add(split: number, stratum: number, rows: number): void {
    for (const each of [stratum, this.#strata]) {
      const at = split * (this.#strata + 1) + each
      this.#has[at] = (this.#has[at] as number) + rows
    }
  }
}

/** In rows, in proportion to the target. That a label is trained on and tested comes before any size. */
function distance(split: number, has: number, wanted: number, isAll: boolean): number {
  const off = has - wanted
  const isLacking = !isAll && has === 0 && wanted > 0
  return (off * off) / (wanted + 1) + (isLacking ? (lacking[split] as number) : 0)
}

const lacking: readonly number[] = heldNames.map((name) => (name === "train" ? 1e6 : name === "test" ? 1e3 : 0))

import { Groups } from "../rows/groups.ts"
import type { GroupNumbers } from "./group-units.ts"
import { inKeyedOrder, inTest, inTrain, inValidation, targetOf, unlabelled, type SplitPlan } from "./split-targets.ts"
import { SplitCounts, Units, type NumberedRows } from "./split-units.ts"

/**
 * Where each row is held once those that arrive have a split, where the newest are held out: of the rows that arrive
 * the newest are for test, the next for validation and the rest for train, as many as `placeRows` wants and at most as
 * large a share of those that arrive. The cut lies between two times, where there is one within a tenth of them. A
 * group goes whole, by its newest row, or follows its members that have a split. Strata and near-duplicates decide
 * nothing; a row without a time is older than all others. Real inputs without an answer are counted apart.
 *
 * Depends on content and key only: not on the order of the rows.
 */
export function placeNewest(
  rows: NumberedRows,
  { time, group }: { readonly time: Float64Array; readonly group: GroupNumbers },
  { testNeeded, key }: SplitPlan,
): Uint8Array<ArrayBuffer> {
  const placed = Uint8Array.from(rows.held)
  const units = new Units(rows, together(group))
  const counts = new SplitCounts(rows)
  const place = (unit: number, split: number) => {
    for (let index = units.start(unit); index < units.end(unit); index += 1) {
      const row = units.rows[index] as number
      placed[row] = split
      counts.place(rows.stratum[row] as number, split)
    }
  }
  const free: number[] = []
  for (let unit = 0; unit < units.count; unit += 1)
    if (units.follows(unit) === 0) free.push(unit)
    else place(unit, units.follows(unit))
  const without = rows.strata.indexOf(unlabelled)
  const newest = new NewestFirst(units, time)
  const ordered = inKeyedOrder(rows, units, Uint32Array.from(free), key)
  for (const isLabelled of [true, false]) {
    const strata = rows.strata.map((_, number) => number).filter((number) => (number !== without) === isLabelled)
    const sum = (of: (stratum: number) => number) => strata.reduce((total, stratum) => total + of(stratum), 0)
    let left = newest.sorted(ordered.filter((unit) => (rows.stratum[units.first(unit)] !== without) === isLabelled))
    const arriving = newest.rowsIn(left)
    for (const split of [inTest, inValidation]) {
      const target = targetOf(
        split,
        sum((stratum) => counts.size(stratum)),
        testNeeded,
      )
      const missing = target - sum((stratum) => counts.in(stratum, split))
      const end = newest.cut(left, Math.min(missing, targetOf(split, arriving, testNeeded)), arriving / 10)
      for (const unit of left.subarray(0, end)) place(unit, split)
      left = left.subarray(end)
    }
    for (const unit of left) place(unit, inTrain)
  }
  return placed
}

/** Rows of one group, each of the others by itself. */
function together(group: GroupNumbers): Groups {
  const groups = new Groups(group.length)
  const firsts = new Map<number, number>()
  for (const [row, number] of group.entries()) {
    const first = firsts.get(number)
    if (number >= 0 && first !== undefined) groups.join(first, row)
    else firsts.set(number, row)
  }
  return groups
}

class NewestFirst {
  readonly #units: Units
  readonly #times: Float64Array

  constructor(units: Units, time: Float64Array) {
    this.#units = units
    this.#times = Float64Array.from({ length: units.count }, (_, unit) =>
      units.rows
        .subarray(units.start(unit), units.end(unit))
        .reduce((newest, row) => Math.max(newest, time[row] as number), -Infinity),
    )
  }

  /** The newest first, of equally new ones in the order given. */
  sorted(units: Uint32Array): Uint32Array {
    const place = new Map(Array.from(units, (unit, index) => [unit, index]))
    return units.toSorted((a, b) => this.#compare(a, b) || (place.get(a) as number) - (place.get(b) as number))
  }

  rowsIn(units: Uint32Array): number {
    return units.reduce((sum, unit) => sum + this.#units.size(unit), 0)
  }

  /**
   * How many of the sorted units have about so many rows: up to a change of time no farther from that than `slack`
   * rows, or as near as can be.
   */
  cut(units: Uint32Array, wanted: number, slack: number): number {
    if (!(wanted > 0)) return 0
    let [any, between] = [
      { end: 0, off: wanted },
      { end: 0, off: Infinity },
    ]
    let rows = 0
    for (const [index, unit] of units.entries()) {
      rows += this.#units.size(unit)
      const end = index + 1
      const off = Math.abs(rows - wanted)
      if (off < any.off) any = { end, off }
      const next = units[end]
      if (next !== undefined && off < between.off && this.#compare(unit, next) !== 0) between = { end, off }
    }
    return between.off <= slack ? between.end : any.end
  }

  #compare(a: number, b: number): number {
    const [first, second] = [this.#times[a] as number, this.#times[b] as number]
    return first === second ? 0 : second - first
  }
}

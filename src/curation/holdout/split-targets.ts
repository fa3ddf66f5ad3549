import { digest } from "../../core/canonical.ts"
import { heldNames } from "../../core/rows/holdout-refresh.ts"
import { compareText } from "../rows/ranking.ts"
import { sortByKey } from "../text/sort-by-key.ts"
import { apportion } from "./apportion.ts"
import type { NumberedRows, SplitCounts, Units } from "./split-units.ts"

/** The stratum of real inputs without an answer. */
export const unlabelled = "unlabelled"

/** How many test rows are wanted, and what decides where nothing else does. */
export interface SplitPlan {
  readonly testNeeded: number
  readonly key: string
}

/** So many of so many rows shall be in the split. */
export function targetOf(split: number, total: number, testNeeded: number): number {
  return split === inTest
    ? Math.min(testNeeded, Math.floor(mostTest * total))
    : Math.min(Math.ceil(testNeeded / 4), Math.floor(mostValidation * total))
}

// Train can be grown and test cannot: at most this much of all is held out, whatever the verdict needs.
const mostTest = 0.6
const mostValidation = 0.15

/** The numbers of the splits in `heldNames`. */
export const [inTrain, inValidation, inTest] = (["train", "validation", "test"] as const).map((split) =>
  heldNames.indexOf(split),
) as [number, number, number]

/** How many rows of each stratum a split shall have in the end, those it has included. */
export function targetsOf(counts: SplitCounts, split: number, testNeeded: number, key: string): Float64Array {
  const targets = new Float64Array(counts.strata.length)
  const isUnlabelled = (number: number) => counts.strata[number] === unlabelled
  const present = counts.strata.map((_, number) => number).filter((number) => counts.size(number) > 0)
  for (const strata of [present.filter((number) => !isUnlabelled(number)), present.filter(isUnlabelled)]) {
    const total = strata.reduce((sum, number) => sum + counts.size(number), 0)
    const target = targetOf(split, total, testNeeded)
    const claims = strata.map((number) => {
      const name = counts.strata[number] as string
      const has = counts.in(number, split)
      const most = has + counts.available(number)
      // A label with a second example is tested, even when the verdict needs fewer rows than there are labels.
      const least = Math.max(has, split === inTest && testNeeded > 0 ? Math.min(1, most) : 0)
      return { name, size: counts.size(number), least, most, tieBreak: digest([key, heldNames[split], name]) }
    })
    const seats = apportion(claims, target)
    for (const number of strata) targets[number] = seats.get(counts.strata[number] as string) ?? 0
  }
  return targets
}

/** The units in an order that follows from the key and their first ids. */
export function inKeyedOrder(
  rows: NumberedRows,
  units: Units,
  free: Uint32Array,
  key: string,
): Uint32Array<ArrayBuffer> {
  const place = (unit: number) => digest([key, rows.idOf(units.first(unit))])
  const firstDigits = Uint32Array.from(free, (unit) => Number.parseInt(place(unit).slice(7, 15), 16))
  // As many bits as there is room for beside the numbers.
  const bits = Math.min(32, 52 - Math.ceil(Math.log2(free.length + 1)))
  const order = sortByKey(
    Uint32Array.from(free.keys()),
    bits,
    (index) => (firstDigits[index] as number) >>> (32 - bits),
    (a, b) =>
      (firstDigits[a] as number) - (firstDigits[b] as number) ||
      compareText(place(free[a] as number), place(free[b] as number)),
  )
  return new Uint32Array(order.map((index) => free[index] as number))
}

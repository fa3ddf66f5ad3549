import { digest } from "../../core/canonical.ts"
import { splits, type Assignment } from "../../core/rows/example.ts"
import { heldNames, type StandingAssignment } from "../../core/rows/holdout-refresh.ts"
import { apportion } from "./apportion.ts"
import { TextSample } from "../near/boilerplate.ts"
import type { Groups } from "../rows/groups.ts"
import { compareText } from "../rows/ranking.ts"
import { sortByKey } from "../text/sort-by-key.ts"
import { SplitCounts, Units, type NumberedRows } from "./split-units.ts"
import { groupTexts } from "./text-groups.ts"

/** The stratum of real inputs without an answer. */
export const unlabelled = "unlabelled"

/** A row that has no split yet. */
export interface Arrival {
  readonly id: string
  readonly text: string
  readonly stratum: string
}

export interface HoldOutOptions {
  readonly arrivals: readonly Arrival[]
  readonly existing: readonly StandingAssignment[]
  /** The rows that have a split, as far as they still exist. */
  readonly existingItems: readonly { readonly id: string; readonly text: string }[]
  /** How many test examples the rule of the verdict needs. */
  readonly testNeeded: number
  /** What the tie-break depends on beside the id: the task's name. */
  readonly key: string
}

/**
 * The splits of the arrivals, as `placeRows` gives them. Sorted by id; no arrivals give none; an arrival that has a
 * split already is left out, and rows that no longer exist hold no place.
 */
export function assignSplits({ arrivals, existing, existingItems, testNeeded, key }: HoldOutOptions): Assignment[] {
  const known = new Map(existing.map((assignment) => [assignment.id, assignment]))
  const present = new Map(existingItems.filter(({ id }) => known.has(id)).map((item) => [item.id, item]))
  const fresh = new Map(arrivals.filter(({ id }) => !known.has(id)).map((arrival) => [arrival.id, arrival]))
  const items = [...present.values(), ...fresh.values()]
  const sample = new TextSample()
  for (const { text } of items) sample.add(text)
  const groups = groupTexts({ count: items.length, text: (row) => (items[row] as { text: string }).text }, sample)
  const strata = new Map<string, number>()
  const stratum = Int32Array.from(items, ({ id }) => {
    const name = (known.get(id) ?? (fresh.get(id) as Arrival)).stratum
    const number = strata.get(name) ?? strata.size
    strata.set(name, number)
    return number
  })
  const held = Uint8Array.from(items, ({ id }) => heldNames.indexOf(known.get(id)?.split))
  const idOf = (row: number) => (items[row] as { id: string }).id
  const rows = {
    held,
    stratum,
    strata: [...strata.keys()],
    idOf,
    compareIds: (a: number, b: number) => compareText(idOf(a), idOf(b)),
  }
  const placed = placeRows(rows, groups, { testNeeded, key })
  return Array.from(fresh.values(), ({ id, stratum: name }, index) => {
    const split = splits[(placed[present.size + index] as number) - 1] as Assignment["split"]
    return { id, split, stratum: name }
  }).sort((a, b) => compareText(a.id, b.id))
}

/**
 * Where each row is held once those that arrive have a split, for good: what has one keeps it, and near-duplicates go
 * whole to one split, that of the members that have one (of several splits: test before validation before train).
 * Retired rows count nowhere; what is near them goes to train, where a build drops it.
 *
 * Of T rows (existing and arriving), min(testNeeded, ⌊0.6 T⌋) are for test, min(⌈testNeeded / 4⌉, ⌊0.15 T⌋) for
 * validation and the rest for train, spread over the strata by largest remainder. A stratum's first row goes to train,
 * its second to test; later ones never take its last train row. Real inputs without an answer are counted apart, by the
 * same rule. Depends on content and key only: not on the order of the rows. Whole near-duplicate groups may miss the
 * sizes by half a group.
 */
export function placeRows(
  rows: NumberedRows,
  groups: Groups,
  { testNeeded, key }: { readonly testNeeded: number; readonly key: string },
): Uint8Array<ArrayBuffer> {
  const { held, stratum } = rows
  const counts = new SplitCounts(rows)
  const units = new Units(rows, groups)
  const placed = Uint8Array.from(held)
  const place = (unit: number, split: number) => {
    for (let index = units.start(unit); index < units.end(unit); index += 1) {
      const row = units.rows[index] as number
      placed[row] = split
      counts.place(stratum[row] as number, split)
    }
  }
  let free = new Uint32Array(units.count)
  let count = 0
  for (let unit = 0; unit < units.count; unit += 1)
    if (units.follows(unit) === 0) free[count++] = unit
    else place(unit, units.follows(unit))
  free = inKeyedOrder(rows, units, free.subarray(0, count), key)
  for (const split of [inTest, inValidation])
    free = fill(free, split, { units, counts, targets: targetsOf(counts, split, testNeeded, key), place })
  for (const unit of free) place(unit, inTrain)
  return placed
}

/** The strata that no test example measures, sorted; real inputs without an answer do not count. */
export function labelsUntested(assignments: readonly Pick<StandingAssignment, "split" | "stratum">[]): string[] {
  const tested = new Set(assignments.flatMap(({ split, stratum }) => (split === "test" ? [stratum] : [])))
  return [...new Set(assignments.map(({ stratum }) => stratum))]
    .filter((stratum) => stratum !== unlabelled && !tested.has(stratum))
    .sort()
}

// Train can be grown and test cannot: at most this much of all is held out, whatever the verdict needs.
const mostTest = 0.6
const mostValidation = 0.15

const [inTrain, inValidation, inTest] = (["train", "validation", "test"] as const).map((split) =>
  heldNames.indexOf(split),
) as [number, number, number]

/** How many rows of each stratum a split shall have in the end, those it has included. */
function targetsOf(counts: SplitCounts, split: number, testNeeded: number, key: string): Float64Array {
  const targets = new Float64Array(counts.strata.length)
  const isUnlabelled = (number: number) => counts.strata[number] === unlabelled
  const present = counts.strata.map((_, number) => number).filter((number) => counts.size(number) > 0)
  for (const strata of [present.filter((number) => !isUnlabelled(number)), present.filter(isUnlabelled)]) {
    const total = strata.reduce((sum, number) => sum + counts.size(number), 0)
    const target =
      split === inTest
        ? Math.min(testNeeded, Math.floor(mostTest * total))
        : Math.min(Math.ceil(testNeeded / 4), Math.floor(mostValidation * total))
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

interface Filling {
  readonly units: Units
  readonly counts: SplitCounts
  /** How many rows of each stratum the split shall have. */
  readonly targets: Float64Array
  readonly place: (unit: number, split: number) => void
}

/**
 * Gives units to the split: first in keyed order those that fit; then, smallest first, those that overshoot by no more
 * than is missing. Returns the units that are left.
 */
function fill(
  free: Uint32Array<ArrayBuffer>,
  split: number,
  { units, counts, targets, place }: Filling,
): Uint32Array<ArrayBuffer> {
  const missing = (stratum: number) => (targets[stratum] as number) - counts.in(stratum, split)
  const pass = (rest: Uint32Array<ArrayBuffer>, fits: (unit: number) => boolean) =>
    rest.filter((unit) => {
      if (!units.everyPart(unit, (stratum, size) => size <= counts.available(stratum)) || !fits(unit)) return true
      place(unit, split)
      return false
    })
  const left = pass(free, (unit) => units.everyPart(unit, (stratum, size) => size <= missing(stratum)))
  const rest = pass(units.bySize(left), (unit) => {
    let [overshoot, gain] = [0, 0]
    units.everyPart(unit, (stratum, size) => {
      const lacks = Math.max(0, missing(stratum))
      overshoot += Math.max(0, size - lacks)
      gain += Math.min(size, lacks)
      return true
    })
    return gain > 0 && overshoot <= gain
  })
  if (rest.length === left.length) return left
  const isLeft = new Uint8Array(units.count)
  for (const unit of rest) isLeft[unit] = 1
  return left.filter((unit) => isLeft[unit] === 1)
}

/** The units in an order that follows from the key and their first ids. */
function inKeyedOrder(rows: NumberedRows, units: Units, free: Uint32Array, key: string): Uint32Array<ArrayBuffer> {
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

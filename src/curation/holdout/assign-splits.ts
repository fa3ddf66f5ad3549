import { splits, type Assignment } from "../../core/rows/example.ts"
import { heldNames, type StandingAssignment } from "../../core/rows/holdout-refresh.ts"
import type { ColumnedRow, NamesColumns } from "../../core/rows/kept-columns.ts"
import { TextSample } from "../near/boilerplate.ts"
import type { Groups } from "../rows/groups.ts"
import { compareText } from "../rows/ranking.ts"
import { HeldTogether } from "./held-together.ts"
import { placeGroups } from "./place-groups.ts"
import { placeNewest } from "./place-newest.ts"
import { inKeyedOrder, inTest, inTrain, inValidation, targetsOf, unlabelled, type SplitPlan } from "./split-targets.ts"
import { SplitCounts, Units, type NumberedRows } from "./split-units.ts"
import { groupTexts } from "./text-groups.ts"

/** A row that has no split yet. */
export interface Arrival extends ColumnedRow {
  readonly id: string
  readonly text: string
  readonly stratum: string
}

export interface HoldOutOptions {
  readonly arrivals: readonly Arrival[]
  readonly existing: readonly StandingAssignment[]
  /** The rows that have a split, as far as they still exist. */
  readonly existingItems: readonly (ColumnedRow & { readonly id: string; readonly text: string })[]
  /** How many test examples the rule of the verdict needs. */
  readonly testNeeded: number
  /** What the tie-break depends on beside the id: the task's name. */
  readonly key: string
  /** Which columns of the rows say what belongs together, and what is newest; default none. */
  readonly holdout?: NamesColumns["holdout"]
}

/**
 * The splits of the arrivals, as `placeArriving` gives them. Sorted by id; no arrivals give none; an arrival that has a
 * split already is left out, and rows that no longer exist hold no place.
 */
export function assignSplits(options: HoldOutOptions): Assignment[] {
  const { arrivals, existing, existingItems, testNeeded, key, holdout = {} } = options
  const known = new Map(existing.map((assignment) => [assignment.id, assignment]))
  const present = new Map(existingItems.filter(({ id }) => known.has(id)).map((item) => [item.id, item]))
  const fresh = new Map(arrivals.filter(({ id }) => !known.has(id)).map((arrival) => [arrival.id, arrival]))
  const items = [...present.values(), ...fresh.values()]
  const sample = new TextSample()
  for (const { text } of items) sample.add(text)
  const near = groupTexts({ count: items.length, text: (row) => (items[row] as { text: string }).text }, sample)
  const held = new HeldTogether({ holdout }, items.length)
  for (const [row, item] of items.entries()) held.take(row, item)
  const strata = new Map<string, number>()
  const stratum = Int32Array.from(items, ({ id }) => {
    const name = (known.get(id) ?? (fresh.get(id) as Arrival)).stratum
    const number = strata.get(name) ?? strata.size
    strata.set(name, number)
    return number
  })
  const idOf = (row: number) => (items[row] as { id: string }).id
  const rows = {
    held: Uint8Array.from(items, ({ id }) => heldNames.indexOf(known.get(id)?.split)),
    stratum,
    strata: [...strata.keys()],
    idOf,
    compareIds: (a: number, b: number) => compareText(idOf(a), idOf(b)),
  }
  const placed = placeArriving(rows, near, held, { testNeeded, key })
  return Array.from(fresh.values(), ({ id, stratum: name }, index) => {
    const split = splits[(placed[present.size + index] as number) - 1] as Assignment["split"]
    return { id, split, stratum: name }
  }).sort((a, b) => compareText(a.id, b.id))
}

/**
 * Where each row is held once those that arrive have a split: the newest for the test, or whole groups, or by the
 * labels and near-duplicates alone.
 */
export function placeArriving(
  rows: NumberedRows,
  near: Groups,
  { group, time }: Pick<HeldTogether, "group" | "time">,
  plan: SplitPlan,
): Uint8Array<ArrayBuffer> {
  if (time !== undefined) return placeNewest(rows, { time, group: group ?? new Int32Array(time.length).fill(-1) }, plan)
  return group === undefined ? placeRows(rows, near, plan) : placeGroups(rows, near, group, plan)
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
export function placeRows(rows: NumberedRows, groups: Groups, { testNeeded, key }: SplitPlan): Uint8Array<ArrayBuffer> {
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

import { digest } from "../core/canonical.ts"
import type { Assignment, Split } from "../core/example.ts"
import type { Held, StandingAssignment } from "../core/holdout-refresh.ts"
import { apportion } from "./apportion.ts"
import { clusters } from "./near-duplicates.ts"

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

/** The splits of the arrivals, for good: what has a split keeps it, and near-duplicates go whole to one split, that of the members that have one
 * (of several splits: test before validation before train). Retired rows count nowhere; what is near them goes to train, where a build drops it.
 *
 * Of T rows (existing and arriving), min(testNeeded, ⌊0.6 T⌋) are for test, min(⌈testNeeded / 4⌉, ⌊0.15 T⌋) for validation and the rest for
 * train, spread over the strata by largest remainder. A stratum's first row goes to train, its second to test; later ones never take its last
 * train row. Real inputs without an answer are counted apart, by the same rule.
 * Depends on content and key only: not on the order of the arrivals. Sorted by id; no arrivals give none; an arrival that has a split already is
 * left out. Whole near-duplicate groups may miss the sizes by half a group. */
export function assignSplits({ arrivals, existing, existingItems, testNeeded, key }: HoldOutOptions): Assignment[] {
  const present = new Set(existingItems.map(({ id }) => id))
  const placed = new Map(existing.filter(({ id }) => present.has(id)).map((assignment) => [assignment.id, assignment]))
  const known = new Set(existing.map(({ id }) => id))
  const fresh = new Map(arrivals.filter(({ id }) => !known.has(id)).map((arrival) => [arrival.id, arrival]))
  const active = [...placed.values()].flatMap(({ split, stratum }) => (split === "retired" ? [] : [{ split, stratum }]))
  const counts = new Counts([...active, ...fresh.values()].map(({ stratum }) => stratum))
  for (const { split, stratum } of active) counts.place(stratum, split)
  const assigned: Assignment[] = []
  const assign = (unit: readonly Arrival[], split: Split) => {
    for (const { id, stratum } of unit) {
      counts.place(stratum, split)
      assigned.push({ id, split, stratum })
    }
  }
  let free: Arrival[][] = []
  const items = [...existingItems.filter(({ id }) => placed.has(id)), ...fresh.values()]
  for (const cluster of clusters(items)) {
    const unit = cluster.flatMap((id) => fresh.get(id) ?? [])
    const followed = mostHeldOut(cluster.flatMap((id) => placed.get(id)?.split ?? []))
    if (followed) assign(unit, followed)
    else free.push(unit)
  }
  free = inKeyedOrder(free, key)
  for (const split of ["test", "validation"] as const) {
    const targets = targetsOf(counts, split, testNeeded, key)
    free = fill(free, targets, counts, split, assign)
  }
  for (const unit of free) assign(unit, "train")
  return assigned.sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** The strata that no test example measures, sorted; real inputs without an answer do not count. */
export function labelsUntested(assignments: readonly Pick<StandingAssignment, "split" | "stratum">[]): string[] {
  const tested = new Set(assignments.flatMap(({ split, stratum }) => (split === "test" ? [stratum] : [])))
  return [...new Set(assignments.map(({ stratum }) => stratum))].filter((stratum) => stratum !== unlabelled && !tested.has(stratum)).sort()
}

// Train can be grown and test cannot: at most this much of all is held out, whatever the verdict needs.
const mostTest = 0.6
const mostValidation = 0.15

/** How many rows of each stratum a split shall have in the end, those it has included. */
function targetsOf(counts: Counts, split: "test" | "validation", testNeeded: number, key: string): Map<string, number> {
  const groups = [counts.strata.filter((stratum) => stratum !== unlabelled), counts.strata.filter((stratum) => stratum === unlabelled)]
  return new Map(
    groups.flatMap((strata) => {
      const total = strata.reduce((sum, stratum) => sum + counts.size(stratum), 0)
      const target =
        split === "test"
          ? Math.min(testNeeded, Math.floor(mostTest * total))
          : Math.min(Math.ceil(testNeeded / 4), Math.floor(mostValidation * total))
      const claims = strata.map((name) => {
        const has = counts.in(name, split)
        const most = has + counts.available(name)
        // A label with a second example is tested, even when the verdict needs fewer rows than there are labels.
        const least = Math.max(has, split === "test" && testNeeded > 0 ? Math.min(1, most) : 0)
        return { name, size: counts.size(name), least, most, tieBreak: digest([key, split, name]) }
      })
      return [...apportion(claims, target)]
    }),
  )
}

/** Gives units to the split: first in keyed order those that fit; then, smallest first, those that overshoot by no more than is missing. Returns
 * the units that are left. */
function fill(
  units: readonly Arrival[][],
  targets: ReadonlyMap<string, number>,
  counts: Counts,
  split: Split,
  assign: (unit: Arrival[], split: Split) => void,
): Arrival[][] {
  const missing = (stratum: string) => (targets.get(stratum) ?? 0) - counts.in(stratum, split)
  const keepsTrain = (parts: [string, number][]) => parts.every(([stratum, size]) => size <= counts.available(stratum))
  const pass = (rest: readonly Arrival[][], fits: (parts: [string, number][]) => boolean) =>
    rest.filter((unit) => {
      const parts = partsOf(unit)
      if (!keepsTrain(parts) || !fits(parts)) return true
      assign(unit, split)
      return false
    })
  const left = pass(units, (parts) => parts.every(([stratum, size]) => size <= missing(stratum)))
  const smallestFirst = left.toSorted((a, b) => a.length - b.length)
  const rest = new Set(
    pass(smallestFirst, (parts) => {
      const overshoot = parts.reduce((sum, [stratum, size]) => sum + Math.max(0, size - Math.max(0, missing(stratum))), 0)
      const gain = parts.reduce((sum, [stratum, size]) => sum + Math.min(size, Math.max(0, missing(stratum))), 0)
      return gain > 0 && overshoot <= gain
    }),
  )
  return left.filter((unit) => rest.has(unit))
}

function partsOf(unit: readonly Arrival[]): [string, number][] {
  return [...Map.groupBy(unit, ({ stratum }) => stratum)].map(([stratum, members]) => [stratum, members.length])
}

function mostHeldOut(held: readonly Held[]): Split | undefined {
  return (["test", "validation", "train"] as const).find((split) => held.includes(split)) ?? (held.length > 0 ? "train" : undefined)
}

function inKeyedOrder(units: readonly Arrival[][], key: string): Arrival[][] {
  return units
    .map((unit) => ({ unit, place: digest([key, unit[0]?.id]) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ unit }) => unit)
}

/** How many rows of each stratum there are, and where those placed so far are. */
class Counts {
  readonly strata: readonly string[]
  readonly #sizes = new Map<string, number>()
  readonly #placed = new Map<string, Record<Split, number>>()

  constructor(strata: readonly string[]) {
    for (const stratum of strata) this.#sizes.set(stratum, this.size(stratum) + 1)
    this.strata = [...this.#sizes.keys()].sort()
    for (const stratum of this.strata) this.#placed.set(stratum, { train: 0, validation: 0, test: 0 })
  }

  size(stratum: string): number {
    return this.#sizes.get(stratum) ?? 0
  }

  in(stratum: string, split: Split): number {
    return this.#placed.get(stratum)?.[split] ?? 0
  }

  place(stratum: string, split: Split): void {
    const placed = this.#placed.get(stratum)
    if (placed) placed[split] += 1
  }

  /** How many rows without a place may be held out: all but one, if none is in train yet. */
  available(stratum: string): number {
    const free = this.size(stratum) - splitsOf.reduce((sum, split) => sum + this.in(stratum, split), 0)
    return Math.max(0, this.in(stratum, "train") > 0 ? free : free - 1)
  }
}

const splitsOf = ["train", "validation", "test"] as const

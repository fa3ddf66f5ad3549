import type { ScoredRow } from "../../core/contracts/metric.ts"
import type { Interval } from "../statistics/bootstrap.ts"
import { designEffect } from "../statistics/design-effect.ts"
import { wilsonInterval } from "../statistics/wilson.ts"

/** What is drawn or turned at once: the places of the rows of one group, or of a row that stands alone. */
export type Units = readonly Uint32Array[]

/** The units of the rows, in the order of their first rows; undefined where every row stands alone. */
export function unitsOf(rows: readonly ScoredRow[]): Units | undefined {
  const places = new Map<string, number[]>()
  for (const [place, { group }] of rows.entries()) {
    const key = group ?? `row ${place}`
    const unit = places.get(key)
    if (unit === undefined) places.set(key, [place])
    else unit.push(place)
  }
  return places.size === rows.length ? undefined : Array.from(places.values(), (unit) => Uint32Array.from(unit))
}

/** The sum of each unit. */
export function sumsOf(values: Float64Array, units: Units): Float64Array {
  return Float64Array.from(units, (unit) => unit.reduce((sum, place) => sum + (values[place] as number), 0))
}

/**
 * Wilson's interval of the share of the rows that are right; of rows in groups that of so many rows as say as much
 * where all of a group are alike.
 */
export function shareInterval(rows: readonly ScoredRow[], right: number, confidence: number): Interval {
  const units = unitsOf(rows)
  if (units === undefined) return wilsonInterval(right, rows.length, confidence)
  const trials = rowsAlone(rows.length, units)
  return wilsonInterval(Math.min(trials, (right * trials) / rows.length), trials, confidence)
}

/** How many rows that stand alone say at least as much, whatever the rows of a group have in common. */
function rowsAlone(rows: number, units: Units): number {
  return (
    rows /
    designEffect(
      units.map(({ length }) => length),
      1,
    )
  )
}

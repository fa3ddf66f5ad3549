import { digest } from "../../core/canonical.ts"
import { Groups } from "../rows/groups.ts"
import { compareText } from "../rows/ranking.ts"
import type { NumberedRows } from "./split-units.ts"

/** What the rows of a task are held by together: of each row the number of its group, below zero for none. */
export type GroupNumbers = Int32Array

/**
 * The units of rows that have groups: a group is in one of them whole. Rows without a group go together as near-
 * duplicates do. Near-duplicates of several groups that arrive join these, as long as the whole is no larger than the
 * largest group or one row in fifty: a text that everybody writes would make one unit of all groups.
 *
 * The order of the rows does not matter.
 */
export function groupUnits(rows: NumberedRows, near: Pick<Groups, "of">, group: GroupNumbers, key: string): Groups {
  const units = new Groups(group.length)
  const firsts = new Map<number, number>()
  for (let row = 0; row < group.length; row += 1) {
    const number = group[row] as number
    // Groups have numbers from zero on, and near-duplicates without one those below.
    const together = number >= 0 ? number : -1 - near.of(row)
    const first = firsts.get(together)
    if (first === undefined) firsts.set(together, row)
    else units.join(first, row)
  }
  joinNear(rows, near, units, key)
  return units
}

function joinNear(rows: NumberedRows, near: Pick<Groups, "of">, units: Groups, key: string): void {
  const count = rows.held.length
  const sizes = new Uint32Array(count)
  const isHeld = new Uint8Array(count)
  const firstIds = Uint32Array.from({ length: count }, (_, row) => row)
  const members = new Map<number, Set<number>>()
  for (let row = 0; row < count; row += 1) {
    const unit = units.of(row)
    sizes[unit] = (sizes[unit] as number) + 1
    if (rows.compareIds(row, firstIds[unit] as number) < 0) firstIds[unit] = row
    if (rows.held[row] !== 0) isHeld[unit] = 1
    const cluster = near.of(row)
    if (cluster === row && unit === row) continue
    members.set(cluster, (members.get(cluster) ?? new Set<number>()).add(unit))
  }
  // A cluster's own first row may have been passed over above.
  for (const [cluster, of] of members) of.add(units.of(cluster))
  const limit = sizes.reduce((most, size) => Math.max(most, size), Math.floor(count / 50))
  const spanning = [...members.values()]
    .filter((of) => of.size > 1)
    .map((of) => {
      const ids = [...of].map((unit) => rows.idOf(firstIds[unit] as number))
      const size = [...of].reduce((sum, unit) => sum + (sizes[unit] as number), 0)
      return { of: [...of], size, place: digest([key, ids.sort(compareText)]) }
    })
    .sort((a, b) => a.size - b.size || compareText(a.place, b.place))
  for (const { of } of spanning) {
    const now = [...new Set(of.map((unit) => units.of(unit)))]
    const size = now.reduce((sum, unit) => sum + (sizes[unit] as number), 0)
    if (now.length < 2 || size > limit || now.some((unit) => isHeld[unit] === 1)) continue
    for (const unit of now) units.join(now[0] as number, unit)
    sizes[units.of(now[0] as number)] = size
  }
}

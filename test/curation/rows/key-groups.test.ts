import fc from "fast-check"
import { expect, test } from "vitest"
import { eachGroup, groupsOf, joinKeys, shareOut } from "../../../src/curation/rows/key-groups.ts"

// Few different keys, as numbers with and without a sign, so that many are shared.
const key = fc.integer({ min: 0, max: 30 }).map((number) => Math.imul(number, 0x9e3779b1))
const rows = fc.array(fc.tuple(key, key, key, fc.boolean()), { maxLength: 60 })

/** The groups of those that are wanted, by following every shared key. */
function plainGroups(all: readonly (readonly [number, number, number, boolean])[]): number[][] {
  const groupOf = all.map((_, place) => place)
  for (let changed = true; changed; ) {
    changed = false
    for (const [a, first] of all.entries())
      for (const [b, second] of all.entries())
        if ([0, 1, 2].some((band) => first[band] === second[band]) && groupOf[b] !== groupOf[a]) {
          const least = Math.min(groupOf[a] as number, groupOf[b] as number)
          groupOf[a] = least
          groupOf[b] = least
          changed = true
        }
  }
  const wanted = [...all.keys()].filter((place) => all[place]?.[3])
  return [...Map.groupBy(wanted, (place) => groupOf[place] as number).values()].filter(({ length }) => length > 1)
}

test(
  "rows that share a key, directly or through others, are in one group, however the keys are shared out; " +
    "nobody is in two, and nobody alone in one",
  () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 4 }), (all, cut, shares) => {
        const bands = [0, 1, 2].map((band) => Int32Array.from(all, (row) => row[band] as number))
        const joined = [bands.slice(0, cut), bands.slice(cut)].filter((part) => part.length > 0).map(joinKeys)
        // Known by other numbers than their places.
        const numbers = Uint32Array.from(all, (_, place) => 1000 + place)
        const groups = groupsOf(numbers, joined, (row) => all[row - 1000]?.[3] === true)
        const list = (of: typeof groups) => {
          const lists: number[][] = []
          eachGroup(of, (members) => lists.push([...members].map((row) => row - 1000)))
          return lists.toSorted((a, b) => (a[0] as number) - (b[0] as number))
        }
        expect(list(groups)).toEqual(plainGroups(all))
        const shared = shareOut(groups, shares)
        expect(shared).toHaveLength(shares)
        expect(shared.flatMap(list).toSorted((a, b) => (a[0] as number) - (b[0] as number))).toEqual(list(groups))
      }),
      { seed: 11, numRuns: 500 },
    )
  },
)

test("shares of many small groups are about even", () => {
  const keys = Int32Array.from({ length: 3000 }, (_, place) => Math.floor(place / 3) + 1)
  const groups = groupsOf(Uint32Array.from(keys.keys()), [joinKeys([keys])], () => true)
  expect(shareOut(groups, 2).map(({ rows: members }) => members.length)).toEqual([1500, 1500])
})

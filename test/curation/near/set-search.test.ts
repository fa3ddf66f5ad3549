import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { FewSets } from "../../../src/curation/near/few-sets.ts"
import { SetList } from "../../../src/curation/near/set-list.ts"
import { SimilarSets, type SetSearch, type Sketch } from "../../../src/curation/near/similar-sets.ts"
import { bands, hashes, jaccard, shareKey, sketchOf } from "./made-sketches.ts"

describe.each([
  ["few sets", (threshold: number) => new FewSets(threshold, bands)],
  ["a list of sets", (threshold: number) => new SetList(threshold, bands)],
  ["sets by their keys", (threshold: number) => new SimilarSets(threshold, bands)],
  [
    "sets by their keys, where they lie",
    (threshold: number) => new SimilarSets(threshold, bands, 4, { areLasting: true }),
  ],
] as const)("%s", (_, make: (threshold: number) => SetSearch) => {
  test(
    "are found exactly by whoever shares a key and is as near as asked, in their group, and by the wanted " + "place",
    () => {
      fc.assert(
        fc.property(
          fc.array(fc.record({ hashes, group: fc.integer({ min: 0, max: 2 }) }), { maxLength: 40 }),
          hashes,
          fc.constantFrom(0.5, 0.7, 0.8, 1),
          fc.integer({ min: 1, max: 4 }),
          (sets, asked, threshold, modulus) => {
            const search = make(threshold)
            const sketches = sets.map((set) => sketchOf(set.hashes))
            for (const [index, sketch] of sketches.entries()) expect(search.add(sketch, sets[index]?.group)).toBe(index)
            const sketch = sketchOf(asked)
            for (const group of [0, 1]) {
              const found: (readonly [number, number])[] = []
              const isWanted = (place: number) => place % modulus === 0
              const note = (place: number, similarity: number) => {
                found.push([place, similarity])
                return false
              }
              search.visit(sketch, note, { group, isWanted })
              const wanted = sets.flatMap((set, place) => {
                const similarity = jaccard(set.hashes, asked)
                const isFound =
                  set.group === group &&
                  isWanted(place) &&
                  similarity >= threshold &&
                  shareKey(sketch, sketches[place] as Sketch)
                return isFound ? [[place, similarity] as const] : []
              })
              expect(found.toSorted(([a], [b]) => a - b)).toEqual(wanted)
            }
          },
        ),
        { seed: 9, numRuns: 400 },
      )
    },
  )

  test("a set has another place in another group, and a visit ends when it is told to", () => {
    const search = make(0.8)
    const sketch = sketchOf([1, 2, 3])
    const places = [search.add(sketch), search.add(sketch)]
    const again = search.addAgain(places[0] as number, sketch, 7)
    const visited = (group: number, most: number) => {
      const found: number[] = []
      search.visit(sketch, (place) => found.push(place) >= most, { group })
      return found
    }
    expect(visited(0, 9).toSorted()).toEqual(places)
    expect(visited(0, 1)).toHaveLength(1)
    expect(visited(7, 9)).toEqual([again])
  })
})

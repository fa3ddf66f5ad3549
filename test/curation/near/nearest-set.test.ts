import fc from "fast-check"
import { expect, test } from "vitest"
import { NearestSet, type NearSet } from "../../../src/curation/near/nearest-set.ts"
import { Sketcher } from "../../../src/curation/near/sketcher.ts"
import { jaccard, sketchOf } from "./made-sketches.ts"
import { fourGrams, textsWithCopies } from "./made-texts.ts"

/** By looking at each: the most similar at or above the threshold, of equals the first. */
function bruteForce(count: number, similarityTo: (place: number) => number, threshold: number): NearSet | undefined {
  let best: NearSet | undefined
  for (let place = 0; place < count; place += 1) {
    const similarity = similarityTo(place)
    if (similarity >= threshold && similarity > (best?.similarity ?? 0)) best = { place, similarity }
  }
  return best
}

const setOf = (different: number, longest: number) =>
  fc
    .array(fc.integer({ min: 1, max: different }), { minLength: 1, maxLength: longest })
    .map((all) => [...new Set(all)].map((hash) => Math.imul(hash, 0x01000193)))

test("the nearest of many sets is the one that brute force finds, at any threshold and of any size", () => {
  const sets = fc
    .tuple(fc.integer({ min: 2, max: 60 }), fc.integer({ min: 1, max: 40 }))
    .chain(([different, longest]) =>
      fc.tuple(
        fc.array(setOf(different, longest), { minLength: 1, maxLength: 120 }),
        fc.array(setOf(different, longest), { minLength: 1, maxLength: 5 }),
      ),
    )
  fc.assert(
    fc.property(sets, fc.constantFrom(0.01, 0.2, 0.5, 0.7, 0.8, 0.95, 1), ([added, asked], threshold) => {
      const search = new NearestSet(threshold)
      for (const set of added) search.add(sketchOf(set))
      for (const set of [...asked, ...added.slice(0, 5)])
        expect(search.nearest(sketchOf(set))).toEqual(
          bruteForce(added.length, (place) => jaccard(added[place] as number[], set), threshold),
        )
    }),
    { seed: 5, numRuns: 300 },
  )
})

test("no near pair of short texts is missed, and none is made up", () => {
  const texts = textsWithCopies(800, 11)
  const [held, asked] = [texts.slice(0, 400), texts.slice(400)]
  const sets = texts.map(fourGrams)
  const sketcher = new Sketcher({ shingles: "char-4" })
  const search = new NearestSet(0.7)
  for (const text of held) search.add(sketcher.sketch(text))
  let found = 0
  for (const [index, text] of asked.entries()) {
    const own = sets[400 + index] as Set<string>
    const similarityTo = (place: number) => {
      const shared = own.intersection(sets[place] as Set<string>).size
      return shared / (own.size + (sets[place] as Set<string>).size - shared)
    }
    const best = bruteForce(held.length, similarityTo, 0.7)
    const near = search.nearest(sketcher.sketch(text))
    expect(near).toEqual(best)
    if (near !== undefined) found += 1
  }
  expect(found).toBeGreaterThan(50)
})

test("an empty set is near nothing, and nothing is near it", () => {
  const search = new NearestSet(0.7)
  expect(search.nearest(sketchOf([1]))).toBeUndefined()
  for (let count = 0; count < 20; count += 1) search.add({ numbers: new Int32Array(), hashes: 0, size: 0 })
  expect(search.nearest({ numbers: new Int32Array(), hashes: 0, size: 0 })).toBeUndefined()
  expect(search.nearest(sketchOf([1]))).toBeUndefined()
})

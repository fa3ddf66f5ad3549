import fc from "fast-check"
import { expect, test } from "vitest"
import { sortByKey } from "../../../src/curation/text/sort-by-key.ts"

test("sorts as the comparison alone does, with a key that tells less than it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(2000), { maxLength: 80 }),
      fc.integer({ min: 0, max: 8 }),
      fc.constantFrom(20, 51),
      (numbers, coarse, bits) => {
        const compare = (a: number, b: number) => b - a
        const sorted = sortByKey(Uint32Array.from(numbers), bits, (number) => (2000 - number) >> coarse, compare)
        expect([...sorted]).toEqual(numbers.toSorted(compare))
      },
    ),
    { seed: 2, numRuns: 500 },
  )
})

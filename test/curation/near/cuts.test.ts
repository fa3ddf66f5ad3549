import fc from "fast-check"
import { expect, test } from "vitest"
import { chooseShingles } from "../../../src/curation/near/cuts.ts"
import { foldForComparison, isSign } from "../../../src/curation/text/normalise.ts"

test("plain texts are as long and as short as they are by their folded words", () => {
  const plain = fc.string({ unit: fc.constantFrom(..."aZ09 \t\n.,-'_#e"), minLength: 1, maxLength: 400 })
  const isLong = (text: string) =>
    foldForComparison(text)
      .split(" ")
      .filter((token) => !isSign(token)).length >= 32
  fc.assert(
    fc.property(plain, (text) => {
      expect(chooseShingles([text])).toBe(isLong(text) ? "word-5" : "char-4")
    }),
    { seed: 3, numRuns: 200 },
  )
})

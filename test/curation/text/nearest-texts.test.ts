import fc from "fast-check"
import { expect, it } from "vitest"
import { nearestTexts } from "../../../src/curation/text/nearest-texts.ts"

const texts = [
  "where is my parcel",
  "my parcel has not arrived",
  "I was charged twice",
  "the kettle does not heat",
  "12345",
]

it("finds what is said in nearly the same words", () => {
  const [first, second] = nearestTexts(texts).find("where is the parcel of mine", 2)
  expect(first?.place).toBe(0)
  expect(second?.place).toBe(1)
  expect(first?.similarity).toBeGreaterThan(second?.similarity ?? 1)
})

it("finds nothing where nothing is shared, in an empty list or for an empty text", () => {
  expect(nearestTexts(texts).find("zzzz qqqq", 3)).toEqual([])
  expect(nearestTexts([]).find("where", 3)).toEqual([])
  expect(nearestTexts(texts).find("", 3)).toEqual([])
})

it("a text of the list is the nearest to itself, with similarity 1", () => {
  const sentence = fc
    .array(fc.constantFrom("parcel", "late", "refund", "kettle", "blue", "where"), { minLength: 1, maxLength: 6 })
    .map((words) => words.join(" "))
  fc.assert(
    fc.property(fc.uniqueArray(sentence, { minLength: 1, maxLength: 12 }), (list) => {
      const index = nearestTexts(list)
      for (const text of list) expect(index.find(text, 1)[0]?.similarity).toBeCloseTo(1, 9)
    }),
  )
})

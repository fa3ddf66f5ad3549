import fc from "fast-check"
import { expect, test } from "vitest"
import { NgramIndex } from "../../src/curation/ngram-overlap.ts"

test("finds a run of n folded words anywhere, and no shorter one", () => {
  const index = new NgramIndex(5)
  index.add("long", "Please tell me: where is my new card?")
  expect(index.find("hello, WHERE is my new card today")).toBe("long")
  expect(index.find("hello where is my new phone today")).toBeUndefined()
})

test("does not index a text shorter than n words", () => {
  const index = new NgramIndex(5)
  index.add("short", "where is my card")
  expect(index.find("where is my card")).toBeUndefined()
})

test("names the smallest id, whatever the order", () => {
  const [first, second] = [new NgramIndex(3), new NgramIndex(3)]
  const held = [
    ["b", "one two three"],
    ["a", "nine one two three"],
    ["c", "seven eight nine"],
  ] as const
  for (const [id, text] of held) first.add(id, text)
  for (const [id, text] of held.toReversed()) second.add(id, text)
  expect([first.find("seven eight nine one two three"), second.find("seven eight nine one two three")]).toEqual(["a", "a"])
})

test("agrees with a search for every window of words", () => {
  const sentence = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 12 }).map((words) => words.join(" "))
  fc.assert(
    fc.property(sentence, sentence, (held, text) => {
      const index = new NgramIndex(4)
      index.add("x", held)
      const words = held.split(" ")
      const shares = words.some((_, start) => start + 4 <= words.length && ` ${text} `.includes(` ${words.slice(start, start + 4).join(" ")} `))
      expect(index.find(text) !== undefined).toBe(shares)
    }),
    { seed: 4, numRuns: 400 },
  )
})

import fc from "fast-check"
import minhash from "minhash"
import { describe, expect, test } from "vitest"
import { NearDuplicateIndex, clusters } from "../../../src/curation/holdout/near-duplicates.ts"
import { defaultThreshold, jaccard, shingler, shinglerNamed } from "../../../src/curation/near/shingles.ts"
import { fourGrams, similarityOf, textsWithCopies } from "../near/made-texts.ts"
import { seeded } from "../../seeded.ts"

const long = Array.from({ length: 60 }, (_, index) => `word${index}`).join(" ")

describe("shingles", () => {
  test("short texts and writing without spaces get characters, long texts words", () => {
    expect(shingler(["where is my card", "hi"]).name).toBe("char-4")
    expect(shingler([]).name).toBe("char-4")
    expect(shingler([long, long, "hi"]).name).toBe("word-5")
    expect(shingler([Array.from({ length: 40 }, () => "我的银行卡在取款机里被吞了怎么办呢").join("，")]).name).toBe(
      "char-4",
    )
    expect([defaultThreshold("char-4"), defaultThreshold("word-5")]).toEqual([0.7, 0.8])
  })
  test("are sorted and distinct, and one for a text that is too short", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        const set = shinglerNamed("char-4").of(text)
        expect(set.length).toBeGreaterThan(0)
        expect([...set]).toEqual([...new Set(set)].sort((a, b) => a - b))
      }),
      { seed: 3 },
    )
    expect(shinglerNamed("char-4").of("abc")).toHaveLength(1)
    expect(shinglerNamed("word-5").of("one two")).toHaveLength(1)
    expect(shinglerNamed("word-5").of("one two three four five six")).toHaveLength(2)
    expect(shinglerNamed("char-4").of("👍👎👍👎👍")).toHaveLength(4)
  })
  test("give the Jaccard similarity that sets of strings give", () => {
    const texts = textsWithCopies(60, 5)
    const { of } = shinglerNamed("char-4")
    for (const a of texts) for (const b of texts) expect(jaccard(of(a), of(b))).toBeCloseTo(similarityOf(a, b), 12)
  })
  test("give about the similarity that the npm package minhash estimates", () => {
    const texts = textsWithCopies(40, 11)
    const { of } = shinglerNamed("char-4")
    const estimates = texts.map((text) => {
      const sketch = new minhash.Minhash({ numPerm: 256 })
      for (const gram of fourGrams(text)) sketch.update(gram)
      return sketch
    })
    const differences = texts
      .slice(1)
      .map((text, index) =>
        Math.abs(jaccard(of(text), of(texts[0] ?? "")) - (estimates[index + 1]?.jaccard(estimates[0]) ?? NaN)),
      )
    const near = texts.flatMap((a, i) =>
      texts
        .slice(0, i)
        .flatMap((b, j) =>
          similarityOf(a, b) > 0.4
            ? [Math.abs(jaccard(of(a), of(b)) - (estimates[i]?.jaccard(estimates[j]) ?? NaN))]
            : [],
        ),
    )
    expect(near.length).toBeGreaterThan(5)
    // Four standard errors of 256 permutations are 0.125 at worst.
    expect(Math.max(...near, ...differences)).toBeLessThan(0.125)
  })
})

describe("NearDuplicateIndex", () => {
  test.each([0.5, 0.7, 0.85])("keeps what exhaustive greedy keep-first keeps, at threshold %d", (threshold) => {
    const texts = textsWithCopies(2000, 17)
    const grams = internedGrams(texts)
    const oracle: number[] = []
    const removedByOracle = new Set<number>()
    for (let index = 0; index < texts.length; index += 1) {
      if (oracle.some((kept) => jaccard(grams[index] as Uint32Array, grams[kept] as Uint32Array) >= threshold))
        removedByOracle.add(index)
      else oracle.push(index)
    }
    const index = new NearDuplicateIndex(texts, threshold)
    const removed = texts.flatMap((text, place) => {
      const near = index.findNear(text)
      if (near) {
        expect(near.similarity).toBeCloseTo(
          jaccard(grams[place] as Uint32Array, grams[Number(near.id)] as Uint32Array),
          12,
        )
        return [place]
      }
      index.add(String(place), text)
      return []
    })
    const agreed = removed.filter((place) => removedByOracle.has(place)).length
    expect(removedByOracle.size).toBeGreaterThan(150)
    expect(agreed / removed.length).toBeGreaterThanOrEqual(0.999)
    expect(agreed / removedByOracle.size).toBeGreaterThanOrEqual(0.999)
  })
  test("finds the most similar, of equals the smaller id", () => {
    const index = new NearDuplicateIndex(["a"], 0.5)
    index.add("c", "where is my new bank card")
    index.add("b", "Where is  my new bank CARD")
    index.add("a", "where is my new bank card now please")
    expect(index.findNear("where is my new bank card")).toEqual({ id: "b", similarity: 1 })
    expect(index.findNear("where is my new bank card!")?.id).toBe("b")
    expect(index.findNear("the weather is fine")).toBeUndefined()
  })
  test("asks a group alone", () => {
    const index = new NearDuplicateIndex(["a"])
    index.add("a", "where is my card", 7)
    expect(index.findNear("where is my card")).toBeUndefined()
    expect([...index.findAllNear("where is my card", { group: 7 })]).toEqual([{ id: "a", similarity: 1 }])
    expect([...index.findAllNear("where is my card", { group: 8 })]).toEqual([])
  })
  test("works at the ends of the threshold", () => {
    const exact = new NearDuplicateIndex(["a"], 1)
    exact.add("a", "where is my card")
    expect(exact.findNear("Where is  my card")?.id).toBe("a")
    for (const other of ["where is my cards", "where is my card?"]) expect(exact.findNear(other)).toBeUndefined()
    const loose = new NearDuplicateIndex(["a"], 0.05)
    loose.add("a", "where is my card")
    expect(loose.findNear("where was the postman")?.id).toBe("a")
  })
})

describe("clusters", () => {
  test("are the connected components, in the same order for any order of items", () => {
    const texts = textsWithCopies(300, 23)
    const items = texts.map((text, place) => ({ id: `i${String(place).padStart(3, "0")}`, text }))
    const grams = internedGrams(texts)
    const component = items.map((_, place) => place)
    for (let i = 0; i < items.length; i += 1)
      for (let j = 0; j < i; j += 1)
        if (jaccard(grams[i] as Uint32Array, grams[j] as Uint32Array) >= 0.7) {
          const [from, to] = [component[i], component[j]]
          for (const [place, value] of component.entries()) if (value === from) component[place] = to as number
        }
    const expected = [
      ...Map.groupBy(
        items.map(({ id }, place) => ({ id, place })),
        ({ place }) => component[place],
      ).values(),
    ].map((group) => group.map(({ id }) => id))
    expect(clusters(items)).toEqual(expected)
    expect(expected.length).toBeLessThan(items.length - 20)
    const random = seeded(3)
    const shuffled = items
      .map((item) => ({ item, place: random() }))
      .sort((a, b) => a.place - b.place)
      .map(({ item }) => item)
    expect(clusters(shuffled)).toEqual(expected)
  })
  test("of nothing are none", () => expect(clusters([])).toEqual([]))
})

/** Sets of 4-grams as sorted numbers, each gram one number: no hashing, so no collisions. */
function internedGrams(texts: readonly string[]): Uint32Array[] {
  const numbers = new Map<string, number>()
  return texts.map((text) =>
    Uint32Array.from(fourGrams(text), (gram) => numbers.get(gram) ?? numbers.set(gram, numbers.size).size - 1).sort(),
  )
}

import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { cosinePairs } from "../../../src/curation/near/cosine.ts"
import { semanticDuplicates } from "../../../src/curation/version/semantic-duplicates.ts"
import { vectorOfText, vectorToText } from "../../../src/core/asking/embedding.ts"
import { labelTask, rowOf } from "../near/made-texts.ts"
import { seeded } from "../../seeded.ts"

function unit(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values) || 1
  return Float32Array.from(values, (value) => value / length)
}

/** Vectors of which some are near others. */
function madeVectors(count: number, dimensions: number, seed: number): Float32Array[] {
  const random = seeded(seed)
  const vectors: number[][] = []
  while (vectors.length < count) {
    const from = random() < 0.5 ? vectors[Math.floor(random() * vectors.length)] : undefined
    const noise = random() * 0.8
    vectors.push(
      Array.from({ length: dimensions }, (_, place) => (from?.[place] ?? 0) + (from ? noise : 1) * (random() - 0.5)),
    )
  }
  return vectors.map(unit)
}

describe("pairs by cosine", () => {
  test("are those of every comparison made in full, across blocks and in any number of dimensions", () => {
    let seen = 0
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 0, max: 90 }),
        (seed, dimensions, count) => {
          const vectors = madeVectors(count, dimensions, seed)
          const others = madeVectors(20, dimensions, seed + 1)
          const full = (a: Float32Array, b: Float32Array) =>
            a.reduce((sum, value, place) => sum + value * (b[place] as number), 0)
          const expected = vectors.flatMap((a, row) =>
            vectors.slice(0, row).flatMap((b, column) => (full(a, b) > 0.9 ? [[row, column]] : [])),
          )
          const found = cosinePairs(vectors, vectors, 0.9, (row) => row)
          // Right at the threshold rounding decides.
          const sure = (pairs: readonly (readonly number[])[]) =>
            pairs.filter(
              ([a, b]) =>
                Math.abs(full(vectors[a as number] as Float32Array, vectors[b as number] as Float32Array) - 0.9) > 1e-5,
            )
          expect(sure(found.map(({ a, b }) => [a, b]))).toEqual(sure(expected))
          for (const { a, b, cosine } of found)
            expect(cosine).toBeCloseTo(full(vectors[a] as Float32Array, vectors[b] as Float32Array), 5)
          const across = cosinePairs(vectors, others, -1)
          expect(across).toHaveLength(count * 20)
          seen += found.length
        },
      ),
      { seed: 6, numRuns: 60 },
    )
    expect(seen).toBeGreaterThan(200)
  })
  test("go over several blocks on both sides, whatever the threshold", () => {
    const vectors = madeVectors(2300, 7, 3)
    const others = madeVectors(1100, 7, 4)
    const cosine = (a: number, b: number) =>
      (vectors[a] as Float32Array).reduce((sum, value, place) => sum + value * (others[b]?.[place] as number), 0)
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 2300 }),
        fc.integer({ min: 0, max: 1100 }),
        (threshold, rows, columns) => {
          const expected: number[][] = []
          for (let a = 0; a < rows; a += 1)
            for (let b = 0; b < columns - (a % 9); b += 1)
              if (cosine(a, b) >= threshold) expected.push([a, b, Math.min(1, cosine(a, b))])
          const found = cosinePairs(
            vectors.slice(0, rows),
            others.slice(0, columns),
            threshold,
            (row) => columns - (row % 9),
          )
          expect(found.map(({ a, b, cosine }) => [a, b, cosine])).toEqual(expected)
        },
      ),
      { seed: 6, numRuns: 8 },
    )
    const within = cosinePairs(vectors, vectors, 0.999, (row) => row)
    expect(within.length).toBeGreaterThan(20)
    expect(cosinePairs(vectors, vectors, 0.999).filter(({ a, b }) => b < a)).toEqual(within)
  })
  test("are equally near where their vectors are equal, wherever those stand in a block", () => {
    const [vector, other] = madeVectors(2, 384, 5) as [Float32Array, Float32Array]
    const near = unit([...vector].map((value, place) => value + 0.1 * (other[place] as number)))
    const filler = madeVectors(600, 384, 6)
    const columns = [...filler, near, ...filler.slice(0, 3), near, near]
    const found = cosinePairs([vector], columns, 0.99)
    expect(found.map(({ b }) => b)).toEqual([600, 604, 605])
    expect(new Set(found.map(({ cosine }) => cosine)).size).toBe(1)
  })
  test("need vectors of one length", () => {
    expect(() => cosinePairs([unit([1, 2])], [unit([1, 2, 3])], 0.5)).toThrow("2 and of 3 dimensions")
    expect(cosinePairs([], [], 0.5)).toEqual([])
  })
})

test("a vector comes back from its text with its direction", () => {
  for (const vector of [...madeVectors(5, 1000, 1), Float32Array.from([30, -40])]) {
    const back = vectorOfText(vectorToText(vector))
    expect(cosinePairs([unit([...vector])], [back], 0.99999)).toHaveLength(1)
    expect(Math.hypot(...back)).toBeCloseTo(1, 5)
  }
  expect([...vectorOfText(vectorToText(new Float32Array(3)))]).toEqual([0, 0, 0])
})

describe("duplicates in other words", () => {
  const at = (degrees: number) => unit([Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)])
  const rows = [
    rowOf("ex_1", "a"),
    rowOf("ex_2", "b"),
    rowOf("ex_3", "c"),
    rowOf("ex_4", "d", "shipping"),
    rowOf("ex_5", "e"),
  ]
  const find = (drop: boolean) =>
    semanticDuplicates({
      task: labelTask,
      train: rows,
      heldOut: [{ id: "ex_h" }],
      // 3 is near 2 but not near 1; 4 is near 1 and has another output; 5 is near what is held out.
      vectors: { train: [0, 9, 18, 2, 90].map(at), heldOut: [at(95)] },
      threshold: Math.cos((10 * Math.PI) / 180),
      drop,
    })
  test("are told, and stay", () => {
    const found = find(false)
    expect(found.duplicates.map(({ row, witness }) => [row, witness])).toEqual([
      ["ex_2", "ex_1"],
      ["ex_3", "ex_2"],
    ])
    expect(found.nearHeldOut).toEqual([{ row: "ex_5", witness: "ex_h", similarity: 0.9962 }])
    expect(found.kept).toEqual(rows)
    expect(found.dropped).toEqual([])
  })
  test("leave when that is asked, each for a row that stays", () => {
    const found = find(true)
    expect(found.dropped.map(({ id, reason, witness }) => [id, reason, witness])).toEqual([
      ["ex_2", "semantic-duplicate", "ex_1"],
      ["ex_5", "leak-embedding", "ex_h"],
    ])
    expect(found.kept.map(({ id }) => id)).toEqual(["ex_1", "ex_3", "ex_4"])
  })
})

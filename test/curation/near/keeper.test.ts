import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { FewSets } from "../../../src/curation/near/few-sets.ts"
import { Keeper, type KeeperRules, type Verdict } from "../../../src/curation/near/keeper.ts"
import type { SketchedRow } from "../../../src/curation/near/kept-rows.ts"
import { SetList } from "../../../src/curation/near/set-list.ts"
import { SimilarSets } from "../../../src/curation/near/similar-sets.ts"
import { bands, jaccard, shareKey, sketchOf } from "./made-sketches.ts"

const threshold = 0.6

interface Row {
  readonly hashes: readonly number[]
  readonly output: number
}

// Of so few hashes that many rows are as near to one kept row as to another, which are not near each other. All have
// the least two: they share keys.
const sets = fc.subarray([3, 4, 5, 6, 7, 8, 9, 10, 11], { minLength: 1 }).map((some) => [1, 2, ...some])
const rows = fc.array(fc.record({ hashes: sets, output: fc.integer({ min: 1, max: 3 }) }), {
  minLength: 20,
  maxLength: 40,
})
const byNumber = (a: number, b: number) => a - b
/** Equal sets are equal texts. */
const textOf = (row: Row) => [...new Set(row.hashes)].sort(byNumber).join(" ")
/** The outputs 1 and 2 say the same in other words. */
const isAlike = (a: number, b: number) => a + b === 3

function sketchedRow(row: Row, texts: Map<string, number>): SketchedRow {
  const sketch = sketchOf(row.hashes)
  const text = texts.get(textOf(row)) ?? texts.set(textOf(row), texts.size).size - 1
  return {
    ...sketch,
    numbers: Int32Array.from([...sketch.numbers, text, 0, row.output, 0]),
    prints: sketch.numbers.length,
  }
}

/** The rule without an index: what a row is compared with, and what follows. */
function plainVerdicts(rows: readonly Row[], { order, onePerText, agree }: KeeperRules): Verdict[] {
  const kept: number[] = []
  return rows.map((row, number): Verdict => {
    const near = kept
      .map((other) => ({ other, similarity: jaccard(row.hashes, rows[other]?.hashes ?? []) }))
      .filter(
        ({ other, similarity }) =>
          similarity >= threshold && shareKey(sketchOf(row.hashes), sketchOf(rows[other]?.hashes ?? [])),
      )
    const agrees = ({ other }: { other: number }) =>
      rows[other]?.output === row.output || agree?.(other, number) === true
    const best = (found: typeof near) =>
      found.toSorted((a, b) => b.similarity - a.similarity || (order ?? byNumber)(a.other, b.other))[0]
    const same = near.find(({ similarity }) => onePerText !== undefined && similarity === 1)
    if (same !== undefined)
      return {
        isKept: false,
        reason: agrees(same) ? "exact-duplicate" : "conflict",
        witness: same.other,
        similarity: 1,
      }
    const agreeing = order === undefined ? near.find(agrees) : best(near.filter(agrees))
    if (agreeing !== undefined) {
      const { other: witness, similarity } = agreeing
      return { isKept: false, reason: similarity === 1 ? "exact-duplicate" : "near-duplicate", witness, similarity }
    }
    kept.push(number)
    const differing = best(near)
    return differing === undefined
      ? { isKept: true, reason: undefined, witness: -1, similarity: 0 }
      : { isKept: true, reason: "conflict", witness: differing.other, similarity: differing.similarity }
  })
}

// Numbers in no order, as rows of a build have them among its ids.
const scrambled = (a: number, b: number) => ((a * 7) % 41) - ((b * 7) % 41)
const onePerText = { mostRows: 40 }

describe.each<[string, KeeperRules]>([
  ["the first that agrees", {}],
  ["one that agrees, each text looked at once", { eachTextOnce: true }],
  ["the most similar that agrees", { order: scrambled }],
  ["the most similar that agrees, one row of a text", { order: scrambled, onePerText }],
  ["one row of a text, with an output each", { order: scrambled, onePerText, outputsAreMany: true }],
])("a row is dropped for %s", (_, rules) => {
  test.each([
    ["few sets", () => new FewSets(threshold, bands)],
    ["a list of sets", () => new SetList(threshold, bands)],
    ["sets by their keys", () => new SimilarSets(threshold, bands)],
  ] as const)("of %s: verdict, witness and conflict are those of the plain rule", (name, make) => {
    fc.assert(
      fc.property(rows, (offered) => {
        const keeper = new Keeper(make(), rules)
        const texts = new Map<string, number>()
        const verdicts = offered.map((row, number) => keeper.offer(sketchedRow(row, texts), number))
        const plain = plainVerdicts(offered, rules)
        // Which of several is met first depends on how the sets lie.
        const isInOrder = name === "few sets" && rules.eachTextOnce !== true
        const told = rules.order === undefined && !isInOrder ? outcomes : <Whole>(all: Whole) => all
        expect(told(verdicts)).toEqual(told(plain))
      }),
      { seed: 7, numRuns: 300 },
    )
  })
})

const outcomes = (verdicts: readonly Verdict[]) => verdicts.map(({ isKept }) => isKept)

test("outputs that say the same agree, and equal outputs do not come before them", () => {
  const outputs = (offered: readonly Row[]) => (kept: number, row: number) =>
    isAlike(offered[kept]?.output ?? 0, offered[row]?.output ?? 0)
  fc.assert(
    fc.property(rows, (offered) => {
      const rules = { order: scrambled, onePerText, agree: outputs(offered) }
      const keeper = new Keeper(new FewSets(threshold, bands), rules)
      const texts = new Map<string, number>()
      const verdicts = offered.map((row, number) => keeper.offer(sketchedRow(row, texts), number))
      expect(verdicts).toEqual(plainVerdicts(offered, rules))
    }),
    { seed: 8, numRuns: 300 },
  )
})

test("of one text with as many outputs as rows each row is looked at once, and a witness has its output", () => {
  const hashes = [1, 2, 3, 4]
  const texts = new Map<string, number>()
  const sets = new SimilarSets(threshold, bands)
  let looks = 0
  const counted: SimilarSets["visit"] = (sketch, visit, question) =>
    sets.visit(sketch, (place, similarity) => ++looks > 0 && visit(place, similarity), question)
  const search = { visit: counted, add: sets.add.bind(sets), addAgain: sets.addAgain.bind(sets) }
  const keeper = new Keeper(search, { eachTextOnce: true })
  for (let number = 0; number < 2000; number += 1) {
    const { isKept, witness } = keeper.offer(sketchedRow({ hashes, output: number }, texts), number)
    expect([isKept, witness]).toEqual([true, number === 0 ? -1 : 0])
  }
  for (const near of [hashes, [1, 2, 3, 4, 5]]) {
    const verdict = keeper.offer(sketchedRow({ hashes: near, output: 1234 }, texts), 2000)
    expect(verdict).toMatchObject({ isKept: false, witness: 1234 })
  }
  expect(looks).toBeLessThan(2100)
})

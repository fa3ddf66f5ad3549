import fc from "fast-check"
import { expect, test } from "vitest"
import { leakReport } from "../../../src/curation/leaks/leak-report.ts"
import { curate, labelTask, rowOf, similarityOf, textsWithCopies } from "../near/made-texts.ts"

const report = (
  bodies: Record<string, string>,
  held: Record<string, string>,
  heldOutIds: ReadonlySet<string> = new Set(),
  parents: readonly string[] = [],
) =>
  leakReport({
    task: labelTask,
    train: Object.entries(bodies).map(([id, body]) =>
      rowOf(id, body, "billing", { provenance: { parents, strategy: "evolve", acceptedBy: "ann" } }),
    ),
    heldOut: Object.entries(held).map(([id, body]) => ({ id, input: { body } })),
    heldOutIds,
    ngram: 5,
  })

test("says which checks ran, also when nothing is held out", () => {
  expect(report({ ex_1: "where is it" }, {})).toEqual({ checks: ["lineage", "exact", "near", "ngram"], found: [] })
})

test("finds each kind of leak", () => {
  const held = { ex_h: "where is my parcel number nine" }
  expect(report({ ex_1: "Where is  my parcel number NINE" }, held).found).toEqual([
    { check: "exact", train: "ex_1", heldOut: "ex_h" },
    { check: "near", train: "ex_1", heldOut: "ex_h", similarity: 1 },
    { check: "ngram", train: "ex_1", heldOut: "ex_h" },
  ])
  expect(report({ ex_1: "hello there my dear friend, where is my parcel number please" }, held).found).toEqual([
    { check: "ngram", train: "ex_1", heldOut: "ex_h" },
  ])
  expect(report({ ex_1: "something else" }, held, new Set(["seed_4"]), ["seed_2", "seed_4"]).found).toEqual([
    { check: "lineage", train: "ex_1", heldOut: "seed_4" },
  ])
  expect(report({ ex_4: "something else" }, held, new Set(["seed_4"])).found).toEqual([
    { check: "lineage", train: "ex_4", heldOut: "seed_4" },
  ])
})

test("names the most similar held-out row, of equals the smaller id, whatever the order", () => {
  const text = "my new bank card has not arrived after two weeks"
  const held = {
    c: "my new bank card has not arrived after two weeks now",
    b: "My new bank card has not arrived after two weeks",
    a: "my new  bank card has not arrived after two weeks",
  }
  expect(report({ ex_1: text }, held).found.filter(({ check }) => check === "near")).toEqual([
    { check: "near", train: "ex_1", heldOut: "a", similarity: 1 },
  ])
  expect(report({ ex_1: text }, Object.fromEntries(Object.entries(held).reverse()))).toEqual(
    report({ ex_1: text }, held),
  )
})

test("finds the near pairs that brute force finds, and none in what was curated", () => {
  let leaks = 0
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), (seed) => {
      const texts = textsWithCopies(120, seed)
      const heldOut = texts.slice(0, 30).map((body, place) => ({ id: `h${place}`, input: { body } }))
      const train = texts.slice(30).map((body, place) => rowOf(`ex_${place}`, body))
      const expected = train
        .filter((row) => heldOut.some((held) => similarityOf(String(row.input["body"]), held.input.body) >= 0.7))
        .map(({ id }) => id)
      const { found } = leakReport({ task: labelTask, train, heldOut, ngram: 13 })
      expect(found.filter(({ check }) => check === "near").map(({ train: id }) => id)).toEqual(expected.sort())
      leaks += expected.length
      const { kept } = curate({ task: labelTask, candidates: train, heldOut, ngram: 13, maxLength: 1000 })
      expect(leakReport({ task: labelTask, train: kept, heldOut, ngram: 13 }).found).toEqual([])
    }),
    { seed: 7, numRuns: 15 },
  )
  expect(leaks).toBeGreaterThan(100)
})

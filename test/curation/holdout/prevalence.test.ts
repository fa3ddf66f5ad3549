import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  countStrata,
  prevalencePlan,
  wantedOf,
  wantedText,
  weightsFor,
  type Stratum,
} from "../../../src/curation/holdout/prevalence.ts"
import { taskSchema } from "../../../src/core/task/task.ts"

const task = (prevalence?: Record<string, number>) =>
  taskSchema.parse({
    task: "triage",
    kind: "label",
    description: "Which team",
    input: { body: {} },
    output: { labels: { a: "a", b: "b", c: "c" }, ...(prevalence ? { prevalence } : {}) },
  })
const strataOf = (counts: Record<string, number>) =>
  new Map<string, Stratum>(Object.entries(counts).map(([label, rows]) => [label, { labels: label.split("+"), rows }]))
const shareWith = (label: string, strata: ReadonlyMap<string, Stratum>, weights: Record<string, number>) => {
  const mass = (isWanted: (labels: readonly string[]) => boolean) =>
    [...strata].reduce((sum, [name, { labels, rows }]) => sum + (isWanted(labels) ? rows * (weights[name] ?? 0) : 0), 0)
  return mass((labels) => labels.includes(label)) / mass(() => true)
}

describe("the plan of a version", () => {
  test("says how many rows of each label are wanted, and weighs what is there", () => {
    const outputs = [...Array(50).fill("a"), ...Array(40).fill("b"), ...Array(10).fill("c")]
    const plan = prevalencePlan(task({ a: 0.2, b: 0.5, c: 0.3 }), countStrata(task(), outputs))
    expect(plan?.targets).toEqual({
      a: { share: 0.2, rows: 50, wanted: 0 },
      b: { share: 0.5, rows: 40, wanted: 10 },
      c: { share: 0.3, rows: 10, wanted: 20 },
    })
    expect(plan?.weights).toEqual({ a: 0.4, b: 1.25, c: 3 })
    expect(wantedText(wantedOf(plan?.targets))).toBe("20 more c, 10 more b")
    expect(wantedOf(undefined)).toEqual({})
    expect(prevalencePlan(task(), countStrata(task(), outputs))).toBeUndefined()
  })
  test("leaves out of the weights a label without a row, and holds a rare one", () => {
    const prevalence = { a: 0.2, b: 0.3, c: 0.5 }
    const strata = strataOf({ a: 10, b: 10 })
    const weights = weightsFor(prevalence, strata)
    expect(shareWith("a", strata, weights)).toBeCloseTo(0.4, 5)
    const rare = strataOf({ a: 199, b: 0.5, c: 1 })
    expect(weightsFor({ a: 0.1, b: 0.1, c: 0.8 }, rare)["c"]).toBe(10)
    expect(weightsFor(prevalence, new Map())).toEqual({})
  })
  test("gives single labels their true shares, with a mean of 1", () => {
    const share = fc.integer({ min: 5, max: 60 })
    const rows = fc.integer({ min: 20, max: 60 })
    fc.assert(
      fc.property(fc.tuple(share, share, share), fc.tuple(rows, rows, rows), (shares, counts) => {
        const sum = shares[0] + shares[1] + shares[2]
        const prevalence = { a: shares[0] / sum, b: shares[1] / sum, c: shares[2] / sum }
        const strata = strataOf({ a: counts[0], b: counts[1], c: counts[2] })
        const weights = weightsFor(prevalence, strata)
        const all = counts[0] + counts[1] + counts[2]
        for (const [label, wanted] of Object.entries(prevalence))
          expect(shareWith(label, strata, weights)).toBeCloseTo(wanted, 4)
        expect(
          [...strata].reduce((total, [name, stratum]) => total + stratum.rows * (weights[name] ?? 0), 0) / all,
        ).toBeCloseTo(1, 4)
      }),
      { seed: 2, numRuns: 200 },
    )
  })
  test("gives several labels at once their true shares, whatever the order of the strata", () => {
    const strata = strataOf({ a: 30, b: 20, "a+b": 10, "b+c": 15, c: 25, none: 40 })
    const prevalence = { a: 0.1, b: 0.4, c: 0.2 }
    const weights = weightsFor(prevalence, strata)
    for (const [label, share] of Object.entries(prevalence))
      expect(shareWith(label, strata, weights)).toBeCloseTo(share, 5)
    expect(weightsFor(prevalence, new Map([...strata].reverse()))).toEqual(weights)
  })
})

test.each([
  [{ a: 0.5, b: 0.5 }, "has no share for c"],
  [{ a: 0.5, b: 0.3, c: 0.3 }, "add up to 1.1"],
  [{ a: 0.5, b: 0.3, c: 0.1, d: 0.1 }, "is no label; allowed: a, b, c"],
])("a specification with the shares %j is refused", (prevalence, message) => {
  expect(() => task(prevalence as unknown as Record<string, number>)).toThrow(message)
})

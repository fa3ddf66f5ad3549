import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { apportion } from "../../../src/curation/holdout/apportion.ts"
import { assignSplits, labelsUntested, type Arrival } from "../../../src/curation/holdout/assign-splits.ts"
import { clusters } from "../../../src/curation/holdout/near-duplicates.ts"
import { digest } from "../../../src/core/canonical.ts"
import type { Assignment, Split } from "../../../src/core/rows/example.ts"
import { textsWithCopies } from "../near/made-texts.ts"
import { seeded } from "../../seeded.ts"

// 64 hex digits each: no two are near.
const distinct = (id: string) => digest(id)
const arrivals = (count: number, stratum: string, prefix = stratum) =>
  Array.from({ length: count }, (_, place) => ({
    id: `${prefix}-${place}`,
    text: distinct(`${prefix}${place}`),
    stratum,
  }))
const assign = (
  given: readonly Arrival[],
  testNeeded: number,
  existing: readonly Assignment[] = [],
  existingItems: readonly { id: string; text: string }[] = [],
) => assignSplits({ arrivals: given, existing, existingItems, testNeeded, key: "triage" })
const sizes = (assignments: readonly Assignment[]) =>
  (["train", "validation", "test"] as const).map(
    (split) => assignments.filter((assignment) => assignment.split === split).length,
  )
const splitOf = (assignments: readonly Assignment[], id: string) =>
  assignments.find((assignment) => assignment.id === id)?.split

describe("sizes", () => {
  test("the test share follows from what the verdict needs, at most 60 %", () => {
    expect(sizes(assign(arrivals(100, "all"), 40))).toEqual([50, 10, 40])
    expect(sizes(assign(arrivals(100, "all"), 57))).toEqual([28, 15, 57])
    expect(sizes(assign(arrivals(100, "all"), 500))).toEqual([25, 15, 60])
    expect(sizes(assign(arrivals(100, "all"), 0))).toEqual([100, 0, 0])
    expect(sizes(assign([], 40))).toEqual([0, 0, 0])
  })
  test("spread over the strata by their sizes", () => {
    const assigned = assign([...arrivals(60, "a"), ...arrivals(30, "b"), ...arrivals(10, "c")], 40)
    expect(
      ["a", "b", "c"].map((stratum) => sizes(assigned.filter((assignment) => assignment.stratum === stratum))),
    ).toEqual([
      [30, 6, 24],
      [15, 3, 12],
      [5, 1, 4],
    ])
  })
  test("one example of a label goes to train and is untested, two go to train and test", () => {
    const assigned = assign(
      [...arrivals(20, "a"), ...arrivals(1, "b"), ...arrivals(2, "c"), ...arrivals(4, "unlabelled")],
      6,
    )
    expect(sizes(assigned.filter(({ stratum }) => stratum === "b"))).toEqual([1, 0, 0])
    expect(sizes(assigned.filter(({ stratum }) => stratum === "c"))).toEqual([1, 0, 1])
    expect(labelsUntested(assigned)).toEqual(["b"])
    expect(labelsUntested(assign(arrivals(1, "unlabelled"), 6))).toEqual([])
  })
  test("a label's second example, arriving later, goes to test", () => {
    const first = arrivals(1, "b", "first")
    const existing = assign(first, 6)
    expect(sizes(assign(arrivals(1, "b", "second"), 6, existing, first))).toEqual([0, 0, 1])
  })
  test("every label that can be tested is, even when the verdict needs fewer rows than there are labels", () => {
    const labels = ["a", "b", "c", "d", "e"]
    const assigned = assign(
      labels.flatMap((label) => arrivals(4, label)),
      2,
    )
    expect(labels.map((label) => sizes(assigned.filter(({ stratum }) => stratum === label))[2])).toEqual([
      1, 1, 1, 1, 1,
    ])
  })
  test("inputs without an answer are counted apart", () => {
    const assigned = assign([...arrivals(100, "a"), ...arrivals(1000, "unlabelled")], 40)
    expect(sizes(assigned.filter(({ stratum }) => stratum === "a"))).toEqual([50, 10, 40])
    expect(sizes(assigned.filter(({ stratum }) => stratum === "unlabelled"))).toEqual([950, 10, 40])
  })
  test("rows that no longer exist hold no place", () => {
    const gone: Assignment[] = arrivals(40, "all", "gone").map(({ id }) => ({ id, split: "test", stratum: "all" }))
    expect(sizes(assign(arrivals(100, "all"), 40, gone))).toEqual([50, 10, 40])
    const known = [...gone, { id: "all-0", split: "train" as const, stratum: "all" }]
    expect(assign(arrivals(100, "all"), 40, known).map(({ id }) => id)).not.toContain("all-0")
  })
  test("pairs of near-duplicates only: the sizes are met all the same", () => {
    const pairs = arrivals(30, "all").flatMap(({ id, text, stratum }) => [
      { id: `${id}-x`, text, stratum },
      { id: `${id}-y`, text: `${text}!`, stratum },
    ])
    const [train = 0, validation = 0, inTest = 0] = sizes(assign(pairs, 15))
    expect([train % 2, validation % 2, inTest % 2]).toEqual([0, 0, 0])
    expect(Math.abs(inTest - 15) + Math.abs(validation - 4)).toBeLessThanOrEqual(1)
  })
})

describe("near-duplicates", () => {
  const text = "my new bank card has not arrived after two weeks"
  test.each([
    [["train"], "train"],
    [["train", "validation"], "validation"],
    [["validation", "test", "train"], "test"],
  ] as [Split[], Split][])("follow members in %j to %s", (splits, expected) => {
    const items = splits.map((_, place) => ({ id: `old-${place}`, text: `${text}${"!".repeat(place)}` }))
    const existing = splits.map((split, place) => ({ id: `old-${place}`, split, stratum: "all" }))
    expect(assign([{ id: "new", text: `${text}.`, stratum: "all" }], 0, existing, items)).toEqual([
      { id: "new", split: expected, stratum: "all" },
    ])
  })
  test("a group much larger than what is missing is not held out", () => {
    const group = (prefix: string) =>
      arrivals(20, "a", prefix).map((arrival, place) => ({
        ...arrival,
        text: `${distinct(prefix)}${" ".repeat(place)}`,
      }))
    expect(sizes(assign([...group("first"), ...group("second"), ...arrivals(6, "a")], 8))).toEqual([40, 0, 6])
  })
  test("a whole label of near-duplicates goes to train", () => {
    const same = arrivals(6, "b").map((arrival, place) => ({ ...arrival, text: `${text}${".".repeat(place)}` }))
    const assigned = assign([...arrivals(50, "a"), ...same], 30)
    expect(sizes(assigned.filter(({ stratum }) => stratum === "b"))).toEqual([6, 0, 0])
    expect(labelsUntested(assigned)).toEqual(["b"])
  })
})

describe("for any arrivals", () => {
  const strata = ["billing", "shipping", "other", "unlabelled"]
  const made = (seed: number, count = 120): Arrival[] => {
    const random = seeded(seed)
    return textsWithCopies(count, seed).map((text, place) => ({
      id: `seed_${place}`,
      text,
      stratum: strata[Math.floor(random() ** 2 * 4)] as string,
    }))
  }
  const seeds = fc.integer({ min: 1, max: 1e9 })
  test("each gets one split, groups stay whole, and the order does not matter", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 90 }), (seed, testNeeded) => {
        const given = made(seed)
        const assigned = assign(given, testNeeded)
        expect(assigned.map(({ id, stratum }) => ({ id, stratum }))).toEqual(
          given.map(({ id, stratum }) => ({ id, stratum })).sort((a, b) => (a.id < b.id ? -1 : 1)),
        )
        for (const group of clusters(given)) expect(new Set(group.map((id) => splitOf(assigned, id))).size).toBe(1)
        const random = seeded(seed + 1)
        expect(
          assign(
            given
              .map((item) => ({ item, place: random() }))
              .sort((a, b) => a.place - b.place)
              .map(({ item }) => item),
            testNeeded,
          ),
        ).toEqual(assigned)
        for (const stratum of strata) {
          const [train = 0, validation = 0, inTest = 0] = sizes(
            assigned.filter((assignment) => assignment.stratum === stratum),
          )
          if (train + validation + inTest > 0) expect(train).toBeGreaterThan(0)
        }
      }),
      { seed: 8, numRuns: 40 },
    )
  })
  test("additions move nothing, follow their group and keep the sizes near the targets", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const all = made(seed, 160).map((arrival) => ({
          ...arrival,
          stratum: arrival.stratum === "unlabelled" ? "other" : arrival.stratum,
        }))
        const placed: Assignment[] = []
        for (const [from, to] of [
          [0, 60],
          [60, 61],
          [61, 110],
          [110, 160],
        ] as const) {
          const added = assign(all.slice(from, to), 70, placed, all.slice(0, from))
          expect(added.map(({ id }) => id).sort()).toEqual(
            all
              .slice(from, to)
              .map(({ id }) => id)
              .sort(),
          )
          for (const group of clusters(all.slice(0, to))) {
            const before = new Set(group.flatMap((id) => splitOf(placed, id) ?? []))
            const now = new Set(group.flatMap((id) => splitOf(added, id) ?? []))
            const expected = (["test", "validation", "train"] as const).find((split) => before.has(split))
            if (now.size > 0) expect([...now]).toEqual(expected ? [expected] : [...now].slice(0, 1))
          }
          placed.push(...added)
        }
        const [, validation = 0, inTest = 0] = sizes(placed)
        expect(Math.abs(inTest - 70)).toBeLessThanOrEqual(20)
        expect(Math.abs(validation - 18)).toBeLessThanOrEqual(12)
      }),
      { seed: 9, numRuns: 30 },
    )
  })
  test("the key decides who is held out", () => {
    const given = arrivals(60, "all")
    const held = (key: string) =>
      assignSplits({ arrivals: given, existing: [], existingItems: [], testNeeded: 30, key })
        .filter(({ split }) => split === "test")
        .map(({ id }) => id)
    expect(held("one")).not.toEqual(held("two"))
  })
})

describe("for the same rows as ever", () => {
  const heldAs = ["train", "validation", "test", "retired"] as const
  const given = (count: number, seed: number, strata: readonly string[], template = "") => {
    const random = seeded(seed)
    return textsWithCopies(count, seed).map((text, place) => ({
      id: `${random() < 0.2 ? "input" : "seed"}_${digest([seed, place]).slice(7, 23)}`,
      text: `${template}${text}`,
      stratum: strata[Math.floor(random() ** 3 * strata.length)] as string,
    }))
  }
  // A worn test set, a row that is gone, rows that came again, and one large group.
  const later = (count: number, seed: number, strata: readonly string[]) => {
    const all = given(count, seed, strata)
    const random = seeded(seed + 1)
    const [before, now] = [all.slice(0, count / 2), all.slice(count / 2)]
    const bucket = Array.from({ length: 30 }, (_, place) => ({
      id: `seed_c${place}`,
      text: `${digest(seed)}${"!".repeat(place)}`,
      stratum: "billing",
    }))
    return {
      arrivals: [...now, ...bucket, ...before.slice(0, 2)],
      existing: before.map(({ id, stratum }) => ({
        id,
        stratum,
        split: heldAs[Math.floor(random() ** 2 * 4)] ?? ("train" as const),
      })),
      existingItems: before.slice(3),
    }
  }
  const strata = ["billing", "shipping", "größer", "unlabelled", "", "a, b", "other"]
  const template = "Thank you for your message to our customer service, which we shall answer as soon as we can. "
  const none = { existing: [], existingItems: [] }
  test.each([
    ["few rows", { arrivals: given(150, 1, strata), ...none }, 40, "e7b0bbe11e437f"],
    [
      "a stratum a row",
      {
        arrivals: given(
          80,
          2,
          Array.from({ length: 80 }, (_, place) => `label-${place}`),
        ),
        ...none,
      },
      25,
      "89b5512eefa3a3",
    ],
    ["more than the verdict needs", { arrivals: given(2000, 3, strata), ...none }, 100, "d58c3c32e7f7d2"],
    ["a template", { arrivals: given(400, 4, strata, template), ...none }, 168, "71c36c885ecfd8"],
    ["arrivals beside others", later(600, 5, strata), 120, "441336f5c3bfdb"],
    ["arrivals beside many others", later(3000, 6, ["all", "unlabelled"]), 900, "10e602c2144da4"],
  ])("%s are held as they were", (_, rows, testNeeded, expected) => {
    const assigned = assignSplits({ ...rows, testNeeded, key: "triage" })
    expect(new Set(assigned.map(({ split }) => split)).size).toBe(3)
    expect(digest(assigned).slice(7, 21)).toBe(expected)
  })
})

describe("apportion", () => {
  const claim = (name: string, size: number, least = 0, most = size) => ({ name, size, least, most, tieBreak: name })
  test("is the largest remainder", () => {
    expect(
      Object.fromEntries(
        apportion(
          [claim("a", 47), claim("b", 16), claim("c", 15.8), claim("d", 12), claim("e", 6.1), claim("f", 3.1)],
          10,
        ),
      ),
    ).toEqual({ a: 5, b: 2, c: 1, d: 1, e: 1, f: 0 })
  })
  test("holds the bounds and the tie-break", () => {
    expect(Object.fromEntries(apportion([claim("b", 10), claim("a", 10)], 3))).toEqual({ a: 2, b: 1 })
    expect(Object.fromEntries(apportion([claim("a", 10, 0, 1), claim("b", 10, 4)], 4))).toEqual({ a: 0, b: 4 })
    expect(Object.fromEntries(apportion([claim("a", 2), claim("b", 3)], 50))).toEqual({ a: 2, b: 3 })
  })
})

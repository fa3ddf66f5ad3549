import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Decision } from "../../../src/core/rows/example.ts"
import { taskSchema } from "../../../src/core/task/task.ts"
import { agreementReport, ratedItems, type RatedItem } from "../../../src/evaluation/review/agreement.ts"
import {
  alphaInterval,
  cohensKappa,
  krippendorffsAlpha,
  masi,
  nominal,
  observedAgreement,
} from "../../../src/evaluation/statistics/reliability.ts"

/** Units from a line of values for each reviewer, a dot where there is none. */
const unitsOf = (...lines: string[]) =>
  Array.from({ length: lines[0]?.length ?? 0 }, (_, unit) =>
    lines.flatMap((line) => (line[unit] === "." ? [] : [line[unit] as string])),
  )

describe("Krippendorff's alpha", () => {
  it(
    "is that of the worked examples in his paper of 2011: binary, nominal, and four observers with missing " + "values",
    () => {
      expect(krippendorffsAlpha(unitsOf("0100000010", "1110010000"))).toBeCloseTo(0.095, 3)
      expect(krippendorffsAlpha(unitsOf("aabbdccceddaa".slice(0, 12), "babbbccceddd"))).toBeCloseTo(0.692, 3)
      const four = unitsOf(
        "12332141 2..".replace(" ", ""),
        "123322412 5.3".replace(" ", ""),
        ".3332342251.".slice(0, 12),
        "12332441251.",
      )
      expect(krippendorffsAlpha(four)).toBeCloseTo(0.743, 3)
    },
  )

  it(
    "does not change with the order of units, reviewers and names of values; is 1 for agreement throughout " +
      "and undefined for a single value",
    () => {
      const units = fc.array(fc.array(fc.constantFrom("x", "y", "z"), { minLength: 1, maxLength: 4 }), {
        maxLength: 20,
      })
      fc.assert(
        fc.property(units, (given) => {
          const alpha = krippendorffsAlpha(given)
          const other = krippendorffsAlpha(
            given.toReversed().map((unit) => unit.toReversed().map((value) => `${value}${value}`)),
          )
          expect(other === undefined).toBe(alpha === undefined)
          if (alpha !== undefined) expect(other).toBeCloseTo(alpha, 9)
          const agreed = krippendorffsAlpha(given.map(([value]) => [value as string, value as string]))
          if (agreed !== undefined) expect(agreed).toBe(1)
          if (alpha !== undefined) expect(alpha).toBeLessThanOrEqual(1)
        }),
      )
      expect([krippendorffsAlpha([]), krippendorffsAlpha([["x", "x"]]), krippendorffsAlpha([["x"], ["y"]])]).toEqual([
        undefined,
        undefined,
        undefined,
      ])
    },
  )

  it("has an interval around it that is the same for the same seed and narrows with more units", () => {
    const units = unitsOf("aabbdcccedda", "babbbccceddd")
    const few = alphaInterval(units, nominal)
    expect(alphaInterval(units, nominal)).toEqual(few)
    const alpha = krippendorffsAlpha(units) as number
    expect([few.low < alpha, alpha < few.high]).toEqual([true, true])
    const many = alphaInterval(Array.from({ length: 20 }, () => units).flat(), nominal)
    expect(many.high - many.low).toBeLessThan((few.high - few.low) / 2)
  })
})

it("MASI is Passonneau's: a subset counts two thirds, an overlap one third, of the Jaccard index", () => {
  const sets = (a: string[], b: string[]) => masi(JSON.stringify(a), JSON.stringify(b))
  expect(sets(["1", "2"], ["1", "2", "3", "4"])).toBeCloseTo(1 - 0.5 * (2 / 3), 12)
  expect(sets(["1", "2", "3"], ["2", "3", "4"])).toBeCloseTo(1 - 0.5 / 3, 12)
  expect([sets(["1"], ["2"]), sets(["1"], ["1"]), sets([], []), sets([], ["1"]), masi('["1"]', "reject")]).toEqual([
    1, 0, 0, 1, 1,
  ])
})

it("Cohen's kappa is that of the usual example: 0.4 for 20, 5, 10 and 15 of 50", () => {
  const times = (count: number, pair: [string, string]) => Array.from({ length: count }, () => pair)
  const pairs = [
    ...times(20, ["yes", "yes"]),
    ...times(5, ["yes", "no"]),
    ...times(10, ["no", "yes"]),
    ...times(15, ["no", "no"]),
  ]
  expect(cohensKappa(pairs)).toBeCloseTo(0.4, 12)
  expect(observedAgreement(pairs)).toBeCloseTo(0.7, 12)
  expect([cohensKappa([]), cohensKappa([["x", "x"]])]).toEqual([undefined, undefined])
})

describe("what to do about it", () => {
  const labels = { fault: "a", product: "b", account: "c" }
  const task = taskSchema.parse({ task: "t", kind: "label", description: "d", input: { body: {} }, output: { labels } })
  const item = (...values: (string | undefined)[]): RatedItem =>
    new Map(
      ["amara", "ben", "chidi"].flatMap((name, index) =>
        values[index] === undefined ? [] : [[name, JSON.stringify(values[index])] as const],
      ),
    )
  const times = (count: number, ...values: string[]) => Array.from({ length: count }, () => item(...values))

  it.each([
    ["nobody shares an item", [], /review\.reviewers/],
    ["they agree", [...times(20, "fault", "fault"), ...times(10, "product", "product")], /can be relied on/],
    ["they share few items", [...times(2, "fault", "fault"), ...times(2, "product", "product")], /4 shared items/],
    [
      "a pair of labels is unclear",
      [
        ...times(12, "fault", "product"),
        ...times(10, "product", "product"),
        ...times(10, "fault", "fault"),
        ...times(9, "account", "account"),
      ],
      /guideline is unclear.*fault and product \(12 items\)/,
    ],
    [
      "one decides differently",
      [
        ...times(15, "fault", "fault", "product"),
        ...times(15, "product", "product", "fault"),
        ...times(5, "account", "account", "account"),
      ],
      /^chidi decides differently/,
    ],
  ])("where %s", (_what, items, sentence) => {
    expect(agreementReport(task, items).advice).toMatch(sentence)
  })

  it("names each label with its own alpha, the worst first, and what was taken for what", () => {
    const report = agreementReport(task, [
      ...times(12, "fault", "product"),
      ...times(10, "product", "product"),
      ...times(10, "account", "account"),
    ])
    expect(report.labels.map(({ label }) => label)).toEqual(["fault", "product", "account"])
    expect(report.labels.at(-1)).toMatchObject({ items: 10, raw: 1, alpha: { value: 1 } })
    expect(report.confusions).toEqual([{ a: "fault", b: "product", items: 12 }])
    expect(report.pairs).toMatchObject([{ a: "amara", b: "ben", items: 32, raw: 20 / 32 }])
  })
})

describe("what counts as an opinion", () => {
  const decision = (more: Partial<Decision>): Decision => ({
    item: "cand_1",
    verdict: "accept",
    reviewer: "amara",
    guideline: "g",
    revision: "r",
    at: "2026-11-24T10:00:00Z",
    ...more,
  })
  const rated = (...decisions: Partial<Decision>[]) =>
    ratedItems(decisions.map(decision), () => "fault").map((item) => Object.fromEntries(item))

  it(
    "is the last word of each reviewer; accepting and writing the proposal are the same; a settled dispute, " +
      "another guideline and another revision are none",
    () => {
      expect(rated({ verdict: "reject" }, {}, { reviewer: "ben", verdict: "edit", output: "fault" })).toEqual([
        { amara: '"fault"', ben: '"fault"' },
      ])
      expect(rated({}, { reviewer: "ben", verdict: "reject" }, { reviewer: "chidi", settles: ["x"] })).toEqual([
        { amara: '"fault"', ben: "reject" },
      ])
      expect(rated({}, { reviewer: "ben", guideline: "other" })).toEqual([])
      expect(rated({}, { reviewer: "ben", revision: "other" })).toEqual([])
      expect(rated({})).toEqual([])
    },
  )
})

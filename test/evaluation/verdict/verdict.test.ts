import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { scoreContenders } from "../../../src/evaluation/scores/contenders.ts"
import { mcnemarExact } from "../../../src/evaluation/statistics/mcnemar.ts"
import { seededRandom } from "../../../src/evaluation/statistics/random.ts"
import { decide, type Finding, type VerdictRule } from "../../../src/evaluation/verdict/verdict.ts"
import accuracy from "../../../src/metrics/accuracy.ts"
import { labelTask, rightWhere } from "../scores/sample-rows.ts"

fc.configureGlobal({ seed: 20_261_124 })

const rule = labelTask().verdict
const margined: VerdictRule = { ...rule, margin: 0.05 }

/** A finding with the given wins and losses on so many rows, and both right on the given rest. */
function finding(
  rows: number,
  wins: number,
  losses: number,
  low: number,
  high: number,
  changes: Partial<Finding> = {},
): Finding {
  const both = Math.floor((rows - wins - losses) * 0.9)
  return {
    rule,
    metric: "accuracy",
    rows,
    tuned: (both + wins) / rows,
    incumbent: (both + losses) / rows,
    interval: { low, high },
    pValue: mcnemarExact({ wins, losses }),
    discordance: { wins, losses },
    ...changes,
  }
}

describe("decide", () => {
  it.each<[string, Finding, string]>([
    ["clearly better, enough rows", finding(180, 26, 6, 0.05, 0.17), "promote"],
    ["clearly better on few rows", finding(60, 17, 2, 0.13, 0.37), "promote"],
    ["interval above 0 but the exact test does not agree", finding(180, 12, 4, 0.001, 0.09), "undecided"],
    ["exact test agrees but the interval touches 0", finding(180, 14, 4, 0, 0.11), "undecided"],
    ["all wins, but five rows prove nothing", finding(5, 5, 0, 1, 1), "undecided"],
    ["six wins of six are enough for the exact test", finding(6, 6, 0, 1, 1), "promote"],
    ["ahead on enough rows, not shown", finding(200, 24, 16, -0.02, 0.1), "undecided"],
    ["behind on enough rows", finding(200, 20, 22, -0.07, 0.05), "reject"],
    ["equal on exactly enough rows", finding(168, 20, 20, -0.07, 0.07), "reject"],
    ["equal on one row too few", finding(167, 20, 20, -0.07, 0.07), "undecided"],
    ["clearly worse on few rows", finding(40, 1, 22, -0.7, -0.3), "reject"],
    ["one loss on few rows is no proof, though the interval ends at 0", finding(12, 0, 1, -0.25, 0), "undecided"],
    [
      "four losses of four, whose interval lies below 0 but whose test proves nothing",
      finding(6, 0, 4, -1, -0.17),
      "undecided",
    ],
    ["the same answers on few rows, an interval that is a point", finding(5, 0, 0, 0, 0), "undecided"],
    ["the same answers on enough rows", finding(200, 0, 0, 0, 0), "reject"],
    ["better, within the margin, enough rows", finding(900, 60, 45, -0.005, 0.04, { rule: margined }), "reject"],
    ["better, around the margin, enough rows", finding(900, 90, 40, 0.03, 0.08, { rule: margined }), "undecided"],
    [
      "low bound just at the margin does not exceed it",
      finding(900, 120, 40, 0.05, 0.12, { rule: margined }),
      "undecided",
    ],
    ["better than the margin", finding(900, 120, 40, 0.06, 0.12, { rule: margined }), "promote"],
    ["three wins of three, with a margin", finding(3, 3, 0, 1, 1, { rule: margined }), "undecided"],
    [
      "another metric, interval and test above 0",
      finding(180, 0, 0, 0.02, 0.2, { discordance: undefined, tuned: 0.8, incumbent: 0.7, pValue: 0.02 }),
      "promote",
    ],
    [
      "another metric, the test does not agree",
      finding(10, 0, 0, 0.02, 0.2, { discordance: undefined, tuned: 0.8, incumbent: 0.7, pValue: 0.12 }),
      "undecided",
    ],
    ["no rows", { ...finding(1, 0, 0, NaN, NaN), rows: 0, tuned: NaN, incumbent: NaN }, "undecided"],
    ["a metric that could not be computed", finding(200, 0, 0, NaN, NaN, { tuned: NaN }), "undecided"],
  ])("%s", (_, found, expected) => {
    expect(decide(found).verdict).toBe(expected)
  })

  it("promotes a model that is no better about as rarely as the confidence says, and sees a real gain about " +
    "as often as planned", () => {
    const task = labelTask({ bootstrap: 200 })
    const outcomes = (rows: number, gain: number) => {
      const random = seededRandom(21)
      const tests = 120
      let promoted = 0
      for (let test = 0; test < tests; test += 1) {
        const draws = Array.from({ length: rows }, () => random.next() / 2 ** 32)
        const tuned = rightWhere(draws.map((draw) => (draw < (0.2 + gain) / 2 || draw > 0.3 ? 1 : 0)))
        const incumbent = rightWhere(
          draws.map((draw) => ((draw >= (0.2 + gain) / 2 && draw < 0.2) || draw > 0.3 ? 1 : 0)),
        )
        const contenders = [
          { name: "tuned", rows: tuned, predictions: [] },
          { name: "few-shot", rows: incumbent, predictions: [] },
        ]
        const { contenders: scores, comparisons } = scoreContenders({
          task,
          contenders,
          metrics: [{ name: "accuracy", metric: accuracy, options: {} }],
          seed: test,
        })
        const [comparison] = comparisons
        if (!comparison) throw new Error("nothing was compared")
        const [first, second] = scores.map(({ metrics }) => metrics.accuracy?.value ?? NaN)
        const found = {
          rule: task.verdict,
          metric: "accuracy",
          rows,
          tuned: first ?? NaN,
          incumbent: second ?? NaN,
          interval: comparison,
          pValue: comparison.pValue,
          discordance: comparison.discordance,
        }
        if (decide(found).verdict === "promote") promoted += 1
      }
      return promoted / tests
    }
    expect(outcomes(60, 0)).toBeLessThan(0.05)
    expect(outcomes(168, 0)).toBeLessThan(0.05)
    expect(outcomes(168, 0.1)).toBeGreaterThan(0.7)
    expect(outcomes(168, 0.1)).toBeLessThan(0.88)
  }, 20_000)

  it("gives its reason for a domain expert", () => {
    expect(decide(finding(180, 26, 6, 0.05, 0.17)).reason).toBe(
      "Of 180 test examples the tuned model gets 159 right (88 %) and few-shot 139 (77 %): the tuned " +
        "model is 11.1 points better, and with 95 % confidence the true difference lies between 5 and 17 " +
        "points better. If the two were equally good, a difference this large would come up less than once " +
        "in 1,000 such tests.",
    )
    expect(decide(finding(40, 6, 3, -0.07, 0.22))).toMatchObject({
      reason:
        "There are too few test examples to tell. Of 40 test examples the tuned model gets 33 right (83 " +
        "%) and few-shot 30 (75 %): the tuned model is 7.5 points better, and with 95 % confidence the " +
        "true difference lies anywhere between 7 points worse and 22 points better. 40 test examples are " +
        "fewer than the 168 that the rule needs to see a gain of 10 points. If the difference seen here " +
        "is the true one, about 292 further test examples (332 in all) would show it.",
      power: { needed: 168, rows: 40, further: 292 },
    })
    expect(decide(finding(200, 20, 22, -0.07, 0.05)).reason).toMatch(
      /1 point worse, .* It is not better than few-shot on 200 test examples, where the rule needs 168: keep few-shot\.$/,
    )
    expect(decide(finding(5, 0, 0, 0, 0)).reason).toContain("no better and no worse, right on the very same examples.")
    expect(decide(finding(60, 17, 2, 0.13, 0.37)).reason).toContain(
      "60 test examples are fewer than the 168 that the rule needs to see a gain of 10 points, but this " +
        "gain is large enough to show.",
    )
  })

  it("says how many more examples would help, or that none would", () => {
    expect(decide(finding(40, 3, 4, -0.1, 0.1)).power.further).toBe(128)
    expect(decide(finding(900, 90, 40, 0.03, 0.08, { rule: margined })).power.further).toBeGreaterThan(0)
    expect(decide(finding(900, 60, 45, -0.005, 0.06, { rule: margined }))).toMatchObject({
      verdict: "undecided",
      power: { further: null },
    })
    const other = decide(
      finding(60, 0, 0, -0.04, 0.14, { discordance: undefined, tuned: 0.8, incumbent: 0.75, pValue: 0.3 }),
    )
    // By the normal approximation: (1.96 + 0.8416) standard errors of 0.09 / 1.96 must come down to 0.05.
    expect(other.power.further).toBe(Math.ceil(60 * ((2.80158 * (0.09 / 1.95996)) / 0.05) ** 2) - 60)
  })

  it("states the rule with its numbers", () => {
    expect(decide(finding(180, 26, 6, 0.05, 0.17)).rule).toBe(
      "Promote when the tuned model's accuracy is better than few-shot with 95 % confidence (the whole " +
        "paired bootstrap interval lies above 0 points, and the exact McNemar test gives p < 0.05). Reject " +
        "when it is worse with 95 % confidence, or when it is not better than few-shot on at least 168 test " +
        "examples, the number that shows a gain of 10 points 80 times in 100. Otherwise undecided.",
    )
    expect(decide(finding(180, 26, 6, 0.05, 0.17, { rule: { ...margined, confidence: 0.975 } })).rule).toMatch(
      /by more than 5 points with 97.5 % confidence .* above 5 points, .* p < 0.025/,
    )
  })

  it(
    "is plain data, never promotes what is not ahead, and never rejects what is ahead without a margin and " +
      "an interval above 0",
    () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 400 }),
          fc.nat(60),
          fc.nat(60),
          fc.double({ min: -1, max: 1, noNaN: true }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          (extra, wins, losses, low, width) => {
            const rows = extra + wins + losses
            const result = decide(finding(rows, wins, losses, low, low + width))
            expect(JSON.parse(JSON.stringify(result))).toEqual(result)
            if (wins <= losses && low <= 0) expect(result.verdict).not.toBe("promote")
            if (wins > losses && low > 1e-6) expect(result.verdict).not.toBe("reject")
            expect(result.reason).not.toMatch(/NaN|undefined|Infinity/)
          },
        ),
        { numRuns: 60 },
      )
    },
  )
})

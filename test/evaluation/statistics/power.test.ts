import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { mcnemarExact } from "../../../src/evaluation/statistics/mcnemar.ts"
import { detectableGain, powerAt, rowsNeeded } from "../../../src/evaluation/statistics/power.ts"
import { tooFewToTell } from "../../../src/evaluation/verdict/preflight.ts"
import { seededRandom } from "../../../src/evaluation/statistics/random.ts"
import { labelTask } from "../scores/sample-rows.ts"

fc.configureGlobal({ seed: 20_261_124 })

const rule = { expectedGain: 0.1, discordance: 0.2, confidence: 0.95, power: 0.8 }
const usual = fc
  .record({
    discordance: fc.constantFrom(0.1, 0.2, 0.35, 0.6, 1),
    share: fc.constantFrom(0.3, 0.5, 0.75, 1),
    confidence: fc.constantFrom(0.9, 0.95, 0.99),
    power: fc.constantFrom(0.6, 0.8, 0.9),
  })
  .map(({ discordance, share, confidence, power }) => ({
    expectedGain: discordance * share,
    discordance,
    confidence,
    power,
  }))

describe("powerAt", () => {
  it.each([
    { rows: 40, expectedGain: 0.2, discordance: 0.3 },
    { rows: 168, expectedGain: 0.1, discordance: 0.2 },
    { rows: 30, expectedGain: 0.5, discordance: 0.5 },
    { rows: 25, expectedGain: 0.3, discordance: 1 },
  ])(
    "agrees with a simulation of the test on $rows rows, gain $expectedGain, discordance $discordance",
    ({ rows, expectedGain, discordance }) => {
      const random = seededRandom(9)
      const trials = 6000
      const pValues = new Map<string, number>()
      let seen = 0
      for (let trial = 0; trial < trials; trial += 1) {
        let wins = 0
        let losses = 0
        for (let row = 0; row < rows; row += 1) {
          const draw = random.next() / 2 ** 32
          if (draw < (discordance + expectedGain) / 2) wins += 1
          else if (draw < discordance) losses += 1
        }
        const key = `${wins}:${losses}`
        const pValue = pValues.get(key) ?? mcnemarExact({ wins, losses })
        pValues.set(key, pValue)
        if (wins > losses && pValue < 0.05) seen += 1
      }
      const power = powerAt(rows, { expectedGain, discordance, confidence: 0.95 })
      // Four standard errors of the simulation.
      expect(Math.abs(seen / trials - power)).toBeLessThan(4 * Math.sqrt((power * (1 - power)) / trials) + 1e-9)
    },
  )

  it("is nothing below six rows at 95 %, where not even all wins suffice", () => {
    for (let rows = 0; rows < 6; rows += 1)
      expect(powerAt(rows, { expectedGain: 1, discordance: 1, confidence: 0.95 })).toBe(0)
    expect(powerAt(6, { expectedGain: 1, discordance: 1, confidence: 0.95 })).toBeCloseTo(1, 12)
  })

  it("falls with the margin, which is taken off the gain", () => {
    expect(powerAt(200, { ...rule, margin: 0.04 })).toBeCloseTo(powerAt(200, { ...rule, expectedGain: 0.06 }), 12)
  })
})

describe("rowsNeeded", () => {
  it("needs 168 test examples for a gain of 0.1 at discordance 0.2, 95 % confidence and 80 % power", () => {
    expect(rowsNeeded(rule)).toBe(168)
  })

  it("is the smallest number from which power holds for the next twenty too", () => {
    fc.assert(
      fc.property(usual, (wanted) => {
        const needed = rowsNeeded(wanted)
        fc.pre(needed < 600)
        const holds = Array.from({ length: needed + 21 }, (_, rows) => powerAt(rows, wanted) >= wanted.power)
        const smallest = holds.findIndex((_, rows) => holds.slice(rows, rows + 21).every(Boolean))
        expect(needed).toBe(smallest)
      }),
      { numRuns: 30 },
    )
  }, 15_000)

  it("hardly jumps where the normal approximation takes over", () => {
    const exact = rowsNeeded({ ...rule, expectedGain: 0.009 })
    const approximate = rowsNeeded({ ...rule, expectedGain: 0.0088 })
    expect(exact).toBeLessThan(20_000)
    expect(approximate).toBeGreaterThan(20_000)
    expect(Math.abs(approximate / exact / (0.009 / 0.0088) ** 2 - 1)).toBeLessThan(0.015)
  })

  it("is fast enough to ask anywhere", () => {
    rowsNeeded(rule)
    const before = performance.now()
    for (const expectedGain of [0.05, 0.08, 0.1, 0.15, 0.2]) rowsNeeded({ ...rule, expectedGain })
    expect((performance.now() - before) / 5).toBeLessThan(50)
  })

  it("refuses what is impossible", () => {
    expect(() => rowsNeeded({ ...rule, expectedGain: 0.3 })).toThrow(/0.3 is larger than the discordance, 0.2/)
    expect(() => rowsNeeded({ ...rule, margin: 0.1 })).toThrow(/does not exceed the margin/)
    expect(() => powerAt(10, { ...rule, expectedGain: 0.3 })).toThrow(RangeError)
  })
})

describe("detectableGain", () => {
  it("is the gain that rowsNeeded asks these rows for", () => {
    const gain = detectableGain(300, rule) ?? NaN
    expect(powerAt(300, { ...rule, expectedGain: gain })).toBeGreaterThanOrEqual(0.8)
    expect(powerAt(300, { ...rule, expectedGain: gain - 0.002 })).toBeLessThan(0.8)
  })

  it("is undefined when nothing possible would show", () => {
    expect(detectableGain(10, rule)).toBeUndefined()
  })
})

describe("tooFewToTell", () => {
  const verdict = labelTask().verdict

  it("says nothing from the number that the rule needs", () => {
    expect(tooFewToTell({ testRows: 168, rule: verdict })).toBeUndefined()
  })

  it("names the need, the chance, what would show and what to do", () => {
    expect(tooFewToTell({ testRows: 40, rule: verdict })).toBe(
      "40 test examples are too few to tell whether a tuned model is 10 points better: to see such a gain " +
        "80 times in 100 the rule needs 168; with 40 it is seen 17 times in 100. Only a gain of 19.6 points " +
        'or more would show. Add 128 gold examples to the test set, or expect the verdict "undecided".',
    )
    expect(tooFewToTell({ testRows: 1, rule: verdict })).toContain("1 test example is too few")
    expect(tooFewToTell({ testRows: 0, rule: verdict })).toContain("No gain that is possible")
  })
})

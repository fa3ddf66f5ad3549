import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { boundMetric, type ScoredRow } from "../../../src/core/contracts/metric.ts"
import { binomialAtLeast, binomialProbability } from "../../../src/evaluation/statistics/binomial.ts"
import { bootstrapIntervals, percentileInterval } from "../../../src/evaluation/statistics/bootstrap.ts"
import { holmAdjusted } from "../../../src/evaluation/statistics/holm.ts"
import { discordanceOf, mcnemarExact } from "../../../src/evaluation/statistics/mcnemar.ts"
import { normalQuantile } from "../../../src/evaluation/statistics/normal.ts"
import { signFlipPValue, swapPValue } from "../../../src/evaluation/statistics/permutation.ts"
import { seededRandom } from "../../../src/evaluation/statistics/random.ts"
import { wilsonInterval } from "../../../src/evaluation/statistics/wilson.ts"
import accuracy from "../../../src/metrics/accuracy.ts"
import macroF1 from "../../../src/metrics/macro-f1.ts"
import { labelTask, rightWhere, scored } from "../scores/sample-rows.ts"

fc.configureGlobal({ seed: 20_261_124 })

const task = labelTask()
const { value, rowScores } = boundMetric({ name: "accuracy", metric: accuracy, options: {} }, task)
const scores = fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 40 })
const pairs = fc.array(fc.tuple(fc.constantFrom(0, 1), fc.constantFrom(0, 1)), { minLength: 1, maxLength: 40 })

describe("seededRandom", () => {
  it("gives the numbers of xoshiro128** seeded by SplitMix32", () => {
    const random = seededRandom(1)
    expect([random.next(), random.next(), random.next(), random.next()]).toEqual([
      393288148, 2174103013, 3814759091, 2092745082,
    ])
  })

  it("spreads evenly below the bound", () => {
    const random = seededRandom(5)
    const counts = new Array<number>(10).fill(0)
    for (let draw = 0; draw < 100_000; draw += 1) {
      const cell = random.below(10)
      counts[cell] = (counts[cell] ?? NaN) + 1
    }
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)
    expect(chiSquare).toBeLessThan(27.9) // the 99.9 % point with 9 degrees of freedom
  })
})

describe("normalQuantile", () => {
  it.each([
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.8, 0.8416212335729143],
    [0.001, -3.090232306167813],
    [1e-20, -9.26234008979841],
  ])("of %f is %f", (probability, expected) => {
    expect(normalQuantile(probability)).toBeCloseTo(expected, 12)
  })

  it("refuses what is no probability", () => {
    expect(() => normalQuantile(1.2)).toThrow(RangeError)
    expect(() => normalQuantile(NaN)).toThrow(RangeError)
  })
})

describe("binomial", () => {
  it("sums to one and agrees with the sum of its terms", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 200 }),
        fc.nat(200),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (trials, start, chance) => {
          let sum = 0
          for (let successes = start; successes <= trials; successes += 1)
            sum += binomialProbability(trials, successes, chance)
          expect(binomialAtLeast(trials, start, chance)).toBeCloseTo(sum, 9)
          expect(binomialAtLeast(trials, 0, chance)).toBe(1)
        },
      ),
    )
  })

  it("does not underflow far from the mode", () => {
    expect(binomialAtLeast(5000, 2600, 0.9)).toBeCloseTo(1, 12)
    expect(binomialAtLeast(5000, 2600, 0.5)).toBeCloseTo(0.002441824868758759, 12)
  })
})

describe("mcnemarExact", () => {
  it.each([
    [10, 2, 0.03857421875],
    [2, 10, 0.03857421875],
    [0, 0, 1],
    [5, 5, 1],
    [6, 0, 0.03125],
    [5, 0, 0.0625],
    [1, 0, 1],
  ])("%i wins and %i losses give %f", (wins, losses, expected) => {
    expect(mcnemarExact({ wins, losses })).toBeCloseTo(expected, 12)
  })

  it("is a probability and does not mind which side is which", () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(300), (wins, losses) => {
        const pValue = mcnemarExact({ wins, losses })
        expect(pValue).toBeGreaterThanOrEqual(0)
        expect(pValue).toBeLessThanOrEqual(1)
        expect(mcnemarExact({ wins: losses, losses: wins })).toBe(pValue)
      }),
    )
  })

  it("counts where exactly one is right", () => {
    expect(discordanceOf(Float64Array.of(1, 1, 0, 0, 1), Float64Array.of(1, 0, 1, 0, 0))).toEqual({
      wins: 2,
      losses: 1,
    })
    expect(() => discordanceOf(Float64Array.of(1), Float64Array.of(1, 0))).toThrow(RangeError)
  })
})

describe("wilsonInterval", () => {
  it("of 8 in 10 is 0.4902 to 0.9433", () => {
    const { low, high } = wilsonInterval(8, 10, 0.95)
    expect(low).toBeCloseTo(0.4902, 4)
    expect(high).toBeCloseTo(0.9433, 4)
  })

  it("holds the share, lies in 0..1, is mirrored, and is never a point", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.nat(500),
        fc.double({ min: 0.5, max: 0.999, noNaN: true }),
        (trials, wanted, confidence) => {
          const successes = Math.min(trials, wanted)
          const { low, high } = wilsonInterval(successes, trials, confidence)
          expect(low).toBeGreaterThanOrEqual(0)
          expect(high).toBeLessThanOrEqual(1)
          expect(low).toBeLessThanOrEqual(successes / trials)
          expect(high).toBeGreaterThanOrEqual(successes / trials)
          expect(high - low).toBeGreaterThan(0)
          expect(wilsonInterval(trials - successes, trials, confidence).low).toBeCloseTo(1 - high, 12)
        },
      ),
    )
  })

  it("knows nothing without trials and refuses more successes than trials", () => {
    expect(wilsonInterval(0, 0, 0.95)).toEqual({ low: 0, high: 1 })
    expect(() => wilsonInterval(3, 2, 0.95)).toThrow(RangeError)
  })
})

describe("holmAdjusted", () => {
  it("agrees with R's p.adjust", () => {
    expect(holmAdjusted([0.01, 0.04, 0.03]).map((adjusted) => Number(adjusted.toFixed(10)))).toEqual([0.03, 0.06, 0.06])
    expect(holmAdjusted([0.9, 0.8])).toEqual([1, 1])
    expect(holmAdjusted([])).toEqual([])
  })

  it("keeps the order, never lowers and never exceeds one", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 10 }), (raw) => {
        const adjusted = holmAdjusted(raw)
        raw.forEach((pValue, position) => {
          expect(adjusted[position]).toBeGreaterThanOrEqual(pValue)
          expect(adjusted[position]).toBeLessThanOrEqual(1)
          raw.forEach((other, place) => {
            if (pValue < other) expect(adjusted[position]).toBeLessThanOrEqual(adjusted[place] ?? NaN)
          })
        })
      }),
    )
  })
})

describe("bootstrapIntervals", () => {
  const options = { value, rowScores, resamples: 300, confidence: 0.95, seed: 3 }

  it("agrees with the binomial distribution that the resampled mean follows", () => {
    const rows = rightWhere(Array.from({ length: 100 }, (_, position) => (position < 80 ? 1 : 0)))
    const { low, high } = bootstrapIntervals({
      ...options,
      resamples: 20_000,
      rowsByContender: new Map([["tuned", rows]]),
    }).interval("tuned")
    // The 2.5 % and 97.5 % quantiles of Binomial(100, 0.8) / 100.
    expect(low).toBeCloseTo(0.72, 2)
    expect(high).toBeCloseTo(0.87, 2)
  })

  it("pairs differences: they hold the observed one, and swapping the two mirrors the interval", () => {
    fc.assert(
      fc.property(pairs, (drawn) => {
        const first = drawn.map(([score]) => score)
        const second = drawn.map(([, score]) => score)
        const bootstrap = bootstrapIntervals({
          ...options,
          rowsByContender: new Map([
            ["a", rightWhere(first)],
            ["b", rightWhere(second)],
          ]),
        })
        const { low, high } = bootstrap.difference("a", "b")
        const observed = value(rightWhere(first)) - value(rightWhere(second))
        expect(low).toBeLessThanOrEqual(observed + 1e-9)
        expect(high).toBeGreaterThanOrEqual(observed - 1e-9)
        expect(bootstrap.difference("b", "a").low).toBeCloseTo(-high, 9)
        expect(bootstrap.difference("a", "a")).toEqual({ low: 0, high: 0 })
      }),
      { numRuns: 40 },
    )
  })

  it("is narrower for the difference of contenders that fail on the same rows than for either alone", () => {
    const rows = Array.from({ length: 60 }, (_, position) => (position % 2 === 0 ? 1 : 0))
    const better = rows.map((score, position) => (position === 1 ? 1 : score))
    const bootstrap = bootstrapIntervals({
      ...options,
      rowsByContender: new Map([
        ["a", rightWhere(better)],
        ["b", rightWhere(rows)],
      ]),
    })
    const width = ({ low, high }: { low: number; high: number }) => high - low
    expect(width(bootstrap.difference("a", "b"))).toBeLessThan(width(bootstrap.interval("a")) / 2)
  })

  it("gives the same by row scores as by the value, and the same for the same seed only", () => {
    const rowsByContender = new Map([
      ["a", rightWhere(Array.from({ length: 37 }, (_, position) => (position % 3 === 0 ? 1 : 0)))],
    ])
    const by = (extra: object) => bootstrapIntervals({ ...options, rowsByContender, ...extra }).interval("a")
    expect(by({})).toEqual(by({}))
    expect(by({ rowScores: undefined })).toEqual(by({}))
    const seeds = [1, 2, 3, 4, 5, 6].map((seed) => JSON.stringify(by({ seed, resamples: 11 })))
    expect(new Set(seeds).size).toBeGreaterThan(1)
  })

  it("refuses contenders that answered other rows, and names that are not there", () => {
    const rows = rightWhere([1, 0, 1])
    expect(() =>
      bootstrapIntervals({
        ...options,
        rowsByContender: new Map([
          ["a", rows],
          ["b", rows.slice(0, 2)],
        ]),
      }),
    ).toThrow(/a and b did not answer the same rows/)
    expect(() =>
      bootstrapIntervals({
        ...options,
        rowsByContender: new Map([
          ["a", rows],
          ["b", rows.toReversed()],
        ]),
      }),
    ).toThrow(RangeError)
    expect(() => bootstrapIntervals({ ...options, rowsByContender: new Map([["a", rows]]) }).interval("c")).toThrow(
      /no contender c/,
    )
  })

  it("gives NaN without rows, and interpolates percentiles like numpy", () => {
    expect(bootstrapIntervals({ ...options, rowsByContender: new Map([["a", []]]) }).interval("a").low).toBeNaN()
    expect(percentileInterval(Float64Array.of(4, 1, 3, 2, 5), 0.5)).toEqual({ low: 2, high: 4 })
    expect(percentileInterval(Float64Array.of(1, 2), 0.5)).toEqual({ low: 1.25, high: 1.75 })
  })
})

describe("permutation tests", () => {
  it("agree with the exact McNemar test on right-or-wrong scores", () => {
    const differences = Float64Array.from([
      ...Array<number>(10).fill(1),
      ...Array<number>(2).fill(-1),
      ...Array<number>(30).fill(0),
    ])
    expect(Math.abs(signFlipPValue(differences, { seed: 1 }) - 0.03857)).toBeLessThan(0.006)
    const first = rightWhere([...Array<number>(10).fill(1), 0, 0, ...Array<number>(30).fill(1)])
    const second = rightWhere([...Array<number>(10).fill(0), 1, 1, ...Array<number>(30).fill(1)])
    expect(Math.abs(swapPValue(first, second, value, { seed: 1 }) - 0.03857)).toBeLessThan(0.006)
  })

  it("agree with every sign tried, on scores between 0 and 1", () => {
    const differences = Float64Array.of(0.3, 0.2, -0.1, 0.25, 0.05, 0.4)
    const observed = differences.reduce((sum, difference) => sum + difference, 0)
    let atLeast = 0
    for (let signs = 0; signs < 64; signs += 1) {
      const sum = differences.reduce(
        (total, difference, position) => total + (signs & (1 << position) ? difference : -difference),
        0,
      )
      if (Math.abs(sum) >= observed - 1e-12) atLeast += 1
    }
    expect(Math.abs(signFlipPValue(differences, { seed: 2 }) - atLeast / 64)).toBeLessThan(0.01)
  })

  it("are probabilities above 0, and symmetric", () => {
    fc.assert(
      fc.property(scores, scores, fc.nat(), (first, second, seed) => {
        const n = Math.min(first.length, second.length)
        const a = rightWhere(first.slice(0, n))
        const b = rightWhere(second.slice(0, n))
        const metric = (rows: readonly ScoredRow[]) => macroF1.value(rows, { task, options: {} })
        const pValue = swapPValue(a, b, metric, { seed, permutations: 50 })
        expect(pValue).toBeGreaterThan(0)
        expect(pValue).toBeLessThanOrEqual(1)
        expect(swapPValue(b, a, metric, { seed, permutations: 50 })).toBe(pValue)
      }),
      { numRuns: 50 },
    )
  })

  it("give 1 when nothing differs", () => {
    expect(signFlipPValue(Float64Array.of(0, 0), { seed: 1 })).toBe(1)
    expect(signFlipPValue(new Float64Array(), { seed: 1 })).toBe(1)
    expect(swapPValue(rightWhere([1, 0]), rightWhere([1, 0]), value, { seed: 1 })).toBe(1)
    expect(swapPValue([], [], value, { seed: 1 })).toBe(1)
  })

  it("refuse rows that cannot be paired", () => {
    expect(() => swapPValue(scored(["a"], ["a"]), [], value, { seed: 1 })).toThrow(RangeError)
  })
})

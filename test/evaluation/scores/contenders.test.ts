import { describe, expect, it } from "vitest"
import { z } from "zod"
import { confusionOf, labelScores } from "../../../src/evaluation/scores/confusion.ts"
import { gainOf } from "../../../src/evaluation/scores/comparisons.ts"
import { scoreContenders } from "../../../src/evaluation/scores/contenders.ts"
import type { ContenderRows } from "../../../src/evaluation/scores/measured.ts"
import { latencyOf } from "../../../src/evaluation/scores/latency.ts"
import { evaluationNotes } from "../../../src/evaluation/verdict/notes.ts"
import { seededRandom } from "../../../src/evaluation/statistics/random.ts"
import { wilsonInterval } from "../../../src/evaluation/statistics/wilson.ts"
import { decide } from "../../../src/evaluation/verdict/verdict.ts"
import type { CorpusMetric, Metric, ScoredRow } from "../../../src/core/contracts/metric.ts"
import linearModel from "../../../src/contenders/linear.ts"
import accuracy from "../../../src/metrics/accuracy.ts"
import macroF1 from "../../../src/metrics/macro-f1.ts"
import { labelTask, rightWhere, scored } from "./sample-rows.ts"

const task = labelTask({ bootstrap: 400 })
const metrics = [
  { name: "accuracy", metric: accuracy, options: {} },
  { name: "macro-f1", metric: macroF1, options: {} },
]

function contender(
  name: string,
  rows: readonly ScoredRow[],
  prediction: Partial<ContenderRows["predictions"][number]> = {},
): ContenderRows {
  return {
    name,
    rows,
    predictions: rows.map(() => ({ latencyMs: 20, inputTokens: 10, outputTokens: 3, ...prediction })),
  }
}
const scores = (rows: number, right: (row: number) => boolean) =>
  rightWhere(Array.from({ length: rows }, (_, row) => (right(row) ? 1 : 0)))

describe("scoreContenders", () => {
  const tuned = contender(
    "tuned",
    scores(100, (row) => row < 90),
  )
  const fewShot = contender(
    "few-shot",
    scores(100, (row) => row < 75),
  )
  const linear = contender(
    "linear",
    scores(100, (row) => row % 10 !== 0),
    { inputTokens: 0, outputTokens: 0, latencyMs: null },
  )
  const scoring = scoreContenders({ task, contenders: [tuned, fewShot, linear], metrics, seed: 1 })

  it("gives every metric with n, Wilson's interval where rows are right or wrong", () => {
    expect(scoring.contenders.map(({ name }) => name)).toEqual(["tuned", "few-shot", "linear"])
    expect(scoring.contenders[0]?.metrics.accuracy).toEqual({ value: 0.9, n: 100, ...wilsonInterval(90, 100, 0.95) })
    const macro = scoring.contenders[0]?.metrics["macro-f1"]
    expect(macro?.low).toBeLessThan(macro?.value ?? NaN)
    expect(macro?.high).toBeGreaterThan(macro?.value ?? NaN)
  })

  it("compares the tuned one with every other, by the exact test where it can", () => {
    expect(scoring.comparisons.map(({ a, b, metric, test }) => [a, b, metric, test])).toEqual([
      ["tuned", "few-shot", "accuracy", "exact McNemar"],
      ["tuned", "linear", "accuracy", "exact McNemar"],
      ["tuned", "few-shot", "macro-f1", "swap permutation"],
      ["tuned", "linear", "macro-f1", "swap permutation"],
    ])
    const [first, second] = scoring.comparisons
    expect(first).toMatchObject({ discordance: { wins: 15, losses: 0 } })
    expect(first?.pValue).toBeCloseTo(2 / 2 ** 15, 12)
    expect(first?.pValueHolm).toBeCloseTo(4 / 2 ** 15, 12)
    expect(first?.difference).toBeCloseTo(0.15, 12)
    expect(first?.low).toBeGreaterThan(0)
    expect(second).toMatchObject({ pValue: 1, pValueHolm: 1 })
    expect(second?.difference).toBeCloseTo(0, 12)
  })

  it("uses the sign-flip test for scores between 0 and 1", () => {
    const half: Metric = {
      ...accuracy,
      rowScores: (rows) => Float64Array.from(rows, ({ output }) => (output === "a" ? 0.5 : 0)),
    }
    const { comparisons, contenders } = scoreContenders({
      task,
      contenders: [tuned, fewShot],
      metrics: [{ name: "half", metric: half, options: {} }],
      seed: 1,
    })
    expect(comparisons[0]).toMatchObject({ test: "sign-flip permutation", metric: "half" })
    expect(comparisons[0]?.pValue).toBeLessThan(0.01)
    expect(comparisons[0]).not.toHaveProperty("discordance")
    expect(contenders[0]?.metrics.half?.high).toBeLessThan(0.5)
  })

  it("gives a metric the input and all references, its options, and its values beside the main one", () => {
    const metric: CorpusMetric<{ readonly floor: number }> = {
      ...macroF1,
      options: z.strictObject({ floor: z.number() }),
      value: (rows, { options }) => rows.filter(({ references }) => references.includes("a")).length + options.floor,
      others: (rows) => ({ inputs: rows.filter(({ input }) => "body" in input).length }),
    }
    const rows = [{ id: "1", input: { body: "x" }, references: ["b", "a"] as const, output: "c" }]
    const { contenders } = scoreContenders({
      task,
      contenders: [contender("tuned", rows)],
      metrics: [{ name: "found:floor=5", metric, options: { floor: 5 } }],
      seed: 1,
    })
    expect(contenders[0]?.metrics["found:floor=5"]).toEqual({ value: 6, low: 6, high: 6, n: 1, others: { inputs: 1 } })
  })

  it("takes the lower value for the better one where the metric says so", () => {
    const errors: Metric = {
      ...accuracy,
      direction: "lower",
      rowScores: (rows) => Float64Array.from(rows, ({ output }) => (output === "a" ? 0 : 1)),
    }
    const { comparisons } = scoreContenders({
      task,
      contenders: [tuned, fewShot],
      metrics: [{ name: "errors", metric: errors, options: {} }],
      seed: 1,
    })
    const [comparison] = comparisons
    if (comparison === undefined) throw new Error("nothing was compared")
    expect(comparison.difference).toBeCloseTo(-0.15, 12)
    const { gain, low, high } = gainOf(comparison)
    expect(gain).toBeCloseTo(0.15, 12)
    expect(low).toBeGreaterThan(0)
    expect(high).toBeGreaterThan(gain)
    const { direction, pValue, discordance } = comparison
    const interval = gainOf(comparison)
    const found = { rule: task.verdict, metric: "errors", rows: 100, tuned: 0.1, incumbent: 0.25, pValue, discordance }
    expect(decide({ ...found, direction, interval })).toMatchObject({
      verdict: "promote",
      reason: expect.stringContaining("has errors 0.100 and few-shot has 0.250: the tuned model is 15 points better"),
    })
  })

  it("leaves out metrics that are for other kinds", () => {
    const other: Metric = { ...macroF1, kinds: ["text"] }
    const { contenders } = scoreContenders({
      task,
      contenders: [tuned],
      metrics: [...metrics, { name: "other", metric: other, options: {} }],
      seed: 1,
    })
    expect(Object.keys(contenders[0]?.metrics ?? {})).toEqual(["accuracy", "macro-f1"])
  })

  it("counts tokens, times and answers that could not be read", () => {
    const unread = contender("zero-shot", scored(["a", "b"], ["a", undefined]))
    const { contenders } = scoreContenders({ task, contenders: [unread], metrics, seed: 1 })
    expect(contenders[0]).toMatchObject({
      unreadable: 1,
      tokens: { inputMean: 10, outputMean: 3 },
      latencyMs: { p50: 20, p95: 20, n: 2 },
    })
    expect(scoring.contenders[2]).toMatchObject({ tokens: null, latencyMs: null, unreadable: 0 })
  })

  it("gives the same for the same seed, in any order of contenders, and nothing to compare without a tuned one", () => {
    const again = scoreContenders({ task, contenders: [linear, fewShot, tuned], metrics, seed: 1 })
    expect(again.contenders.toReversed()).toEqual(scoring.contenders)
    expect(scoreContenders({ task, contenders: [fewShot, linear], metrics, seed: 1 }).comparisons).toEqual([])
  })

  it("gives the same values, tests and Wilson intervals in any order of the rows", () => {
    const order = tuned.rows.map((_, position) => (position * 37) % 100)
    const shuffled = [tuned, fewShot, linear].map((each) => ({
      ...each,
      rows: order.map((position) => each.rows[position] as ScoredRow),
    }))
    const again = scoreContenders({ task, contenders: shuffled, metrics: metrics.slice(0, 1), seed: 1 })
    expect(again.contenders.map(({ metrics: found }) => found.accuracy)).toEqual(
      scoring.contenders.map(({ metrics: found }) => found.accuracy),
    )
    const tests = ({ comparisons }: typeof again) =>
      comparisons.map(({ b, difference, pValue, discordance }) => ({ b, difference, pValue, discordance }))
    expect(tests(again)).toEqual(tests(scoring).slice(0, 2))
  })

  it("refuses contenders that did not answer the same rows, or share a name", () => {
    expect(() =>
      scoreContenders({ task, contenders: [tuned, contender("few-shot", fewShot.rows.slice(1))], metrics, seed: 1 }),
    ).toThrow(/tuned and few-shot did not answer the same rows/)
    expect(() => scoreContenders({ task, contenders: [tuned, tuned], metrics, seed: 1 })).toThrow(
      /two contenders are named tuned/,
    )
  })
})

describe("evaluationNotes", () => {
  const notes = (tuned: readonly ScoredRow[], linear: readonly ScoredRow[]) => {
    const contenders = [contender("tuned", tuned), contender("linear", linear)]
    const scoring = scoreContenders({ task, contenders, metrics, seed: 1 })
    const alternatives = linearModel.alternative ? [{ name: "linear", ...linearModel.alternative }] : []
    return evaluationNotes({ task, metric: "accuracy", scoring, rows: contenders, alternatives })
  }

  it("says plainly when the linear model does as well, or better", () => {
    const [asWell] = notes(
      scores(100, (row) => row < 90),
      scores(100, (row) => row % 10 !== 0),
    )
    expect(asWell).toMatch(
      /^The linear model, trained on the same examples, does as well, as far as 100 test examples can tell .*; it costs nothing to run\.$/,
    )
    const [better] = notes(
      scores(100, (row) => row < 60),
      scores(100, (row) => row < 90),
    )
    expect(better).toBe(
      "The linear model, trained on the same examples, does better than the tuned model (accuracy 0.900 " +
        "against 0.600); it costs nothing to run.",
    )
  })

  it("says nothing of a linear model that is worse", () => {
    expect(
      notes(
        scores(100, (row) => row < 90),
        scores(100, (row) => row < 60),
      ).join(" "),
    ).not.toContain("linear")
  })

  it("names answers that could not be read and labels without a test example", () => {
    const all = notes(scored(["a", "b", "a"], ["a", undefined, "a"]), scored(["a", "b", "a"], ["a", "b", "a"]))
    expect(all).toContain("1 answer of tuned (of 3) could not be read as an output of the task and counts as wrong.")
    expect(all).toContain("No test example has the label c: the figures say nothing about it.")
  })
})

describe("confusionOf", () => {
  const confusion = confusionOf(scored(["a", "a", "b", "b", "z"], ["a", "b", "b", undefined, "a"]), ["a", "b", "c"])

  it("counts every row once, unreadable answers last, and keeps labels that only the rows know", () => {
    expect(confusion).toEqual({
      labels: ["a", "b", "c", "z"],
      counts: [
        [1, 1, 0, 0, 0],
        [0, 1, 0, 0, 1],
        [0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0],
      ],
    })
  })

  it("gives precision, recall and F1, null where there is nothing to divide by", () => {
    expect(labelScores(confusion)).toEqual([
      { label: "a", precision: 0.5, recall: 0.5, f1: 0.5, rows: 2 },
      { label: "b", precision: 0.5, recall: 0.5, f1: 0.5, rows: 2 },
      { label: "c", precision: null, recall: null, f1: null, rows: 0 },
      { label: "z", precision: null, recall: 0, f1: 0, rows: 1 },
    ])
  })
})

describe("latencyOf", () => {
  const upTo = (n: number) => Array.from({ length: n }, (_, position) => ((position * 37) % n) + 1)

  it("takes percentiles by nearest rank, whatever the order", () => {
    expect(latencyOf([3, 1, 2], 0.95)).toMatchObject({ p50: 2, p95: 3, n: 3 })
    expect(latencyOf(upTo(100), 0.95)).toMatchObject({ p50: 50, p95: 95, n: 100 })
  })

  it("bounds the 95th percentile by order statistics: of 100 times, the 90th and the 99th", () => {
    expect(latencyOf(upTo(100), 0.95)).toMatchObject({ p95Low: 90, p95High: 99 })
  })

  it("encloses the 95th percentile as often as the confidence says", () => {
    const random = seededRandom(4)
    let enclosed = 0
    for (let trial = 0; trial < 4000; trial += 1) {
      const { p95Low = -Infinity, p95High = Infinity } =
        latencyOf(
          Array.from({ length: 120 }, () => random.next() / 2 ** 32),
          0.95,
        ) ?? {}
      if (p95Low <= 0.95 && 0.95 <= p95High) enclosed += 1
    }
    expect(enclosed / 4000).toBeGreaterThan(0.94)
    expect(enclosed / 4000).toBeLessThan(0.985)
  })

  it("has no upper bound with 20 times, and nothing without any", () => {
    expect(latencyOf(upTo(21), 0.95)).not.toHaveProperty("p95High")
    expect(latencyOf([], 0.95)).toBeNull()
  })
})

import { describe, expect, test } from "vitest"
import type { ScoredRow } from "../../../src/core/contracts/metric.ts"
import { prevalenceNote } from "../../../src/evaluation/verdict/notes.ts"
import { scoresAtPrevalence } from "../../../src/evaluation/scores/prevalence.ts"
import { renderReport } from "../../../src/evaluation/report/report.ts"
import { outOfScopeScores } from "../../../src/evaluation/scores/slices.ts"
import { outOfScopeLabel, taskSchema } from "../../../src/core/task/task.ts"
import accuracy from "../../../src/metrics/accuracy.ts"
import macroF1 from "../../../src/metrics/macro-f1.ts"
import { sampleReport } from "../report/sample-report.ts"

const task = taskSchema.parse({
  task: "triage",
  kind: "label",
  description: "Which team",
  input: { body: {} },
  output: { labels: { a: "a", b: "b", other: "the rest" }, prevalence: { a: 0.9, b: 0.05, other: 0.05 } },
  verdict: { bootstrap: 400 },
})
const rowsOf = (...rows: [string, string | undefined, number][]) =>
  rows.flatMap(([reference, output, count], group) =>
    Array.from(
      { length: count },
      (_, row): ScoredRow => ({
        id: `${group}-${row}`,
        input: {},
        references: [reference],
        output,
      }),
    ),
  )
const predictions = [{ latencyMs: 1, inputTokens: 1, outputTokens: 1 }]
const metrics = [
  { name: "accuracy", metric: accuracy, options: {} },
  { name: "macro-f1", metric: macroF1, options: {} },
]
// Good at what is rare, and the other way round: 30 of 40 right each.
const contenders = [
  { name: "tuned", predictions, rows: rowsOf(["a", "a", 10], ["a", "b", 10], ["b", "b", 10], ["other", "other", 10]) },
  {
    name: "few-shot",
    predictions,
    rows: rowsOf(["a", "a", 10], ["a", "a", 10], ["b", "a", 10], ["other", "other", 10]),
  },
]

describe("at the true prevalence", () => {
  const weights = Float64Array.from(
    contenders[0]?.rows ?? [],
    ({ references: [reference] }) => ({ a: 0.9 / 0.5, b: 0.05 / 0.25, other: 0.05 / 0.25 })[String(reference)] ?? 0,
  )
  const scores = scoresAtPrevalence({
    task,
    prevalence: { a: 0.9, b: 0.05, other: 0.05 },
    weights,
    contenders,
    metrics,
    seed: 1,
  })
  const value = (name: string, metric: string) =>
    scores.contenders.find((contender) => contender.name === name)?.metrics[metric]
  test("the figures are those of the weighted rows", () => {
    expect(value("tuned", "accuracy")?.value).toBeCloseTo(0.9 / 2 + 0.1, 10)
    expect(value("few-shot", "accuracy")?.value).toBeCloseTo(0.95, 10)
    const { low, high } = value("few-shot", "accuracy") ?? {}
    expect(low).toBeGreaterThan(0.85)
    expect(low).toBeLessThan(0.95)
    expect(high).toBeGreaterThan(0.95)
    // few-shot, by hand: F1 of a is 2 × 0.9 / (0.9 + 0.95), of b 0, of other 1.
    expect(value("few-shot", "macro-f1")?.value).toBeCloseTo((1.8 / 1.85 + 0 + 1) / 3, 2)
    expect(scores.effectiveRows).toBeCloseTo(40 ** 2 / (20 * 1.8 ** 2 + 20 * 0.2 ** 2), 6)
    expect(scores.shares[0]).toEqual({ label: "a", test: 0.5, true: 0.9 })
    expect(scores.untested).toEqual([])
  })
  test("they are told beside the plain ones", () => {
    expect(prevalenceNote("accuracy", "few-shot", scores).join()).toContain(
      "accuracy is 0.550 for tuned and 0.950 for few-shot",
    )
    expect(prevalenceNote("accuracy", "few-shot", undefined)).toEqual([])
    const report = renderReport({ ...sampleReport(), prevalence: scores })
    expect(report).toContain("At the true prevalence")
    expect(report).toContain("a: 50 % of the test set, 90 % in truth")
    expect(renderReport(sampleReport())).not.toContain("At the true prevalence")
  })
})

describe("out of scope", () => {
  test("is a slice of its own, with what was turned away for it", () => {
    const rows = rowsOf(["a", "a", 8], ["a", "other", 2], ["b", undefined, 4], ["other", "other", 3], ["other", "a", 3])
    const found = outOfScopeScores(task, { label: "other", isDeclared: false }, [{ name: "tuned", predictions, rows }])
    expect(found).toMatchObject({ label: "other", rows: { out: 6, in: 14 } })
    expect(found.contenders[0]).toMatchObject({
      recognised: { value: 0.5, n: 6 },
      inScopeAccuracy: { value: 8 / 14, n: 14 },
      turnedAway: 2,
    })
    const report = renderReport({ ...sampleReport(), outOfScope: found })
    expect(report).toContain("6 test examples out of scope (other) and 14 in it")
    expect(report).toContain("taken as out of scope by its name")
    const none = outOfScopeScores(task, { label: "other", isDeclared: true }, [
      { name: "tuned", predictions, rows: rowsOf(["a", "a", 2]) },
    ])
    expect(none.contenders[0]).toMatchObject({ recognised: null, turnedAway: 0 })
  })
  test("is what the specification says, else what the label's name says", () => {
    const named = (labels: string[], outOfScope?: string) =>
      outOfScopeLabel(
        taskSchema.parse({
          task: "triage",
          kind: "label",
          description: "Which team",
          input: { body: {} },
          output: {
            labels: Object.fromEntries(labels.map((label) => [label, label])),
            ...(outOfScope ? { outOfScope } : {}),
          },
        }),
      )
    expect(named(["a", "other"], "a")).toEqual({ label: "a", isDeclared: true })
    for (const label of ["other", "None", "out-of-scope", "out of domain", "oos", "none of these"])
      expect(named(["a", label])).toEqual({ label, isDeclared: false })
    for (const label of ["another", "nonetheless", "other-fees", "b"]) expect(named(["a", label])).toBeUndefined()
  })
})

import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { boundMetric, type Metric, type ScoredRow } from "../../src/core/contracts/metric.ts"
import { taskSchema, type TaskSpecification } from "../../src/core/task/task.ts"
import accuracy from "../../src/metrics/accuracy.ts"
import exactMatch from "../../src/metrics/exact-match.ts"
import macroF1 from "../../src/metrics/macro-f1.ts"
import { labelTask, scored } from "../evaluation/scores/sample-rows.ts"

fc.configureGlobal({ seed: 20_261_124 })

const task = labelTask()
const measured = (metric: Metric, sample: readonly ScoredRow[], of: TaskSpecification) =>
  boundMetric({ name: "metric", metric, options: {} }, of).value(sample)
const label = fc.constantFrom("a", "b", "c")
const rows = fc
  .array(fc.tuple(label, fc.option(label, { nil: undefined })), { minLength: 1, maxLength: 30 })
  .map((pairs) =>
    scored(
      pairs.map(([reference]) => reference),
      pairs.map(([, output]) => output),
    ),
  )

describe("accuracy", () => {
  it("is the share of right labels, an unreadable answer being wrong", () => {
    expect(measured(accuracy, scored(["a", "b", "c", "a"], ["a", "b", "a", undefined]), task)).toBe(0.5)
  })

  it("never counts an unreadable answer as right, whatever the reference", () => {
    expect(measured(accuracy, scored([undefined], [undefined]), task)).toBe(0)
  })

  it("is the mean of its row scores", () => {
    fc.assert(
      fc.property(rows, (sample) => {
        const scores = accuracy.rowScores(sample, { task, options: {} })
        expect(measured(accuracy, sample, task)).toBeCloseTo(
          scores.reduce((sum, score) => sum + score, 0) / sample.length,
          12,
        )
      }),
    )
  })

  it("gives NaN for no rows", () => {
    expect(measured(accuracy, [], task)).toBeNaN()
  })
})

describe("macro-f1", () => {
  it("agrees with the example of scikit-learn's documentation", () => {
    expect(measured(macroF1, scored([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1]), task)).toBeCloseTo(0.8 / 3, 12)
  })

  it("counts a label that occurs only as an answer, with F1 0", () => {
    expect(measured(macroF1, scored(["a", "a"], ["a", "c"]), task)).toBeCloseTo((2 / 3 + 0) / 2, 12)
  })

  it("counts an unreadable answer as a miss and not as a label of its own", () => {
    expect(measured(macroF1, scored(["a", "a", "b"], ["a", undefined, "b"]), task)).toBeCloseTo((2 / 3 + 1) / 2, 12)
  })

  it("is the mean over labels of F1 from precision and recall", () => {
    fc.assert(
      fc.property(rows, (sample) => {
        const labels = ["a", "b", "c"].filter((name) =>
          sample.some(({ references: [reference], output }) => reference === name || output === name),
        )
        const f1s = labels.map((name) => {
          const right = sample.filter(
            ({ references: [reference], output }) => reference === name && output === name,
          ).length
          if (right === 0) return 0
          const precision = right / sample.filter(({ output }) => output === name).length
          const recall = right / sample.filter(({ references: [reference] }) => reference === name).length
          return (2 * precision * recall) / (precision + recall)
        })
        expect(measured(macroF1, sample, task)).toBeCloseTo(f1s.reduce((sum, f1) => sum + f1, 0) / labels.length, 12)
      }),
    )
  })

  it("gives NaN for no rows", () => {
    expect(measured(macroF1, [], task)).toBeNaN()
  })
})

describe("exact-match", () => {
  it("is accuracy on label tasks", () => {
    fc.assert(
      fc.property(rows, (sample) => {
        expect(measured(exactMatch, sample, task)).toBe(measured(accuracy, sample, task))
      }),
    )
  })

  it("takes JSON in any order of keys, and is its mean of row scores", () => {
    const json = taskSchema.parse({
      task: "orders",
      kind: "json",
      description: "Extract",
      input: { body: {} },
      output: { schema: { type: "object" } },
    })
    const sample = scored([{ a: 1, b: 2 }, { a: 1 }, { a: 1 }], [{ b: 2, a: 1 }, { a: 2 }, undefined])
    expect(measured(exactMatch, sample, json)).toBeCloseTo(1 / 3, 12)
    expect([...exactMatch.rowScores(sample, { task: json, options: {} })]).toEqual([1, 0, 0])
  })

  it("takes labels in any order and text up to case and white space", () => {
    const shared = { task: "tags", description: "Tag", input: { body: {} } }
    const multilabel = taskSchema.parse({ ...shared, kind: "multilabel", output: { labels: { a: "A", b: "B" } } })
    expect(measured(exactMatch, scored([["a", "b"], ["a"]], [["b", "a"], ["b"]]), multilabel)).toBe(0.5)
    const text = taskSchema.parse({ ...shared, kind: "text" })
    expect(measured(exactMatch, scored(["Dear  you", "x"], ["dear you", "y"]), text)).toBe(0.5)
  })
})

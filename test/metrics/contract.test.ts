import { describe, expect, it } from "vitest"
import { load, names } from "../../src/cli/plugins.ts"
import { boundMetric, type Metric, type ScoredRow } from "../../src/core/contracts/metric.ts"
import { tasks } from "../strategies/tasks.ts"

const metrics = await Promise.all(
  names("metrics").map(async (name) => ({ name, metric: await load<Metric>("metrics", name) })),
)

/** An output that the kind of task may have, and another one. */
const outputs: Record<keyof typeof tasks, readonly [unknown, unknown]> = {
  label: ["order", "invoice"],
  multilabel: [["order"], ["invoice"]],
  json: [{ total: 1 }, { total: 2 }],
  text: ["a lamp", "a parcel"],
  chat: [{ content: "a lamp" }, { content: "a parcel" }],
}

describe.each(metrics)("the metric $name", ({ name, metric }) => {
  const configured = { name, metric, options: metric.options.parse({}) }
  const row = (id: string, references: readonly [unknown, ...unknown[]], output: unknown): ScoredRow => ({
    id,
    input: {},
    references,
    output,
  })

  it("says what it is, and takes no option that it does not know", () => {
    expect(metric.summary).toMatch(/^[A-Z].*[^.]$/)
    expect(metric.version).toBeGreaterThanOrEqual(1)
    expect(metric.options.safeParse({ unheardOf: 1 }).success).toBe(false)
  })

  it.each(metric.kinds)("on %s tasks prefers right answers to wrong ones and to none", (kind) => {
    const { value } = boundMetric(configured, tasks[kind])
    const [right, wrong] = outputs[kind]
    const better = (a: number, b: number) => (metric.direction === "higher" ? a > b : a < b)
    const all = [row("1", [right], right), row("2", [wrong], wrong)]
    expect(better(value(all), value([row("1", [right], wrong), row("2", [wrong], wrong)]))).toBe(true)
    expect(better(value(all), value([row("1", [right], undefined), row("2", [wrong], wrong)]))).toBe(true)
    expect(value([])).toBeNaN()
  })

  it.each(metric.kinds)("on %s tasks gives a figure for a resample, and the same one for the same rows", (kind) => {
    const { value } = boundMetric(configured, tasks[kind])
    const [right, wrong] = outputs[kind]
    const rows = [row("1", [right], right), row("2", [wrong], right), row("1", [right], right)]
    expect(value(rows)).toBe(value(structuredClone(rows)))
    expect(Number.isFinite(value(rows))).toBe(true)
  })
})

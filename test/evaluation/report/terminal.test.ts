import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { renderContenders, renderLossPlot } from "../../../src/evaluation/report/terminal.ts"
import { sampleReport } from "./sample-report.ts"

fc.configureGlobal({ seed: 20_261_124 })

const withoutColour = (text: string) => text.replace(/\u001b\[[0-9;]*m/g, "")
const widest = (text: string) => Math.max(...text.split("\n").map((line) => [...line].length))

describe("renderContenders", () => {
  it("shows every contender with its interval, and the verdict with its reason", () => {
    const data = sampleReport()
    const lines = renderContenders(data, { width: 80, colour: false }).split("\n")
    expect(lines[2]).toMatch(/^tuned {7}0\.900 {2}0\.826–0\.945 {8}33 ms .*─+●─+$/)
    expect(lines[3]).toMatch(/^few-shot \*/)
    expect(lines).toContain("Promote the tuned model")
    expect(lines.join(" ").replace(/\s+/g, " ")).toContain(data.verdict.reason)
    expect(lines.join(" ")).toContain("it costs nothing to run")
  })

  it("puts a better value further right", () => {
    const lines = renderContenders(sampleReport(), { width: 80, colour: false }).split("\n")
    expect(lines[2]?.indexOf("●")).toBeGreaterThan(lines[3]?.indexOf("●") ?? NaN)
    expect(lines[2]?.indexOf("●")).toBe(lines[4]?.indexOf("●"))
  })

  it("fits any width from 50 columns, and says the same with colour", () => {
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 200 }), (width) => {
        const plain = renderContenders(sampleReport(), { width, colour: false })
        expect(widest(plain)).toBeLessThanOrEqual(width)
        expect(plain).not.toContain("\u001b")
        const coloured = renderContenders(sampleReport(), { width, colour: true })
        expect(coloured).toContain("\u001b[1;32m")
        expect(withoutColour(coloured)).toBe(plain)
      }),
    )
  })

  it("fits with long names and words that are too long for a line", () => {
    const data = sampleReport()
    const long = {
      ...data,
      incumbent: "x".repeat(60),
      contenders: data.contenders.map((contender) => ({ ...contender, name: contender.name.repeat(9) })),
      notes: ["y".repeat(300)],
    }
    expect(widest(renderContenders(long, { width: 60, colour: false }))).toBeLessThanOrEqual(67) // the heading names the incumbent whole
    expect(renderContenders(long, { width: 60, colour: false }).replace(/[^y]/g, "").length).toBeGreaterThanOrEqual(300)
  })

  it("says so when nothing was scored", () => {
    expect(renderContenders({ ...sampleReport(), contenders: [] }, { width: 80, colour: false })).toMatch(
      /^No contender was scored\.\n/,
    )
  })
})

describe("renderLossPlot", () => {
  const points = Array.from({ length: 50 }, (_, step) => ({
    step: step + 1,
    values: { loss: 2 - step / 40, ...((step + 1) % 10 === 0 ? { evalLoss: 2.4 - step / 40 } : {}) },
  }))

  it("draws a falling loss from the top left to the bottom right, with the validation loss as o above it", () => {
    const lines = renderLossPlot(points, { width: 60, height: 14 }).split("\n")
    const canvas = lines.slice(0, -3)
    const firstDot = (line: string | undefined) => (line ?? "").search(/[⠁-⣿]/)
    const drawn = canvas.map(firstDot).filter((place) => place >= 0)
    expect(drawn.length).toBeGreaterThan(4)
    expect(drawn).toEqual([...drawn].sort((a, b) => a - b))
    expect(canvas.join("").match(/o/g)?.length).toBe(5)
    for (const line of canvas.filter((each) => each.includes("o") && firstDot(each) >= 0))
      expect(line.lastIndexOf("o")).toBeGreaterThan(line.search(/[⠁-⣿](?!.*[⠁-⣿])/))
  })

  it("has numbers on both axes and a legend with the last values", () => {
    const text = renderLossPlot(points, { width: 60, height: 14 })
    expect(text).toMatch(/^ *2\.5 ┤/m)
    expect(text).toMatch(/step 1 +26 +50$/m)
    expect(text).toMatch(/⠒ training loss 0\.775 {3}o validation loss 1\.175$/)
  })

  it("keeps within its size, whatever was logged", () => {
    const value = fc.option(fc.double({ min: -1e3, max: 1e4 }), { nil: undefined })
    const logged = fc
      .array(fc.record({ step: fc.nat(100_000), loss: value, evalLoss: value }), { maxLength: 40 })
      .map((rows) =>
        rows
          .map(({ step, ...values }) => ({
            step,
            values: JSON.parse(JSON.stringify(values)) as Record<string, number>,
          }))
          .sort((a, b) => a.step - b.step),
      )
    fc.assert(
      fc.property(logged, fc.integer({ min: 30, max: 160 }), fc.integer({ min: 7, max: 40 }), (rows, width, height) => {
        const text = renderLossPlot(rows, { width, height })
        expect(text).not.toMatch(/NaN|undefined|Infinity/)
        if (text === "No loss has been logged yet.") return
        expect(text.split("\n").length).toBeLessThanOrEqual(height)
        expect(widest(text)).toBeLessThanOrEqual(width)
      }),
    )
  })

  it("gives a plain sentence when nothing was logged", () => {
    expect(renderLossPlot([], { width: 60, height: 14 })).toBe("No loss has been logged yet.")
    expect(renderLossPlot([{ step: 1, values: { learningRate: 1 } }], { width: 60, height: 14 })).toBe(
      "No loss has been logged yet.",
    )
  })
})

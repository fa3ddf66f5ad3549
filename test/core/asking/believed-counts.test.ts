import fc from "fast-check"
import { expect, it } from "vitest"
import { withBelievedCounts } from "../../../src/core/asking/believed-counts.ts"
import { answerCostUsd, worstCaseUsd } from "../../../src/core/asking/prices.ts"
import type { ModelAnswer, ModelRequest } from "../../../src/core/contracts/model.ts"

const request: ModelRequest = {
  provider: "openai",
  baseUrl: "https://api.openai.com/v1",
  model: "m",
  messages: [{ role: "user", content: "where is my parcel ".repeat(300) }],
  temperature: 0,
  maxTokens: 500,
  seed: 1,
}
const answered = { text: "shipping ".repeat(40), inputTokens: 1500, outputTokens: 90 }
const price = { inputUsd: 100, outputUsd: 1000, batchShare: 1, source: "test" }

it("leaves counts that can be true, and those that a server does not state, as they are", () => {
  for (const answer of [
    answered,
    { ...answered, inputTokens: null, outputTokens: null },
    // A thought counts, though nobody sees it.
    { text: "", inputTokens: 5600, outputTokens: 500, finish: "length" },
  ])
    expect(withBelievedCounts(request, answer)).toBe(answer)
})

it.each([
  [10.5, 90],
  [-100_000_000, 90],
  [1e300, 90],
  [0, 90],
  [2, 90],
  [20_000, 90],
  [1500, -1],
  [1500, 0.5],
  [1500, 1_000_000],
])("does not believe %d tokens of input and %d of output", (inputTokens, outputTokens) => {
  const believed = withBelievedCounts(request, { ...answered, inputTokens, outputTokens })
  expect(believed).toEqual({
    ...answered,
    inputTokens: inputTokens === 1500 ? 1500 : null,
    outputTokens: outputTokens === 90 ? 90 : null,
    countsRefused: true,
  })
})

it("books no less than nothing and no more than the worst case and what a server may add, whatever is stated", () => {
  const count = fc.option(fc.oneof(fc.double(), fc.integer(), fc.constantFrom(1e300, -1e9, Number.NaN)))
  fc.assert(
    fc.property(count, count, fc.string(), (inputTokens, outputTokens, text) => {
      const answer: ModelAnswer = { text, inputTokens, outputTokens }
      const usd = answerCostUsd(price, request, withBelievedCounts(request, answer))
      expect(usd).toBeGreaterThanOrEqual(0)
      expect(usd).toBeLessThanOrEqual(worstCaseUsd(price, request) + (1024 * 1100) / 1e6)
    }),
  )
})

it("counts no tokens of output where vectors are asked for", () => {
  const asked = { ...request, maxTokens: 0 }
  const answer = { text: "AAAA".repeat(2000), inputTokens: 1500, outputTokens: 0 }
  expect(withBelievedCounts(asked, answer)).toBe(answer)
})

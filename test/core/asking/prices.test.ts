import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { ModelRequest } from "../../../src/core/contracts/model.ts"
import {
  answerCostUsd,
  costUsd,
  type PriceEntry,
  priceOf,
  worstCaseTokens,
  worstCaseUsd,
} from "../../../src/core/asking/prices.ts"
import { readPrices } from "../../../src/store/prices.ts"
import { Workspace } from "../../../src/store/workspace.ts"
import { sampleWorkspace } from "../../command-line.ts"

const openai = "https://api.openai.com/v1"
const request: ModelRequest = {
  provider: "openai",
  baseUrl: openai,
  model: "m",
  messages: [{ role: "user", content: "Where is it?" }],
  temperature: 0.5,
  maxTokens: 16,
  seed: 7,
}
const entry = (more: Partial<PriceEntry>): PriceEntry => ({
  match: "m",
  inputUsd: 1,
  outputUsd: 2,
  asOf: "2026-11-24",
  source: "here",
  ...more,
})

describe("the price of a model", () => {
  const { packaged } = readPrices(Workspace.open(sampleWorkspace()))
  const book = { own: [], packaged }

  it.each([
    ["gpt-4o-mini", 0.15],
    ["gpt-4o-mini-2024-07-18", 0.15],
    ["gpt-4o", 2.5],
    ["gpt-4.1-mini", 0.4],
    ["gpt-4o-audio-preview", undefined],
    ["some-model", undefined],
  ])("of %s for a million input tokens is %s, and unknown is not zero", (model, usd) => {
    expect(priceOf({ model, baseUrl: openai }, book)?.inputUsd).toBe(usd)
  })

  it("is that of the host that asks it; at another it is unknown", () => {
    expect(priceOf({ model: "gpt-4o", baseUrl: "https://example.com/v1" }, book)).toBeUndefined()
  })

  it("is nothing on this machine, unless the workspace says otherwise", () => {
    const local = { model: "gpt-4o", baseUrl: "http://127.0.0.1:8000/v1" }
    expect(priceOf(local, book)).toMatchObject({ inputUsd: 0, outputUsd: 0 })
    expect(priceOf(local, { own: [entry({ match: "*", host: "127.0.0.1" })], packaged })).toMatchObject({
      inputUsd: 1,
      outputUsd: 2,
    })
  })

  it("has a day and a source in every entry of the package", () => {
    expect(packaged.length).toBeGreaterThan(3)
    for (const { asOf, source, host } of packaged)
      expect([asOf.length, /^https:/.test(source), host !== undefined]).toEqual([10, true, true])
  })
})

describe("the worst case of a request", () => {
  const price = priceOf({ model: "m", baseUrl: openai }, { own: [entry({ batchShare: 0.5 })], packaged: [] })
  if (!price) throw new Error("no price")

  it("is never less than what an answer within its bounds costs, and half of it in a batch", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.nat(2000),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (content, maxTokens, share) => {
          const asked = { ...request, messages: [{ role: "user" as const, content }], maxTokens }
          const bytes = new TextEncoder().encode(content).length
          expect(worstCaseTokens(asked).inputTokens).toBeGreaterThan(bytes)
          const answer = {
            text: "",
            inputTokens: Math.floor(bytes * share),
            outputTokens: Math.floor(maxTokens * share),
          }
          expect(answerCostUsd(price, asked, answer)).toBeLessThanOrEqual(worstCaseUsd(price, asked))
          expect(worstCaseUsd(price, asked, true)).toBeCloseTo(worstCaseUsd(price, asked) / 2, 12)
        },
      ),
    )
  })

  it("counts the schema, and stands for the tokens that a server does not count", () => {
    expect(worstCaseTokens({ ...request, schema: { type: "object" } }).inputTokens).toBeGreaterThan(
      worstCaseTokens(request).inputTokens,
    )
    expect(answerCostUsd(price, request, { text: "", inputTokens: null, outputTokens: null })).toBe(
      worstCaseUsd(price, request),
    )
    expect(costUsd(price, { inputTokens: 1e6, outputTokens: 1e6 })).toBe(3)
  })
})

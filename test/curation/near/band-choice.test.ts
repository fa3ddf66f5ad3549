import { expect, test } from "vitest"
import { cheapestBands } from "../../../src/curation/near/band-choice.ts"
import type { ShinglerName } from "../../../src/curation/near/sketcher.ts"
import { textsWithCopies } from "./made-texts.ts"
import { seeded } from "../../seeded.ts"

const cutOf = (name: ShinglerName) => ({ name, boilerplate: new Int32Array(), numbers: "keep" as const })
const missed = (threshold: number, { count, rows }: { count: number; rows: number }) => (1 - threshold ** rows) ** count

test("texts that share little get few rows a band, and more the more texts there are that share much", () => {
  const random = seeded(2)
  const apart = Array.from({ length: 500 }, () =>
    Array.from({ length: 60 }, () => Math.floor(random() * 1e9).toString(36)).join(" "),
  )
  expect(cheapestBands(apart, cutOf("word-5"), 0.8, 1e6).rows).toBe(2)
  const narrow = textsWithCopies(2000, 7)
  const rows = [1e5, 1e7, 1e9].map((count) => cheapestBands(narrow, cutOf("char-4"), 0.7, count).rows)
  expect(rows).toEqual(rows.toSorted((a, b) => a - b))
  expect(rows.at(-1)).toBe(4)
})

test("whatever is chosen misses few pairs right at the threshold", () => {
  for (const threshold of [0.05, 0.3, 0.5, 0.7, 0.8, 0.95, 1])
    for (const texts of [0, 10, 50_000, 1e8]) {
      const bands = cheapestBands(textsWithCopies(50, 3), cutOf("char-4"), threshold, texts)
      expect(missed(threshold, bands), JSON.stringify({ threshold, texts, bands })).toBeLessThanOrEqual(
        texts <= 20_000 ? 1.0001e-9 : 1.0001e-5,
      )
    }
  expect(cheapestBands([], cutOf("word-5"), 0.8, 0).rows).toBeGreaterThan(0)
})

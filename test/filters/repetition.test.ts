import fc from "fast-check"
import { expect, test } from "vitest"
import repetition from "../../src/filters/repetition.ts"
import { textTask } from "../curation/near/made-texts.ts"

test("a loop is found as by looking at every place for every period", () => {
  const words = fc
    .array(fc.constantFrom("a", "b", "ab", "-", "--", "0"), { maxLength: 12 })
    .map((parts) => parts.join(""))
  const looping = fc
    .tuple(words, fc.nat({ max: 60 }), words)
    .map(([unit, times, rest]) => `${rest}${unit.repeat(times)}${rest}`)
  let loops = 0
  fc.assert(
    fc.property(fc.array(looping, { maxLength: 4 }), fc.integer({ min: 3, max: 6 }), (parts, repeats) => {
      const text = parts.join("")
      const [found] = repetition.find(text, { place: "output", task: textTask }, { severity: "drop", repeats })
      const expected = firstLoop(text, repeats)
      if (expected !== undefined) loops += 1
      expect(found?.code === "loop").toBe(expected !== undefined)
    }),
    { seed: 20_261_124, numRuns: 2000 },
  )
  expect(loops).toBeGreaterThan(200)
})

/**
 * The definition, place by place: 40 characters or more that a unit of at most 120 makes by standing there `repeats`
 * times.
 */
function firstLoop(text: string, repeats: number): string | undefined {
  for (let period = 1; period <= Math.min(120, Math.floor(text.length / repeats)); period += 1) {
    const needed = Math.max(40, period * repeats) - period
    let equal = 0
    for (let index = period; index < text.length; index += 1) {
      equal = text[index] === text[index - period] ? equal + 1 : 0
      if (equal < needed) continue
      const unit = text.slice(index - period + 1, index + 1)
      if (/\p{L}/u.test(unit)) return unit
      equal = 0
    }
  }
  return undefined
}

import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { assignmentOf, calibrationItems } from "../../../src/curation/review/asked-reviewers.ts"
import { taskSchema } from "../../../src/core/task/task.ts"

const reviewOf = (review: object) =>
  taskSchema.parse({ task: "t", kind: "text", description: "d", input: { body: {} }, output: {}, review }).review
const certain = { isUncertain: false, isCalibration: false }
const ids = Array.from({ length: 2000 }, (_, index) => `cand_${index}`)
const names = fc.uniqueArray(fc.constantFrom("amara", "ben", "chidi", "dora", "ewa"), { minLength: 2 })

describe("who is asked", () => {
  it("is the same whatever the order of the names, and who joins takes over only what falls to them", () => {
    fc.assert(
      fc.property(names, fc.constantFrom(...ids), (reviewers, id) => {
        const of = (list: readonly string[]) =>
          assignmentOf(reviewOf({ reviewers: list, overlap: 0 }), { id, ...certain }).reviewers
        expect(of(reviewers.toReversed())).toEqual(of(reviewers))
        const [joined] = of([...reviewers, "fatima"])
        expect([joined === "fatima" ? of(reviewers)[0] : joined]).toEqual(of(reviewers))
      }),
    )
  })

  it(
    "is shared evenly, with the overlap that was asked for; two decide on what is uncertain, all on " +
      "calibration items",
    () => {
      const review = reviewOf({ reviewers: ["amara", "ben", "chidi"], overlap: 0.15 })
      const assigned = ids.map((id) => assignmentOf(review, { id, ...certain }).reviewers)
      const both = assigned.filter(({ length }) => length === 2).length
      expect(both / ids.length).toBeGreaterThan(0.12)
      expect(both / ids.length).toBeLessThan(0.18)
      for (const name of review.reviewers) {
        const share = assigned.filter((reviewers) => reviewers[0] === name).length / ids.length
        expect(share).toBeGreaterThan(0.29)
        expect(share).toBeLessThan(0.38)
      }
      expect(assignmentOf(review, { id: "x", isUncertain: true, isCalibration: false })).toMatchObject({ needed: 2 })
      expect(assignmentOf(review, { id: "x", isUncertain: false, isCalibration: true }).reviewers).toHaveLength(3)
      expect(assignmentOf(reviewOf({}), { id: "x", isUncertain: true, isCalibration: true })).toEqual({
        reviewers: [],
        needed: 1,
      })
    },
  )

  it("calibration items stay when others go, and there are none for one reviewer", () => {
    const review = reviewOf({ reviewers: ["amara", "ben"], calibration: 10 })
    const all = calibrationItems(review, ids)
    expect(all.size).toBe(10)
    const fewer = ids.filter((id, index) => all.has(id) || index % 2 === 0)
    expect(calibrationItems(review, fewer)).toEqual(all)
    expect(calibrationItems(reviewOf({ reviewers: ["amara"] }), ids).size).toBe(0)
  })
})

import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { taskSchema } from "../../../src/core/task/task.ts"
import {
  acceptance,
  calibratedThreshold,
  errorEstimate,
  type JudgedCandidate,
} from "../../../src/evaluation/review/acceptance.ts"
import { trialsNeeded, upperErrorBound } from "../../../src/evaluation/statistics/error-bound.ts"
import { binomialAtLeast } from "../../../src/evaluation/statistics/binomial.ts"
import { seededRandom } from "../../../src/evaluation/statistics/random.ts"

const reviewOf = (review: object) =>
  taskSchema.parse({ task: "t", kind: "text", description: "d", input: { body: {} }, output: {}, review }).review

const made = (count: number, more: (index: number) => Partial<JudgedCandidate> = () => ({})): JudgedCandidate[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `cand_${index}`,
    batch: "b1",
    strategy: "s",
    labels: [],
    isRight: undefined,
    ...more(index),
  }))

describe("the exact upper bound of an error rate", () => {
  it("is that of the published tables: 10 of 100 two-sided at 95 %, and the rule of three", () => {
    expect(upperErrorBound(10, 100, 0.975)).toBeCloseTo(0.17622, 5)
    expect(upperErrorBound(0, 59, 0.95)).toBeCloseTo(1 - 0.05 ** (1 / 59), 9)
    expect([upperErrorBound(0, 0, 0.95), upperErrorBound(4, 4, 0.95)]).toEqual([1, 1])
    expect([trialsNeeded(0, 0.05, 0.95), trialsNeeded(1, 0.05, 0.95), trialsNeeded(2, 0.05, 0.95)]).toEqual([
      59, 93, 124,
    ])
  })

  it("is the rate at which so few errors have the chance that is left", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.nat(400),
        fc.constantFrom(0.8, 0.95, 0.99),
        (trials, some, confidence) => {
          const errors = some % trials
          const bound = upperErrorBound(errors, trials, confidence)
          expect(1 - binomialAtLeast(trials, errors + 1, bound)).toBeCloseTo(1 - confidence, 8)
          expect(bound).toBeGreaterThan(errors / trials)
        },
      ),
    )
  })
})

const anyCandidates = fc
  .array(
    fc.record({
      batch: fc.constantFrom("b1", "b2"),
      strategy: fc.constantFrom("s", "t"),
      labels: fc.constantFrom([], ["x"], ["y"]),
      confidence: fc.option(
        fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
        { nil: undefined },
      ),
      isRight: fc.constantFrom(true, true, false, undefined, undefined),
    }),
    { maxLength: 60 },
  )
  .map((rows) =>
    rows.map((row, index): JudgedCandidate => ({ id: `cand_${index}`, ...row, batch: `${row.strategy}-${row.batch}` })),
  )
const anyReview = fc.record({
  policy: fc.constantFrom("all", "sample", "auto"),
  maxError: fc.constantFrom(0.2, 0.6),
  sampleSize: fc.integer({ min: 1, max: 20 }),
  perLabel: fc.boolean(),
  policies: fc.constantFrom([], [{ strategy: "t", policy: "sample" }], [{ label: "x", policy: "auto" }]),
})

describe("what policies accept", () => {
  it(
    "is never what a person decided on, nor what people are asked; the rest waits for a sample that is not " +
      "decided; order does not matter",
    () => {
      fc.assert(
        fc.property(anyReview, anyCandidates, (given, candidates) => {
          const review = reviewOf(given)
          const found = acceptance(review, candidates)
          const waiting = candidates.filter(
            ({ id, isRight }) => isRight === undefined && !found.acceptedBy.has(id) && !found.asked.has(id),
          )
          for (const { id, isRight } of candidates) {
            if (isRight !== undefined) expect([found.acceptedBy.has(id), found.asked.has(id)]).toEqual([false, false])
            if (found.acceptedBy.has(id)) expect(found.asked.has(id)).toBe(false)
          }
          if (waiting.length > 0)
            expect(found.strata.some(({ policy, state }) => policy === "sample" && state === "asking")).toBe(true)
          expect(found.strata.reduce((sum, { candidates: count }) => sum + count, 0)).toBe(candidates.length)
          const again = acceptance(review, candidates.toReversed())
          expect([again.strata, [...again.acceptedBy].sort(), [...again.asked].sort()]).toEqual([
            found.strata,
            [...found.acceptedBy].sort(),
            [...found.asked].sort(),
          ])
        }),
      )
    },
  )

  it(
    "a sample accepts a batch with too many errors no oftener than its confidence says, and mostly accepts " +
      "a good one",
    () => {
      const accepts = (rate: number) => {
        const random = seededRandom(7)
        return Array.from({ length: 150 }, (_, batch) => {
          const candidates = made(200, (index) => ({
            id: `cand_${batch}_${index}`,
            isRight: random.below(1000) >= 1000 * rate,
          }))
          const undecided = candidates.map((candidate) => ({ ...candidate, isRight: undefined }))
          const asked = acceptance(reviewOf({ policy: "sample", randomShare: 0 }), undecided).asked
          const decided = candidates.map((candidate) =>
            asked.has(candidate.id) ? candidate : { ...candidate, isRight: undefined },
          )
          return acceptance(reviewOf({ policy: "sample", randomShare: 0 }), decided).acceptedBy.size > 0
        }).filter(Boolean).length
      }
      expect(accepts(0.05)).toBeLessThanOrEqual(0.08 * 150)
      expect(accepts(0.002)).toBeGreaterThan(0.9 * 150)
    },
  )

  it("a sample that fails asks the whole batch, as soon as it cannot pass", () => {
    const review = reviewOf({ policy: "sample", sampleSize: 20, maxError: 0.2 })
    const first = acceptance(review, made(100))
    expect([first.asked.size, first.acceptedBy.size, first.strata[0]?.missing]).toEqual([20, 0, 20])
    const [one, two] = [...first.asked]
    const wrong = made(100).map((candidate) =>
      candidate.id === one || candidate.id === two ? { ...candidate, isRight: false } : candidate,
    )
    expect(acceptance(review, wrong)).toMatchObject({
      strata: [
        { decided: 2, wrong: 2, missing: 98, state: "asking", reason: expect.stringContaining("cannot be shown") },
      ],
    })
    const right = made(100).map((candidate) =>
      first.asked.has(candidate.id) ? { ...candidate, isRight: true } : candidate,
    )
    const passed = acceptance(review, right)
    expect(new Set(passed.acceptedBy.values())).toEqual(new Set(["policy:sample:b1"]))
    expect(passed.strata).toMatchObject([{ accepted: 80, missing: 0, state: "accepted" }])
    // A larger sample holds the smaller one: nothing that was decided is lost.
    const larger = acceptance(reviewOf({ policy: "sample", sampleSize: 30, maxError: 0.2 }), made(100))
    expect([...first.asked].every((id) => larger.asked.has(id))).toBe(true)
  })

  it(
    "policy auto accepts from the calibrated confidence, but for a random share; with too few decisions it " + "asks",
    () => {
      const confidences = (index: number) => ({ confidence: 1 - (index % 100) / 100 })
      // Right above 0.5, wrong below.
      const decided = made(400, (index) => ({ ...confidences(index), isRight: index % 100 < 50 })).map(
        (each, index) => ({
          ...each,
          id: `cand_d${index}`,
        }),
      )
      const found = acceptance(reviewOf({ policy: "auto" }), [...decided, ...made(200, confidences)])
      const threshold = found.strata[0]?.threshold as number
      expect(threshold).toBeGreaterThan(0.45)
      expect(threshold).toBeLessThan(0.55)
      expect(found.acceptedBy.size).toBeGreaterThan(70)
      expect(found.acceptedBy.size).toBeLessThan(110)
      expect(new Set(found.acceptedBy.values())).toEqual(new Set(["policy:auto"]))
      expect([...found.random].some((id) => found.asked.has(id))).toBe(true)
      const few = acceptance(reviewOf({ policy: "auto" }), [...decided.slice(0, 40), ...made(200, confidences)])
      expect(few).toMatchObject({ strata: [{ accepted: 0, reason: "40 of 93 decisions to calibrate by" }] })
      expect(acceptance(reviewOf({ policy: "auto" }), made(5))).toMatchObject({
        strata: [{ accepted: 0, reason: "no candidate has a confidence" }],
      })
    },
  )

  it("the calibrated confidence lets too many errors through no oftener than its confidence says", () => {
    const random = seededRandom(11)
    // The error rate does not depend on the confidence and is at the limit: every threshold is wrong.
    const passed = Array.from({ length: 400 }, () =>
      calibratedThreshold(
        Array.from({ length: 300 }, () => ({
          confidence: random.below(1000) / 1000,
          isRight: random.below(1000) >= 50,
        })),
        0.05,
        0.95,
      ),
    ).filter((threshold) => threshold !== undefined)
    expect(passed.length).toBeLessThanOrEqual(0.08 * 400)
  })

  it("the share drawn from everything is a tenth, whatever was asked", () => {
    const estimate = errorEstimate(
      reviewOf({}),
      made(3000, (index) => ({ isRight: index % 4 !== 0 })),
    )
    expect(estimate.drawn).toBeGreaterThan(240)
    expect(estimate.drawn).toBeLessThan(360)
    expect(estimate.wrong / estimate.decided).toBeCloseTo(0.25, 1)
  })
})

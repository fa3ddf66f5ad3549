import fc from "fast-check"
import { expect, it } from "vitest"
import { believedEvents, isBelievedTime } from "../../../src/core/training/believed-events.ts"
import type { SentEvent } from "../../../src/core/training/run.ts"

const now = new Date("2026-11-24T12:00:00Z")
const cost = (usd: number): SentEvent => ({ type: "cost", usd, source: "provider" })

it("believes what can be true, as it stands", () => {
  const events: SentEvent[] = [
    { type: "started", totalSteps: 12, details: {}, sentAt: "2026-11-24T11:00:00.000Z" },
    { type: "metric-logged", step: 3, totalSteps: 12, values: { loss: 1.5 } },
    { type: "checkpoint-saved", step: 4, evalLoss: 0.5 },
    { type: "state-changed", state: "running" },
    cost(12.5),
    cost(0),
  ]
  expect(believedEvents(events, now)).toEqual(events)
})

it.each([-20_000, 1e30, Number.NaN, Number.POSITIVE_INFINITY])("does not believe a cost of $%d", (usd) => {
  expect(believedEvents([cost(usd)], now)).toEqual([])
})

it("leaves out steps that are none, and numbers that are beyond all", () => {
  const events: SentEvent[] = [
    { type: "metric-logged", step: 1.5, values: {} },
    { type: "metric-logged", step: -1, values: {} },
    { type: "checkpoint-saved", step: 4_294_967_294.5 },
    { type: "metric-logged", step: 2, totalSteps: 0.5, values: { loss: Number.POSITIVE_INFINITY, accuracy: 0.5 } },
    { type: "checkpoint-saved", step: 3, evalLoss: Number.NEGATIVE_INFINITY },
    { type: "started", totalSteps: -5, details: {} },
  ]
  expect(believedEvents(events, now)).toEqual([
    { type: "metric-logged", step: 2, values: { accuracy: 0.5 } },
    { type: "checkpoint-saved", step: 3 },
    { type: "started", totalSteps: 0, details: {} },
  ])
})

it.each(["", "soon", "1970-01-01T00:00:00Z", "+275760-09-13T00:00:00.000Z", "2026-11-26T12:00:00Z"])(
  "takes no event's time from %j",
  (sentAt) => {
    expect(believedEvents([{ ...cost(1), sentAt }], now)).toEqual([cost(1)])
    expect(isBelievedTime(sentAt, now)).toBe(false)
  },
)

it("leaves nothing that JSON cannot carry, whatever is stated", () => {
  fc.assert(
    fc.property(fc.double(), fc.double(), fc.string(), (step, value, sentAt) => {
      const stated: SentEvent[] = [
        { type: "metric-logged", step, totalSteps: value, values: { value }, sentAt },
        { type: "checkpoint-saved", step, evalLoss: value },
        cost(value),
      ]
      const believed = believedEvents(stated, now)
      expect(JSON.parse(JSON.stringify(believed, (_key, item: unknown) => (Object.is(item, -0) ? 0 : item)))).toEqual(
        JSON.parse(JSON.stringify(believed)),
      )
      for (const event of believed) if (event.type === "cost") expect(event.usd).toBeGreaterThanOrEqual(0)
    }),
  )
})

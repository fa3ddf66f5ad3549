import type { SentEvent } from "./run.ts"

/**
 * The events of a backend, with what can be true of them: costs from nothing to a million dollars, whole steps, numbers
 * that are some, times by a clock that goes right within a day. What cannot be true is left out; a cost that is counts
 * at its estimate.
 */
export function believedEvents(events: readonly SentEvent[], now: Date): readonly SentEvent[] {
  return events.flatMap((event) => {
    const believed = believedBody(event)
    if (believed === undefined) return []
    const { sentAt, ...body } = believed
    return [sentAt === undefined || isBelievedTime(sentAt, now) ? believed : body]
  })
}

/** Whether a backend's time can be one of a training. */
export function isBelievedTime(text: string, now: Date): boolean {
  const at = Date.parse(text)
  return at >= firstMs && at <= now.getTime() + 86_400_000
}

const firstMs = Date.UTC(2015, 0)
const mostUsd = 1e6

function believedBody(event: SentEvent): SentEvent | undefined {
  switch (event.type) {
    case "cost":
      return event.usd >= 0 && event.usd <= mostUsd ? event : undefined
    case "started":
      return isStep(event.totalSteps) ? event : { ...event, totalSteps: 0 }
    case "metric-logged": {
      const { totalSteps, ...rest } = event
      const values = Object.fromEntries(Object.entries(event.values).filter(([, value]) => Number.isFinite(value)))
      const total = totalSteps !== undefined && isStep(totalSteps) ? { totalSteps } : {}
      return isStep(event.step) ? { ...rest, values, ...total } : undefined
    }
    case "checkpoint-saved": {
      const { evalLoss, ...rest } = event
      const loss = evalLoss !== undefined && Number.isFinite(evalLoss) ? { evalLoss } : {}
      return isStep(event.step) ? { ...rest, ...loss } : undefined
    }
    case "resumed":
      return isStep(event.step) ? event : undefined
    default:
      return event
  }
}

function isStep(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

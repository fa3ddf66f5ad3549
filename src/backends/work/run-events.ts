import { z } from "zod"
import type { SentEvent } from "../../core/training/run.ts"

const eventSchema = z.looseObject({
  type: z.string(),
  at: z.string().optional(),
  step: z.int().optional(),
  totalSteps: z.int().optional(),
  // A figure that is not a number, such as a loss that ran away, stands as null.
  values: z.record(z.string(), z.number().nullable()).optional(),
})
type WorkEvent = z.output<typeof eventSchema>

/** A trainer's event as an event of its run, with the trainer's own time; nothing for what a run does not record. */
export function toRunEvents(line: unknown): SentEvent[] {
  const parsed = eventSchema.safeParse(line)
  if (!parsed.success) return []
  const { at: sentAt } = parsed.data
  return bodiesOf(parsed.data).map((body) => ({ ...body, ...(sentAt === undefined ? {} : { sentAt }) }))
}

function bodiesOf(event: WorkEvent): SentEvent[] {
  const { type, step = 0, values = {}, totalSteps } = event
  switch (type) {
    case "started": {
      const { type: _type, at: _at, totalSteps: _total, ...details } = event
      return [{ type: "started", totalSteps: totalSteps ?? 0, details }]
    }
    case "metrics":
    case "evaluated": {
      const numbers = Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== null)
      return [
        {
          type: "metric-logged",
          step,
          ...(totalSteps === undefined ? {} : { totalSteps }),
          values: Object.fromEntries(numbers),
        },
      ]
    }
    case "checkpoint":
      return [{ type: "checkpoint-saved", step }]
    case "resumed":
      return [{ type: "resumed", step }]
    default:
      return []
  }
}

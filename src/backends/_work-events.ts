import { z } from "zod"
import type { LogPage } from "../core/contracts/backend.ts"
import { parseJson } from "../core/json-text.ts"
import type { SentEvent } from "../core/training/run.ts"
import type { FilePart, Transport } from "./_transport.ts"

const eventSchema = z.looseObject({
  type: z.string(),
  at: z.string().optional(),
  step: z.int().optional(),
  totalSteps: z.int().optional(),
  // A figure that is not a number, such as a loss that ran away, stands as null.
  values: z.record(z.string(), z.number().nullable()).optional(),
})
type WorkEvent = z.output<typeof eventSchema>

const progressSchema = z.object({
  type: z.literal("progress"),
  name: z.string(),
  done: z.int(),
  total: z.int(),
})

/**
 * The whole lines of an event log from the byte offset on, and where they end: a line that is still being written waits
 * for the next call, and one that is no event is passed over. A log that is shorter than the offset is another one,
 * read from its beginning.
 */
export async function readEvents(
  transport: Transport,
  file: string,
  offset: number,
): Promise<{ readonly lines: readonly unknown[]; readonly offset: number }> {
  let start = offset
  let part = await transport.read(file, start)
  if (part === undefined) return { lines: [], offset }
  if (part.size < start) {
    start = 0
    part = (await transport.read(file, start)) ?? part
  }
  const bytes = Buffer.from(part.bytes)
  const end = bytes.lastIndexOf(10) + 1
  const lines = bytes.subarray(0, end).toString("utf8").split("\n")
  return { lines: lines.filter((line) => line.trim() !== "").map(parseJson), offset: start + end }
}

/** A trainer's event as an event of its run, with the trainer's own time; nothing for what a run does not record. */
export function toRunEvents(line: unknown): SentEvent[] {
  const parsed = eventSchema.safeParse(line)
  if (!parsed.success) return []
  const { at: sentAt } = parsed.data
  return bodiesOf(parsed.data).map((body) => ({ ...body, ...(sentAt === undefined ? {} : { sentAt }) }))
}

/** How far a piece of generation is; undefined for any other event. */
export function toProgress(line: unknown): z.output<typeof progressSchema> | undefined {
  return progressSchema.safeParse(line).data
}

/** A log's text from the cursor on: whole characters only, for the last may still be half written. */
export function toLogPage(part: FilePart | undefined, offset: number): LogPage {
  if (part === undefined) return { text: "", cursor: String(offset) }
  const bytes = Buffer.from(part.bytes)
  const length = wholeCharacters(bytes)
  return { text: bytes.subarray(0, length).toString("utf8"), cursor: String(offset + length) }
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

/** How many of the bytes are whole characters of UTF-8: at most three of a cut one are missing at the end. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) break
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? bytes.length - back : bytes.length
  }
  return bytes.length
}

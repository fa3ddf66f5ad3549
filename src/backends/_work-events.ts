import { z } from "zod"
import type { LogPage } from "../core/contracts/backend.ts"
import { parseJson } from "../core/json-text.ts"
import type { FilePart, Transport } from "./_transport.ts"

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

/** How many of the bytes are whole characters of UTF-8: at most three of a cut one are missing at the end. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) break
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? bytes.length - back : bytes.length
  }
  return bytes.length
}

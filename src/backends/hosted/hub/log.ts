import { ProviderError } from "../../../core/errors.ts"
import { parseJson } from "../../../core/json-text.ts"
import type { LogPage } from "../../../core/contracts/backend.ts"
import type { Hub, LogLine } from "./hub.ts"

const mostConnections = 4
// In pauses. What has come before the look began comes at once.
const longestLook = 10

/**
 * The lines of a job's log up to now, each once: the hub sends all of it from the beginning, and then goes on as long
 * as the job does. A connection that breaks off is made again, and what came already is passed over.
 */
export async function linesUpToNow(
  hub: Hub,
  job: string,
  quietMs: number,
  from?: Position,
): Promise<{ readonly lines: readonly LogLine[]; readonly position: Position | undefined }> {
  const lines: LogLine[] = []
  let position = from
  for (let connection = 1; ; connection++) {
    const skip = new Skip(position)
    try {
      for await (const line of untilQuiet(hub, job, quietMs)) {
        if (!skip.isNew(line)) continue
        lines.push(line)
        position = after(position, line)
      }
      return { lines, position }
    } catch (error) {
      if (!(error instanceof ProviderError) || !error.isRetryable || connection === mostConnections) throw error
    }
  }
}

/** The log from the cursor on. */
export async function jobLog(hub: Hub, job: string, quietMs: number, cursor: string | undefined): Promise<LogPage> {
  const { lines, position } = await linesUpToNow(hub, job, quietMs, parsePosition(cursor))
  const text = lines.filter((line) => eventIn(line) === undefined).map((line) => `${hub.wire.safe(line.text)}\n`)
  return { text: text.join(""), cursor: position === undefined ? (cursor ?? "") : `${position.at}/${position.count}` }
}

/** An event of the trainer in the log, and its number. */
export function eventIn({ text }: LogLine): { readonly number: number; readonly event: unknown } | undefined {
  const [, number, json] = /^tuneloop-event (\d+) (.*)$/.exec(text.trimEnd()) ?? []
  return number === undefined ? undefined : { number: Number(number), event: parseJson(json ?? "") }
}

/** The last time of a line that was seen, and how many lines had it. */
interface Position {
  readonly at: string
  readonly count: number
}

function parsePosition(cursor = ""): Position | undefined {
  const [, at, count] = /^(.+)\/(\d+)$/.exec(cursor) ?? []
  return at === undefined ? undefined : { at, count: Number(count) }
}

function after(position: Position | undefined, { at }: LogLine): Position {
  return position?.at === at ? { at, count: position.count + 1 } : { at, count: 1 }
}

/** What a position has passed already, in a log that is told from its beginning. */
class Skip {
  readonly #seen: Position | undefined
  #equal = 0

  constructor(seen: Position | undefined) {
    this.#seen = seen
  }

  isNew({ at }: LogLine): boolean {
    if (this.#seen === undefined || at > this.#seen.at) return true
    return at === this.#seen.at && ++this.#equal > this.#seen.count
  }
}

/**
 * The lines until none has come for so long on an open connection, or the log has ended; then it is cut. A job that
 * never pauses is cut too: whoever wants to cancel it does not wait for its end.
 */
async function* untilQuiet(hub: Hub, job: string, quietMs: number): AsyncGenerator<LogLine> {
  const cut = new AbortController()
  const open = Promise.withResolvers<void>()
  const log = hub.log(job, cut.signal, open.resolve)
  let whole: AbortSignal | undefined
  try {
    for (;;) {
      const next = log.next()
      // Nobody listens any more to what is thrown when the connection is cut.
      next.catch(() => undefined)
      await Promise.race([next, open.promise])
      whole ??= AbortSignal.timeout(longestLook * quietMs)
      if (whole.aborted) return
      const quiet = Promise.withResolvers<undefined>()
      const limit = AbortSignal.any([AbortSignal.timeout(quietMs), whole])
      const end = () => quiet.resolve(undefined)
      limit.addEventListener("abort", end)
      const result = await Promise.race([next, quiet.promise])
      limit.removeEventListener("abort", end)
      if (result === undefined || result.done) return
      yield result.value
    }
  } finally {
    cut.abort()
  }
}

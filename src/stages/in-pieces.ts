import { setImmediate } from "node:timers/promises"

/**
 * Goes through work that yields now and then, as computing does that would else keep the process to itself. Signals are
 * heard in between: an interrupted command ends with the signal's reason.
 */
export async function inPieces<Result>(work: Generator<void, Result>, signal: AbortSignal): Promise<Result> {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    await setImmediate()
    if (!signal.aborted) continue
    work.return(undefined as never)
    signal.throwIfAborted()
  }
}

/** Work on so many rows is one piece. */
export const rowsAPiece = 1024

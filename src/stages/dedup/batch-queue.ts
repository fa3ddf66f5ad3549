import type { SketchPlan } from "../../curation/near/sketcher.ts"
import type { ComparedFields } from "../../curation/text/compared-fields.ts"
import { ThreadPool, type ThreadStarter } from "../threads.ts"
import { BatchRing, ringSlots, type BatchPart } from "./batch-ring.ts"
import { BatchSketcher } from "./batch-sketcher.ts"
import type { SketchTask, ThreadIssues } from "./sketch-batches.ts"

/**
 * The batches of a JSONL file as sketches, in order, made by several threads. The thread that asks makes some itself
 * instead of waiting; without workers it makes them all.
 */
export class BatchQueue {
  readonly #path: string
  readonly #batches: number
  readonly #ring = new BatchRing()
  readonly #pool: ThreadPool<SketchTask, ThreadIssues>
  /** What each thread says in the end; rejected when one fails. */
  #ends: Promise<readonly ThreadIssues[]> = Promise.resolve([])
  #failure: Promise<never> = new Promise(() => undefined)
  /** The batches that this thread made ahead of their turn. */
  readonly #ahead = new Map<number, BatchPart[]>()
  #sketcher: BatchSketcher | undefined

  constructor(path: string, batches: number, starter: ThreadStarter) {
    this.#path = path
    this.#batches = batches
    this.#ring.prepare()
    this.#pool = new ThreadPool(starter, Math.max(0, Math.min(starter.count, batches - 1)))
  }

  /** From now on the threads work. */
  start(fields: ComparedFields, plan: Required<SketchPlan>): void {
    this.#sketcher = new BatchSketcher(this.#path, fields, plan)
    const task = { path: this.#path, fields, batches: this.#batches, memory: this.#ring.memory, plan }
    this.#ends = this.#pool.each<ThreadIssues>(
      () => task,
      (answer) => answer,
    )
    this.#failure = new Promise((_, reject) => {
      this.#ends.catch(reject)
    })
    this.#failure.catch(() => undefined)
  }

  /** Shows `take` the batch, part by part, and resolves to the number of its lines. Asked for every batch in order. */
  async next(batch: number, take: (part: BatchPart) => void): Promise<number> {
    for (;;) {
      const own = this.#ahead.get(batch)
      if (own !== undefined) {
        for (const part of own) take(part)
        this.#ahead.delete(batch)
        this.#ring.free(batch, true)
        return own.at(-1)?.lines ?? 0
      }
      const part = this.#ring.ready(batch)
      if (part !== undefined) {
        take(part)
        this.#ring.free(batch, part.isLast)
        if (part.isLast) return part.lines
      } else if (!this.#makeOne(batch, take)) await Promise.race([this.#ring.untilReady(batch), this.#failure])
    }
  }

  /** What all threads met; resolves once they are done. */
  async issues(): Promise<ThreadIssues[]> {
    return [...(this.#sketcher ? [this.#sketcher] : []), ...(await this.#ends)]
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    this.#sketcher?.close()
    this.#sketcher = undefined
    await this.#pool.stop()
  }

  /**
   * Makes a batch that nobody has yet, unless it is too far ahead of the turn. One whose turn it is goes to `take`
   * without being copied.
   */
  #makeOne(turn: number, take: (part: BatchPart) => void): boolean {
    const batch = this.#ring.claim(Math.min(this.#batches, turn + ringSlots))
    if (batch < 0) return false
    const parts: BatchPart[] = []
    this.#sketcher?.sketch(batch, ({ numbers, rows }, isLast, lines) => {
      if (batch === turn) take({ numbers, rows, lines })
      if (batch !== turn || isLast)
        parts.push({ numbers: batch === turn ? nothing : numbers.slice(), rows: batch === turn ? 0 : rows, lines })
    })
    this.#ahead.set(batch, parts)
    return true
  }
}

const nothing = new Int32Array()

import { Worker } from "node:worker_threads"
import type { SketchPlan } from "../../curation/near/sketcher.ts"
import { BatchRing, ringSlots, type BatchPart } from "./batch-ring.ts"
import { BatchSketcher, type BatchIssue } from "./batch-sketcher.ts"
import type { WorkerTask } from "./sketch-worker.ts"

/** The issues that one thread met, of many the first. */
export interface ThreadIssues {
  readonly issues: readonly BatchIssue[]
  readonly issueCount: number
}

/**
 * The batches of a JSONL file as sketches, in order, made by several threads. The thread that asks makes some itself
 * instead of waiting; without workers it makes them all.
 */
export class BatchQueue {
  readonly #path: string
  readonly #field: string | undefined
  readonly #batches: number
  readonly #ring = new BatchRing()
  readonly #workers: Worker[]
  /** What each worker says in the end; rejected when one fails. */
  readonly #ends: Promise<ThreadIssues>[]
  readonly #failure: Promise<never>
  /** The batches that this thread made ahead of their turn. */
  readonly #ahead = new Map<number, BatchPart[]>()
  #sketcher: BatchSketcher | undefined

  constructor(path: string, field: string | undefined, batches: number, workers: number) {
    this.#path = path
    this.#field = field
    this.#batches = batches
    this.#ring.prepare()
    const task: WorkerTask = { path, field, batches, memory: this.#ring.memory }
    const ending = import.meta.filename.endsWith(".ts") ? ".ts" : ".js"
    this.#workers = Array.from(
      { length: workers },
      () => new Worker(new URL(`./sketch-worker${ending}`, import.meta.url), { workerData: task }),
    )
    this.#ends = this.#workers.map(
      (worker) =>
        new Promise<ThreadIssues>((resolve, reject) => {
          worker.once("message", resolve).once("error", reject)
          worker.once("exit", (code) => reject(new Error(`a thread ended with ${code}`)))
        }),
    )
    this.#failure = new Promise((_, reject) => {
      for (const end of this.#ends) end.catch(reject)
    })
    this.#failure.catch(() => undefined)
  }

  /** From now on the threads work. */
  start(plan: Required<SketchPlan>): void {
    this.#sketcher = new BatchSketcher(this.#path, this.#field, plan)
    for (const worker of this.#workers) worker.postMessage(plan)
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
    return [...(this.#sketcher ? [this.#sketcher] : []), ...(await Promise.all(this.#ends))]
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    this.#sketcher?.close()
    this.#sketcher = undefined
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
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

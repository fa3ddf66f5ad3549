import type { Worker } from "node:worker_threads"
import { DataError } from "../core/errors.ts"

/** Starts threads that do what they are sent. */
export interface ThreadStarter {
  /** How many work at once. */
  readonly count: number
  /** Of a smaller file there are no threads; by default the size from which they save more than starting them takes. */
  readonly leastBytes?: number | undefined
  start(): Worker
}

/** What a thread sends instead of an answer where a DataError kept it from one. */
export interface Refused {
  readonly refused: Pick<DataError, "message" | "issues" | "hint">
}

/**
 * Threads that start at once and wait for their tasks, each one at a time. `Task` and `Answer` are plain data; a thread
 * may send several answers to a task.
 */
export class ThreadPool<Task, Answer extends object> {
  readonly #workers: readonly Worker[]
  #next = 0

  constructor(starter: Pick<ThreadStarter, "start">, count: number) {
    this.#workers = Array.from({ length: count }, () => starter.start())
  }

  get count(): number {
    return this.#workers.length
  }

  /** Sends each thread its task and resolves to their results, which `receive` makes of an answer sooner or later. */
  async each<Result>(
    taskOf: (thread: number) => Task,
    receive: (answer: Answer) => Result | undefined,
  ): Promise<Result[]> {
    return Promise.all(this.#workers.map((worker, thread) => ask(worker, taskOf(thread), receive)))
  }

  /** Sends the task to one of the threads, another one each time as long as there are some. */
  async one<Result>(task: Task, receive: (answer: Answer) => Result | undefined): Promise<Result> {
    return ask(this.#workers[this.#next++ % this.count] as Worker, task, receive)
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}

function ask<Task, Answer extends object, Result>(
  worker: Worker,
  task: Task,
  receive: (answer: Answer) => Result | undefined,
): Promise<Result> {
  return new Promise<Result>((resolve, reject) => {
    const fail = (code: unknown) =>
      reject(code instanceof Error ? code : new Error(`a thread ended with ${String(code)}`))
    const hear = (answer: Answer | Refused) => {
      try {
        // Its message tells the issues already.
        if ("refused" in answer)
          throw Object.assign(new DataError(answer.refused.message, [], answer.refused.hint), {
            issues: answer.refused.issues,
          })
        const result = receive(answer)
        if (result === undefined) return
        worker.off("message", hear).off("error", fail).off("exit", fail)
        resolve(result)
      } catch (error) {
        reject(error)
      }
    }
    worker.on("message", hear).on("error", fail).on("exit", fail)
    worker.postMessage(task)
  })
}

/** Does the work of a thread; the DataError that keeps it from an answer is sent instead. */
export function answering(work: () => void, send: (answer: Refused) => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    const { message, issues, hint } = error
    send({ refused: { message, issues, hint } })
  }
}

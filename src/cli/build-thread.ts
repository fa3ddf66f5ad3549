// A thread of a build, which does what it is sent: started by `buildThreads`.
import { availableParallelism } from "node:os"
import { parentPort, Worker } from "node:worker_threads"
import { workOn, type ThreadTask } from "../stages/building/thread-tasks.ts"
import type { ThreadStarter } from "../stages/threads.ts"
import { loadFilters } from "./plugins.ts"

/** A thread a core, but not more than the one that collects their rows can follow. */
export const buildThreads: ThreadStarter = {
  count: Math.min(availableParallelism(), 4),
  // What a row leaves behind is of no use for long: more room for it would be memory for nothing.
  start: () => new Worker(new URL(import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: 32 } }),
}

const port = parentPort
port?.on("message", (task: ThreadTask) => {
  void ("pass" in task ? loadFilters(task.pass.options.task) : Promise.resolve([])).then((filters) =>
    workOn(
      task,
      filters,
      () => performance.now(),
      (answer) => port.postMessage(answer),
    ),
  )
})

// A thread of a build, which does what it is sent: started by `buildThreads`.
import { availableParallelism } from "node:os"
import { parentPort, Worker } from "node:worker_threads"
import { workOn, type ThreadStarter, type ThreadTask } from "../stages/building/build-threads.ts"
import { loadFilters } from "./plugins.ts"
import { monotonicMs } from "./machine.ts"

/** A thread a core, but not more than the one that collects their rows can follow. */
export const buildThreads: ThreadStarter = {
  count: Math.min(availableParallelism(), 4),
  // What a row leaves behind is of no use for long: more room for it would be memory for nothing.
  start: () => new Worker(new URL(import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: 32 } }),
}

const port = parentPort
port?.on("message", (task: ThreadTask) => {
  void ("pass" in task ? loadFilters(task.pass.options.task) : Promise.resolve([])).then((filters) =>
    workOn(task, filters, monotonicMs, (answer) => port.postMessage(answer)),
  )
})

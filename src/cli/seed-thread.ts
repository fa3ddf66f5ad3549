// A thread of a build that takes seeds through the pass until there are none left: started by `buildThreads`.
import { availableParallelism } from "node:os"
import { parentPort, Worker } from "node:worker_threads"
import { passSeeds, type SeedPassTask, type ThreadStarter } from "../stages/seed-threads.ts"
import { loadFilters } from "./plugins.ts"

/** A thread a core, but not more than the one that collects their rows can follow. */
export const buildThreads: ThreadStarter = {
  count: Math.min(availableParallelism(), 4),
  start: () => new Worker(new URL(import.meta.url)),
}

parentPort?.once("message", (task: SeedPassTask) => {
  const port = parentPort
  void loadFilters(task.options.task).then((filters) => {
    passSeeds(
      task,
      filters,
      () => performance.now(),
      (message, transferred) => port?.postMessage(message, [...transferred]),
    )
    port?.close()
  })
})

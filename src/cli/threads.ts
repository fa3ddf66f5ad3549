// The threads of the command line: started from here, each for one kind of work, which it does as it is sent.
import { availableParallelism } from "node:os"
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import { monotonicMs } from "./machine.ts"
import type { ThreadTask } from "../stages/building/thread-tasks.ts"
import type { SketchTask } from "../stages/dedup/sketch-batches.ts"
import type { ThreadStarter } from "../stages/threads.ts"

type Work = "build" | "sketch"

/** A thread a core, but not more than the one that collects their rows can follow. */
export const buildThreads: ThreadStarter = {
  count: Math.min(availableParallelism(), 4),
  // What a row leaves behind is of no use for long: more room for it would be memory for nothing.
  start: () => startThread("build", { maxYoungGenerationSizeMb: 32 }),
}

/** So many threads that make sketches for `dedup`. */
export function sketchThreads(count: number): ThreadStarter {
  return { count, start: () => startThread("sketch") }
}

function startThread(work: Work, resourceLimits?: { readonly maxYoungGenerationSizeMb: number }): Worker {
  return new Worker(new URL(import.meta.url), { workerData: { work }, ...(resourceLimits && { resourceLimits }) })
}

/** What is sent before the code is loaded waits until it is. */
const listeners: Readonly<Record<Work, (port: NonNullable<typeof parentPort>) => Promise<void>>> = {
  build: async (port) => {
    const { workOn } = await import("../stages/building/thread-tasks.ts")
    const { loadFilters } = await import("./plugins.ts")
    port.on("message", (task: ThreadTask) => {
      void ("pass" in task ? loadFilters(task.pass.options.task) : Promise.resolve([])).then((filters) =>
        workOn(task, filters, monotonicMs, (answer) => port.postMessage(answer)),
      )
    })
  },
  sketch: async (port) => {
    const { sketchBatches } = await import("../stages/dedup/sketch-batches.ts")
    port.on("message", (task: SketchTask) => sketchBatches(task, (answer) => port.postMessage(answer)))
  },
}

const wanted: unknown = isMainThread ? undefined : workerData?.work
if (parentPort !== null && (wanted === "build" || wanted === "sketch")) void listeners[wanted](parentPort)

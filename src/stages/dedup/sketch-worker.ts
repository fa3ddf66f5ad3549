// A thread that makes sketches of batches until there are none left: started by deduplicate-file.ts, which sends the
// plan when it has it.
import { parentPort, workerData } from "node:worker_threads"
import type { SketchPlan } from "../../curation/near/sketcher.ts"
import { BatchRing } from "./batch-ring.ts"
import { BatchSketcher } from "./batch-sketcher.ts"

/** What the thread is started with. */
export interface WorkerTask {
  readonly path: string
  readonly field: string | undefined
  readonly batches: number
  readonly memory: SharedArrayBuffer
}

parentPort?.once("message", (plan: Required<SketchPlan>) => {
  const { path, field, batches, memory } = workerData as WorkerTask
  const ring = new BatchRing(memory)
  const sketcher = new BatchSketcher(path, field, plan)
  for (let batch = ring.claim(batches); batch >= 0; batch = ring.claim(batches))
    sketcher.sketch(batch, (part, isLast, lines) => ring.publish(batch, part, isLast, lines))
  sketcher.close()
  parentPort?.postMessage({ issues: sketcher.issues, issueCount: sketcher.issueCount })
})

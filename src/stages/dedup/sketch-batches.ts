import type { SketchPlan } from "../../curation/near/sketcher.ts"
import type { ComparedFields } from "../../curation/text/compared-fields.ts"
import { answering, type Refused } from "../threads.ts"
import { BatchRing } from "./batch-ring.ts"
import { BatchSketcher, type BatchIssue } from "./batch-sketcher.ts"

/** What a thread that makes sketches is sent: plain data. */
export interface SketchTask {
  readonly path: string
  readonly fields: ComparedFields
  readonly batches: number
  readonly memory: SharedArrayBuffer
  readonly plan: Required<SketchPlan>
}

/** The issues that one thread met, of many the first. */
export interface ThreadIssues {
  readonly issues: readonly BatchIssue[]
  readonly issueCount: number
}

/** Makes sketches of batches until there are none left, and hands them over through the memory. */
export function sketchBatches(
  { path, fields, batches, memory, plan }: SketchTask,
  send: (answer: ThreadIssues | Refused) => void,
): void {
  answering(() => {
    const ring = new BatchRing(memory)
    const sketcher = new BatchSketcher(path, fields, plan)
    for (let batch = ring.claim(batches); batch >= 0; batch = ring.claim(batches))
      sketcher.sketch(batch, (part, isLast, lines) => ring.publish(batch, part, isLast, lines))
    sketcher.close()
    send({ issues: sketcher.issues, issueCount: sketcher.issueCount })
  }, send)
}

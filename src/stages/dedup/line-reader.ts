import { setImmediate } from "node:timers/promises"
import { DataError, type Issue } from "../../core/errors.ts"
import type { SketchPlan } from "../../curation/near/sketcher.ts"
import type { ComparedFields } from "../../curation/text/compared-fields.ts"
import { BatchQueue } from "./batch-queue.ts"
import type { BatchPart } from "./batch-ring.ts"
import { batchBytes, issueAt } from "./batch-sketcher.ts"
import { fileBytes } from "../../store/files/files.ts"
import type { StageContext } from "../context.ts"
import type { ThreadStarter } from "../threads.ts"

/**
 * The rows of a JSONL file as sketches, from its first line to its last, made by several threads, which start at once
 * and wait for the plan.
 */
export class LineReader {
  readonly #context: Pick<StageContext, "signal" | "report">
  readonly #file: string
  readonly #batches: number
  readonly #queue: BatchQueue

  constructor(context: Pick<StageContext, "signal" | "report">, file: string, threads: ThreadStarter) {
    this.#context = context
    this.#file = file
    this.#batches = Math.ceil(fileBytes(file) / batchBytes)
    this.#queue = new BatchQueue(file, this.#batches, threads)
  }

  /**
   * Shows `take` every part with the first line of its batch, in order; `take` says how many rows it had. Throws where
   * a line is no row.
   */
  async read(
    fields: ComparedFields,
    plan: Required<SketchPlan>,
    take: (part: BatchPart, firstLine: number) => number,
  ): Promise<void> {
    const { signal, report } = this.#context
    try {
      this.#queue.start(fields, plan)
      const firstLines = [1]
      let rows = 0
      for (let batch = 0; batch < this.#batches; batch += 1) {
        const firstLine = firstLines[batch] as number
        const lines = await this.#queue.next(batch, (part) => {
          rows += take(part, firstLine)
        })
        firstLines.push(firstLine + lines)
        // Signals are heard between batches only.
        await setImmediate()
        signal.throwIfAborted()
        if (batch % batchesAReport === batchesAReport - 1) report.progress(`dedup: ${rows} rows read`)
      }
      const found = await this.#queue.issues()
      refuseIssues(
        this.#file,
        found.flatMap(({ issues }) => issues.map((issue) => issueAt(this.#file, issue, firstLines))),
        found.reduce((sum, { issueCount }) => sum + issueCount, 0),
        rows,
      )
    } finally {
      await this.close()
    }
  }

  async close(): Promise<void> {
    await this.#queue.stop()
  }
}

const batchesAReport = 32

/** What is wrong with many rows alike, as a field that none has, is said once, at the first of them. */
function merged(issues: readonly Issue[], found: number): Issue[] {
  return [...Map.groupBy(issues, ({ message }) => message).values()].map(([first, ...others]) => ({
    ...(first as Issue),
    ...(others.length === 0
      ? {}
      : { message: `${first?.message}; the same in ${issues.length === found ? others.length : "many"} other rows` }),
  }))
}

/** Throws where there are issues, or no rows at all. */
export function refuseIssues(file: string, issues: readonly Issue[], count: number, read: number): void {
  if (count > 0)
    throw new DataError(
      `${count} of ${count + read} rows cannot be read; nothing was written`,
      merged(
        issues.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)),
        count,
      ),
      "Mend those rows, or name the field to compare by --field.",
    )
  if (read === 0) throw new DataError(`${file} has no rows`, [], "Give a file with at least one row.")
}

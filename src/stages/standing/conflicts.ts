import type { QueuedConflict } from "../../core/rows/example.ts"
import type { SourceRow } from "../../core/rows/review-item.ts"
import { conflictId } from "../../core/rows/row-identity.ts"
import { rowChecks } from "../../curation/review/row-checks.ts"
import { toJsonLines } from "../../store/files/files.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import { conflictItems, sideOf } from "./kinds/conflict.ts"

/** Two examples by their ids. */
export interface ExamplePair {
  readonly a: string
  readonly b: string
  readonly similarity: number
}

/**
 * The pairs are in the task's review queue, each as one question; what is no conflict any more is no longer asked.
 * Returns those of the pairs that wait for a decision. Writes nothing where nothing is new.
 */
export function queueConflicts<Pair extends ExamplePair>(
  rows: TaskRows,
  sources: ReadonlyMap<string, SourceRow>,
  pairs: readonly Pair[],
): Pair[] {
  const decisions = Map.groupBy(rows.review.decisions(), ({ item }) => item)
  const checkOf = rowChecks(decisions)
  const byExample = new Map([...sources.values()].map((source) => [source.example.id, source]))
  const found = new Map<string, { queued: QueuedConflict; pair: Pair }>()
  for (const pair of pairs) {
    const [a, b] = [byExample.get(pair.a), byExample.get(pair.b)]
    if (a === undefined || b === undefined) continue
    const [first, second] = [sideOf(a, checkOf), sideOf(b, checkOf)]
    const id = conflictId(first.check, second.check)
    found.set(id, {
      queued: { id, a: first.asked, b: second.asked, similarity: Number(pair.similarity.toFixed(4)), isCurrent: true },
      pair,
    })
  }
  const known = rows.review.conflicts()
  // What was asked stays as it was asked, so that a file that is out for review can still be imported.
  const kept = known.map((conflict) => ({ ...conflict, isCurrent: found.has(conflict.id) }))
  const asked = new Set(known.map(({ id }) => id))
  const added = [...found.values()].flatMap(({ queued }) => (asked.has(queued.id) ? [] : [queued]))
  const queue = [...kept, ...added].sort((a, b) => (a.id < b.id ? -1 : 1))
  if (toJsonLines(queue) !== toJsonLines(known)) rows.review.writeConflicts(queue)
  const open = new Set(
    conflictItems({ rows, sources, decisions }).flatMap(({ conflict, isOpen }) => (isOpen ? [conflict] : [])),
  )
  return [...found].flatMap(([id, { pair }]) => (open.has(id) ? [pair] : []))
}

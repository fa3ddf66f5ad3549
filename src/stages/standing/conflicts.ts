import { canonicalJson, contentId, digest } from "../../core/canonical.ts"
import type { Decision, DecisionLine, Input, Output, QueuedConflict } from "../../core/rows/example.ts"
import { checkId, conflictId } from "../../core/rows/row-identity.ts"
import { toJsonLines } from "../../store/files/files.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import type { ReviewItem, SourceRow } from "./review-items.ts"
import { rowChecks } from "./row-checks.ts"
import { adjudicationOf, consensusOn } from "./standing.ts"

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
  const decisions = Map.groupBy(rows.decisions(), ({ item }) => item)
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
  const known = rows.conflicts()
  // What was asked stays as it was asked, so that a file that is out for review can still be imported.
  const kept = known.map((conflict) => ({ ...conflict, isCurrent: found.has(conflict.id) }))
  const asked = new Set(known.map(({ id }) => id))
  const added = [...found.values()].flatMap(({ queued }) => (asked.has(queued.id) ? [] : [queued]))
  const queue = [...kept, ...added].sort((a, b) => (a.id < b.id ? -1 : 1))
  if (toJsonLines(queue) !== toJsonLines(known)) rows.writeConflicts(queue)
  const open = new Set(
    conflictItems(rows, sources, decisions).flatMap(({ conflict, isOpen }) => (isOpen ? [conflict] : [])),
  )
  return [...found].flatMap(([id, { pair }]) => (open.has(id) ? [pair] : []))
}

/**
 * Every conflict of the queue whose rows stand in their files as they did when it was asked. It waits while it is one
 * still and nobody decided; one that reviewers decided on differently waits as their adjudication, one whose rows were
 * corrected differently since it was settled as another question.
 */
export function conflictItems(
  rows: TaskRows,
  sources: ReadonlyMap<string, SourceRow>,
  decisions: ReadonlyMap<string, readonly Decision[]>,
): { conflict: string; item: ReviewItem; isOpen: boolean }[] {
  const checkOf = rowChecks(decisions)
  return rows.conflicts().flatMap((conflict) => {
    const [a, b] = [conflict.a, conflict.b].map((asked) => {
      const source = sources.get(asked.row)
      const side = source && sideOf(source, checkOf)
      return side?.check === asked.check ? { ...side, asked } : undefined
    })
    if (a === undefined || b === undefined) return []
    const isConflict = conflict.isCurrent && canonicalJson(a.output) !== canonicalJson(b.output)
    const questions: { conflict: string; item: ReviewItem; isOpen: boolean }[] = []
    const ask = (item: ReviewItem): boolean => {
      const decided = decisions.get(item.id) ?? []
      const consensus = consensusOn(item, decided)
      questions.push({ conflict: conflict.id, item, isOpen: isConflict && consensus.state === "open" })
      const adjudication = consensus.state === "disputed" ? adjudicationOf(item, decided) : undefined
      if (adjudication) questions.push({ conflict: conflict.id, item: adjudication, isOpen: isConflict })
      return consensus.state === "agreed" && isAsLeft(item, consensus.decision, [a, b])
    }
    const asked = conflictItem(conflict.id, conflict, [a, b])
    if (ask(asked) || consensusOn(asked, decisions.get(asked.id) ?? []).state !== "agreed") return questions
    const outputs = [a.output, b.output]
    const present = [a, b].map((side) => ({ ...side, asked: { ...side.asked, output: side.output } })) as [Side, Side]
    ask({
      ...conflictItem(contentId("conflict", { conflict: conflict.id, outputs }), conflict, present),
      isReopened: true,
    })
    return questions
  })
}

function conflictItem(id: string, conflict: QueuedConflict, [a, b]: readonly [Side, Side]): ReviewItem {
  return {
    id,
    kind: "conflict",
    input: a.input,
    output: a.asked.output,
    other: b.input,
    current: b.asked.output,
    note: `${conflict.a.row} (a) and ${conflict.b.row} (b) are near-duplicates, similarity ${conflict.similarity.toFixed(2)}, with different outputs`,
    revision: digest([a, b].map(({ input, asked }) => ({ input, output: asked.output }))),
    rows: [a, b].map(({ check, input, asked }) => ({
      row: asked.row,
      check,
      output: asked.output,
      revision: digest({ input, output: asked.output }),
    })),
  }
}

/** Whether the rows have the outputs by now that the decision gave them. */
function isAsLeft({ rows = [] }: ReviewItem, { verdict, output }: Decision, sides: readonly Side[]): boolean {
  return sides.every(
    (side, index) =>
      !side.isDisputed &&
      canonicalJson(side.output) === canonicalJson(verdict === "reject" ? rows[index]?.output : output),
  )
}

/**
 * What a decision on a conflict says of its two rows: the right output for both, that each keeps its own, or that it is
 * taken back. Nothing for other items.
 */
export function rowDecisions(item: ReviewItem, decision: DecisionLine): DecisionLine[] {
  if (item.kind !== "conflict") return []
  return (item.rows ?? []).map(({ row, check, output, revision }) => {
    const about = { ...decision, item: check, rows: [row], revision }
    return decision.verdict === "withdraw"
      ? about
      : { ...about, verdict: "edit", output: decision.verdict === "reject" ? output : decision.output }
  })
}

interface Side {
  readonly check: string
  readonly input: Input
  /** The output that the row has by now. */
  readonly output: Output
  readonly isDisputed: boolean
  readonly asked: QueuedConflict["a"]
}

function sideOf({ row, example }: SourceRow, checkOf: ReturnType<typeof rowChecks>): Side {
  const { input } = example
  const state = checkOf(row, input, example.output)
  const output = state.state === "corrected" ? state.output : example.output
  const check = checkId(row, input, example.output)
  return { check, input, output, isDisputed: state.state === "disputed", asked: { row, check, output } }
}

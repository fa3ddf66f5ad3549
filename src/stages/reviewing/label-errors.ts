import { findLabelErrors } from "../../curation/learned/label-errors.ts"
import { UsageError } from "../../core/errors.ts"
import { splits, type QueuedSuspect, type Split } from "../../core/rows/example.ts"
import { checkId } from "../../core/rows/row-identity.ts"
import { inputText } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { toJsonLines } from "../../store/files/files.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { TaskWatch } from "../../store/erasing/task-watch.ts"
import type { StageContext } from "../context.ts"
import { labelError } from "../standing/kinds/label-error.ts"
import { taskExamples, type TaskExamples } from "../standing/task-examples.ts"
import { holdOut } from "../arriving/hold-out.ts"
import { rowChecks } from "../../curation/review/row-checks.ts"

export interface LabelErrorSearch {
  readonly state: "searched" | "unchanged"
  readonly judged: number
  /** Labels with too few train rows to judge, and how many rows of each were left out. */
  readonly unjudged: readonly { readonly label: string; readonly rows: number }[]
  /**
   * What waits for a decision, the most suspect first; without text, because rows of the sealed test set are among
   * them.
   */
  readonly suspects: readonly Omit<QueuedSuspect, "isCurrent">[]
  readonly bySplit: Readonly<Record<Split, number>>
  /** Which labels are suspected to stand for which other ones, the most frequent first. */
  readonly pairs: readonly { readonly label: string; readonly suggested: string; readonly rows: number }[]
  /** Suspected rows that experts decided on before, which are not asked about again. */
  readonly decidedBefore: number
  readonly seconds: number
}

/**
 * The rows of the task whose labels are probably wrong are in its review queue, those held out included: judged by
 * models that never saw them, without a file of the holdout being opened, and nothing is deleted. Rows that experts
 * decided on do not come back, and what was asked before and is not suspected any more is no longer asked, though its
 * decision is still read. The same rows give the same queue. All examples of the task are in memory, with 12 bytes for
 * each different word, pair of words and run of characters of each, and 4 bytes for each of these in all of them and
 * each label.
 */
export async function searchLabelErrors(context: StageContext, task: TaskSpecification): Promise<LabelErrorSearch> {
  if (task.kind !== "label")
    throw new UsageError(
      `label errors are searched for in tasks of kind label; ${task.task} is of kind ${task.kind}`,
      `Look at its examples in the review instead: tuneloop review export ${task.task}`,
    )
  await holdOut(context, task)
  const watch = new TaskWatch(context.workspace, task.task)
  const rows = new TaskRows(context.workspace, task.task)
  const before = taskExamples(task, rows)
  const started = context.monotonicMs()
  const examples = splits.flatMap((split) => before[split].map((example) => ({ example, split })))
  const { suspects, judged, unjudged } = findLabelErrors(
    examples.map(({ example, split }) => ({
      id: example.id,
      text: inputText(task, example.input),
      label: String(example.output),
      isTrain: split === "train",
      group: example.provenance.group,
    })),
    { threshold: task.build.threshold },
  )
  const seconds = (context.monotonicMs() - started) / 1000
  const { found, decidedBefore } = undecided(before, rows, suspects)
  const current = new Set(found.map(({ id }) => id))
  const known = rows.review.suspects()
  // What was asked stays as it was asked, so that a file that is out for review can still be imported.
  const queue = [
    ...found,
    ...known.filter(({ id }) => !current.has(id)).map((suspect) => ({ ...suspect, isCurrent: false })),
  ]
  const isUnchanged = toJsonLines(queue) === toJsonLines(known)
  if (!isUnchanged) watch.commit(() => rows.review.writeSuspects(queue))
  const waiting = new Set((taskExamples(task, rows).aboutExamples.get(labelError.name) ?? []).map(({ id }) => id))
  const open = queue.filter(({ id }) => waiting.has(id)).map(({ isCurrent: _, ...suspect }) => suspect)
  return {
    state: isUnchanged ? "unchanged" : "searched",
    judged,
    unjudged,
    suspects: open,
    bySplit: countBySplit(open),
    pairs: pairsOf(open),
    decidedBefore,
    seconds,
  }
}

/** The suspects as the queue has them, without those rows that experts decided on before. */
function undecided(
  { sources }: TaskExamples,
  rows: TaskRows,
  suspects: ReturnType<typeof findLabelErrors>["suspects"],
): { readonly found: QueuedSuspect[]; readonly decidedBefore: number } {
  const byExample = new Map([...sources.values()].map((source) => [source.example.id, source]))
  const checkOf = rowChecks(Map.groupBy(rows.review.decisions(), (decision) => decision.item))
  let decidedBefore = 0
  const found = suspects.flatMap(({ id, label, suggested, ...confidences }): QueuedSuspect[] => {
    const source = byExample.get(id)
    if (source === undefined) return []
    const { row, split, example } = source
    if (checkOf(row, example.input, example.output).state !== "open") {
      decidedBefore++
      return []
    }
    const [selfConfidence, confidence] = [rounded(confidences.selfConfidence), rounded(confidences.confidence)]
    const check = checkId(row, example.input, example.output)
    return [{ id: check, row, split, label, suggested, selfConfidence, confidence, isCurrent: true }]
  })
  return { found, decidedBefore }
}

/** Figures in files are short: what lies beyond the sixth place decides nothing. */
function rounded(probability: number): number {
  return Number(probability.toFixed(6))
}

function countBySplit(suspects: readonly { readonly split: Split }[]): Record<Split, number> {
  const count = (split: Split) => suspects.filter((suspect) => suspect.split === split).length
  return { train: count("train"), validation: count("validation"), test: count("test") }
}

function pairsOf(suspects: readonly Pick<QueuedSuspect, "label" | "suggested">[]): LabelErrorSearch["pairs"] {
  const pairs = Map.groupBy(suspects, ({ label, suggested }) => JSON.stringify([label, suggested]))
  return [...pairs.values()]
    .flatMap((members) =>
      members.slice(0, 1).map(({ label, suggested }) => ({ label, suggested, rows: members.length })),
    )
    .sort(
      (a, b) =>
        b.rows - a.rows || (a.label < b.label ? -1 : a.label > b.label ? 1 : a.suggested < b.suggested ? -1 : 1),
    )
}

import type { Decision, Input } from "../core/rows/example.ts"
import { formatOutput, inputText } from "../core/task/output.ts"
import { labelsOf, type TaskSpecification } from "../core/task/task.ts"
import { choicesOf, kindOf } from "../stages/standing/kinds.ts"
import type { ReviewItem } from "../core/rows/review-item.ts"
import { differenceOf } from "./review-difference.ts"
import type { ItemView, Said, TaskView } from "./review-wire.ts"

/**
 * Why an example is turned down: what most reviewers mean, so that the reasons can be counted. Whoever means something
 * else writes it.
 */
const reasons = [
  "unrealistic text",
  "unclear text",
  "not about this task",
  "too much like others",
  "personal data",
  "no right output",
]

/** What the page shows of the task. */
export function taskView(task: TaskSpecification, reviewer: string | undefined): TaskView {
  return {
    task: task.task,
    kind: task.kind,
    description: task.description,
    guideline: task.guideline,
    fields:
      task.kind === "chat" ? [] : Object.entries(task.input).map(([name, { description }]) => ({ name, description })),
    labels:
      task.kind === "label" || task.kind === "multilabel"
        ? labelsOf(task).map((name) => ({ name, meaning: task.output.labels[name] ?? "" }))
        : [],
    schema: task.kind === "json" ? task.output.schema : undefined,
    tools:
      task.kind === "chat"
        ? task.output.tools.map(({ name, description, parameters }) => ({ name, description, parameters }))
        : [],
    mayBeEmpty: task.kind === "multilabel" && task.output.minimum === 0,
    reviewer,
    reasons,
  }
}

/**
 * What the page shows of an item. `answers` are those that a dispute is about, `mine` is what its reviewer said of it
 * before.
 */
export function itemView(
  task: TaskSpecification,
  item: ReviewItem,
  beside: {
    readonly answers: readonly Decision[]
    readonly mine: Decision | undefined
    readonly nearest: ItemView["nearest"]
  },
): ItemView {
  const about = item.disputed ?? item
  const kind = kindOf(item)
  const pair =
    about.other === undefined ? undefined : { other: about.other, outputs: [about.output, about.current] as const }
  const [from, to] = pair?.outputs ?? [item.current, item.output]
  // The answers of such a dispute are no pair: what the row keeps stands beside all of them.
  const isBesideKept = item.disputed !== undefined && kind.kept !== undefined
  const hasText = labelsOf(task).length === 0 && from !== undefined && to !== undefined
  return {
    id: item.id,
    kind: about.kind,
    question: kind.question,
    revision: item.revision,
    input: item.input,
    proposed: item.output,
    current: item.current,
    pair,
    answers:
      item.disputed &&
      beside.answers.map(({ verdict, output, reason }) => ({
        isReject: verdict === "reject",
        output: verdict === "accept" ? (output ?? about.output) : output,
        comment: reason,
      })),
    note: item.disputed === undefined ? item.note : undefined,
    choices: choicesOf(item).map(({ name }) => name),
    buttons: kind.buttons(task, item),
    rejected: kind.rejecting.chip,
    needsReason: kind.rejecting.needsReason,
    outputDifference: hasText && !isBesideKept ? differenceOf(textOf(task, from), textOf(task, to)) : undefined,
    inputDifference: pair && differenceOf(inputText(task, about.input), inputText(task, pair.other)),
    mine: beside.mine && saidOf(beside.mine),
    nearest: beside.nearest,
  }
}

/** The output as a person reads it, for differences: JSON with a line a value. */
export function textOf(task: TaskSpecification, output: unknown): string {
  const text = formatOutput(task, output)
  return task.kind === "json" || text.startsWith("{") ? JSON.stringify(output, undefined, 2) : text
}

/** The decision as the page shows it. */
export function saidOf({ verdict, output, reason }: Decision): Said {
  return { verdict, output, comment: reason }
}

/** The train seeds by which an item is compared: an input and its output. */
export interface Neighbour {
  readonly id: string
  readonly input: Input
  readonly output: unknown
}

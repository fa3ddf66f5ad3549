import type { Decision, Input } from "../core/example.ts"
import { formatOutput, inputText } from "../core/output.ts"
import { labelsOf, type TaskSpecification } from "../core/task.ts"
import { choicesOf } from "../stages/review-answer.ts"
import type { ReviewItem } from "../stages/review-items.ts"
import { differenceOf } from "./review-difference.ts"
import type { ItemView, Said, TaskView } from "./review-wire.ts"

/** Why an example is turned down: what most reviewers mean, so that the reasons can be counted. Whoever means something else writes it. */
const reasons = ["unrealistic text", "unclear text", "not about this task", "too much like others", "personal data", "no right output"]

/** What the page shows of the task. */
export function taskView(task: TaskSpecification, reviewer: string | undefined): TaskView {
  return {
    task: task.task,
    kind: task.kind,
    description: task.description,
    guideline: task.guideline,
    fields: task.kind === "chat" ? [] : Object.entries(task.input).map(([name, { description }]) => ({ name, description })),
    labels:
      task.kind === "label" || task.kind === "multilabel" ? labelsOf(task).map((name) => ({ name, meaning: task.output.labels[name] ?? "" })) : [],
    schema: task.kind === "json" ? task.output.schema : undefined,
    tools: task.kind === "chat" ? task.output.tools.map(({ name, description, parameters }) => ({ name, description, parameters })) : [],
    reviewer,
    reasons,
  }
}

/** What the page shows of an item; `said` are the decisions of reviewers who disagree, `mine` is the answer that its reviewer goes back to. */
export function itemView(
  task: TaskSpecification,
  item: ReviewItem,
  beside: { readonly said: readonly Decision[]; readonly mine: Decision | undefined; readonly nearest: ItemView["nearest"] },
): ItemView {
  const { proposed, current } = { proposed: item.output, current: item.current }
  const hasTwo = proposed !== undefined && current !== undefined
  const [from, to] = item.kind === "conflict" ? [proposed, current] : [current, proposed]
  return {
    id: item.id,
    kind: item.kind,
    revision: item.revision,
    input: item.input,
    proposed,
    current,
    other: item.other,
    note: item.note,
    choices: choicesOf(item),
    needsReason: needsReason(item),
    outputDifference: hasTwo && labelsOf(task).length === 0 ? differenceOf(textOf(task, from), textOf(task, to)) : undefined,
    inputDifference: item.other === undefined ? undefined : differenceOf(inputText(task, item.input), inputText(task, item.other)),
    said: beside.said.map(saidOf),
    mine: beside.mine && saidOf(beside.mine),
    nearest: beside.nearest,
  }
}

/** Whether a reject must say why: it turns an example down. Of a suspected row or a conflict it keeps what is there. */
export function needsReason(item: ReviewItem): boolean {
  return item.kind !== "label-error" && item.kind !== "conflict"
}

/** The output as a person reads it, for differences: JSON with a line a value. */
export function textOf(task: TaskSpecification, output: unknown): string {
  const text = formatOutput(task, output)
  return task.kind === "json" || text.startsWith("{") ? JSON.stringify(output, undefined, 2) : text
}

/** The decision as the page shows it. */
export function saidOf({ reviewer, verdict, output, reason }: Decision): Said {
  return { reviewer, verdict, output, comment: reason }
}

/** The train seeds by which an item is compared: an input and its output. */
export interface Neighbour {
  readonly id: string
  readonly input: Input
  readonly output: unknown
}

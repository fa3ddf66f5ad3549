import { canonicalJson } from "../../core/canonical.ts"
import type { Choice } from "../../core/contracts/review-kind.ts"
import type { Decision } from "../../core/rows/example.ts"
import { outputIssues, parseOutput } from "../../core/task/output.ts"
import { nearest, show } from "../../core/parse.ts"
import { labelsOf, type TaskSpecification } from "../../core/task/task.ts"
import { decisionOf, takesOutput } from "../standing/answer.ts"
import { choicesOf, kindOf, reviewKinds } from "../standing/kinds.ts"
import { correctedValue, type Correction } from "../../core/task/leaves.ts"
import { under } from "./columns.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"

/** What a person filled in of an item: the words of its first row, and what was written into the cells of leaves. */
export interface WrittenAnswer {
  readonly decision: string
  readonly corrected: string
  readonly comment: string
  readonly reviewer: string
  readonly corrections: readonly Correction[]
  /** The elements whose rows say `remove`. */
  readonly removed: readonly string[]
}

/** A problem and the cell it is in: the column, and the element whose row it is. */
export interface AnswerProblem {
  readonly column: string
  readonly part?: string
  readonly message: string
}

/** Written into the row of an element, takes it out of its list. */
export const removeElement = "remove"

export function isDecisionWord(text: string): boolean {
  const word = text.trim().toLowerCase()
  return word === removeElement || reviewKinds.some(({ choices }) => choiceOf(choices, word) !== undefined)
}

/** The decision that the answer is, or every problem with it. */
export function readDecision(
  task: TaskSpecification,
  item: ReviewItem,
  answer: WrittenAnswer,
): { decision: Omit<Decision, "guideline" | "at" | "source"> } | { problems: AnswerProblem[] } {
  const problem = (column: string, message: string) => ({ problems: [{ column, message }] })
  const word = answer.decision.toLowerCase()
  const isCorrected = answer.corrected !== "" || answer.corrections.length > 0 || answer.removed.length > 0
  if (word === "") return problem("decision", "empty beside a corrected output; write edit")
  const { choices } = kindOf(item)
  const choice = choiceOf(choices, word)
  if (choice === undefined) {
    const allowed = choices.map(({ name }) => name)
    const meant = nearest(word, allowed)
    return problem(
      "decision",
      `got ${show(answer.decision)}; allowed: ${allowed.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`,
    )
  }
  const by = { reviewer: answer.reviewer, comment: answer.comment }
  if (by.reviewer === "")
    return problem("reviewer", "empty; write who decided, or give --reviewer NAME for the whole file")
  if (takesOutput(choice)) {
    const read = correctedOutput(task, item, answer)
    return "problems" in read ? read : { decision: decisionOf(item, { choice, output: read.output }, by) }
  }
  if (!choicesOf(item).includes(choice))
    return problem(
      "decision",
      "an input without an answer cannot be accepted; write edit and its output in corrected_output",
    )
  const { verdict } = choice
  if (isCorrected && (verdict === "edit" || (verdict === "accept" && !isProposed(task, item, answer))))
    return problem(
      "decision",
      `${verdict === "edit" ? choice.name : "accept"} beside a corrected output; write edit, or empty the ` +
        "corrected output",
    )
  return { decision: decisionOf(item, { choice }, by) }
}

function choiceOf(choices: readonly Choice[], word: string): Choice | undefined {
  return choices.find(({ name, words }) => name === word || words.includes(word))
}

/** Whether what was written as a correction is what was proposed. */
function isProposed(task: TaskSpecification, item: ReviewItem, answer: WrittenAnswer): boolean {
  const read = correctedOutput(task, item, answer)
  return "output" in read && item.output !== undefined && canonicalJson(read.output) === canonicalJson(item.output)
}

/** The output of an edit: the one of the cell, or the proposed one with the corrected leaves in it. */
function correctedOutput(
  task: TaskSpecification,
  item: ReviewItem,
  answer: WrittenAnswer,
): { output: unknown } | { problems: AnswerProblem[] } {
  if (task.kind === "json" && answer.corrected === "" && answer.corrections.length + answer.removed.length > 0) {
    const { schema } = task.output
    const read = correctedValue(schema, item.output, answer.corrections, answer.removed)
    if ("problems" in read)
      return {
        problems: read.problems.map(({ part, path, message }) => ({
          column: path === "" && answer.removed.includes(part) ? "decision" : under("corrected", path),
          part,
          message,
        })),
      }
    const issues = outputIssues(task, read.value)
    return issues.length === 0
      ? { output: read.value }
      : {
          problems: issues.map(({ path, message }) => ({
            column: `corrected${(path ?? "").replace(/^output/, "")}`,
            message,
          })),
        }
  }
  const problem = (message: string) => ({ problems: [{ column: "corrected_output", message }] })
  if (answer.corrected === "") return problem("empty beside edit; write the right output")
  const output = parseOutput(task, answer.corrected, item.input)
  return output === undefined ? problem(outputProblem(task, answer.corrected, item.input)) : { output }
}

function outputProblem(task: TaskSpecification, text: string, input: ReviewItem["input"]): string {
  if (labelsOf(task).length > 0)
    return (
      outputIssues(task, task.kind === "label" ? text : text.split(",").map((part) => part.trim()))[0]?.message ??
      `got ${show(text)}`
    )
  let value: unknown = text
  try {
    value = JSON.parse(text)
  } catch {
    if (task.kind === "json") return `not valid JSON: ${show(text)}`
  }
  return (
    outputIssues(task, value, input)
      .map(({ path, message }) => `${path}: ${message}`)
      .join("; ") || `got ${show(text)}`
  )
}

import { formatIssue } from "../../core/errors.ts"
import type { DropReason } from "../../core/rows/drop-reasons.ts"
import type { Example, Input } from "../../core/rows/example.ts"
import { inputIssues, inputText, outputIssues } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"

/** Why a row cannot be an example of the task, by itself. */
export interface Invalidity {
  readonly reason: Extract<DropReason, "empty" | "too-long" | "invalid-input" | "invalid-output">
  readonly detail: string
}

/**
 * The first thing that keeps the row from being an example, in the order empty, too long, invalid input, invalid
 * output; undefined when nothing does. Expects normalised strings, and the text of the input.
 */
export function invalidityOf(
  task: TaskSpecification,
  row: Pick<Example, "input" | "output">,
  maxLength: number,
  text: string,
): Invalidity | undefined {
  const issues = inputIssues(task, row.input)
  if (text.trim() === "") return { reason: "empty", detail: "input" }
  if (row.output === undefined || row.output === null || row.output === "") return { reason: "empty", detail: "output" }
  const length = rowLength(text, row.output)
  if (length > maxLength)
    return {
      reason: "too-long",
      detail: `${length} characters; at most ${maxLength} allowed (build.maxLength in the specification)`,
    }
  if (issues[0]) return { reason: "invalid-input", detail: formatIssue(issues[0]) }
  const outputIssue = outputIssues(task, row.output, row.input)[0]
  return outputIssue && { reason: "invalid-output", detail: formatIssue(outputIssue) }
}

/** The text of an input, also of an invalid one: a chat input that is not made of turns gives the strings in it. */
export function anyInputText(task: TaskSpecification, input: Input): string {
  return task.kind === "chat" && inputIssues(task, input).length > 0
    ? stringsIn(input).join("\n")
    : inputText(task, input)
}

/** Every string inside the value, in order. */
export function stringsIn(value: unknown): string[] {
  const strings: string[] = []
  addStrings(value, strings)
  return strings
}

// Asked for every row: most are an object of few strings.
function addStrings(value: unknown, strings: string[]): void {
  if (typeof value === "string") strings.push(value)
  else if (typeof value === "object" && value !== null)
    for (const inner of Object.values(value)) addStrings(inner, strings)
}

/** The characters of the input's text and the output together. */
export function rowLength(text: string, output: unknown): number {
  return text.length + (typeof output === "string" ? output : (JSON.stringify(output) ?? "")).length
}

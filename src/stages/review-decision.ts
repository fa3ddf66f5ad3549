import { canonicalJson } from "../core/canonical.ts"
import type { Decision } from "../core/example.ts"
import { outputIssues, parseOutput } from "../core/output.ts"
import { nearest, show } from "../core/parse.ts"
import { labelsOf, type TaskSpecification } from "../core/task.ts"
import { correctedValue, type Correction } from "./review-leaves.ts"
import { under } from "./review-layout.ts"
import type { ReviewItem } from "./review-items.ts"

/** What a person filled in of an item: the words of its first row, and what was written into the cells of leaves. */
export interface Answer {
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

const words: Readonly<Record<string, Decision["verdict"]>> = {
  accept: "accept",
  accepted: "accept",
  yes: "accept",
  ok: "accept",
  y: "accept",
  edit: "edit",
  edited: "edit",
  correct: "edit",
  reject: "reject",
  rejected: "reject",
  no: "reject",
  n: "reject",
}

/** Of two rows: the output of a or of b is right for both, each is right as it is, or another one is right. */
const wordsOfConflicts: Readonly<Record<string, Decision["verdict"]>> = { ...words, a: "accept", b: "edit", both: "reject" }

/** Written into the row of an element, takes it out of its list. */
export const removeElement = "remove"

export function isDecisionWord(text: string): boolean {
  const word = text.trim().toLowerCase()
  return Object.hasOwn(wordsOfConflicts, word) || word === removeElement
}

/** The decision that the answer is, or every problem with it. */
export function readDecision(
  task: TaskSpecification,
  item: ReviewItem,
  answer: Answer,
): { decision: Omit<Decision, "guideline" | "at" | "source"> } | { problems: AnswerProblem[] } {
  const problem = (column: string, message: string) => ({ problems: [{ column, message }] })
  const word = answer.decision.toLowerCase()
  const isCorrected = answer.corrected !== "" || answer.corrections.length > 0 || answer.removed.length > 0
  if (word === "") return problem("decision", "empty beside a corrected output; write edit")
  const isConflict = item.kind === "conflict"
  const allowed = isConflict ? wordsOfConflicts : words
  const verdict = Object.hasOwn(allowed, word) ? allowed[word] : undefined
  if (verdict === undefined) {
    const wanted = isConflict ? ["a", "b", "both", "edit"] : ["accept", "edit", "reject"]
    const meant = nearest(word, wanted)
    return problem("decision", `got ${show(answer.decision)}; allowed: ${wanted.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`)
  }
  if (answer.reviewer === "") return problem("reviewer", "empty; write who decided, or give --reviewer NAME for the whole file")
  const about = item.rows === undefined ? {} : { rows: item.rows.map(({ row }) => row) }
  const base = {
    item: item.id,
    ...about,
    reviewer: answer.reviewer,
    revision: item.revision,
    ...(answer.comment === "" ? {} : { reason: answer.comment }),
  }
  if (verdict === "reject") return { decision: { ...base, verdict } }
  if (verdict === "accept") {
    if (isCorrected) {
      const read = correctedOutput(task, item, answer)
      const same = "output" in read && item.output !== undefined && canonicalJson(read.output) === canonicalJson(item.output)
      if (!same) return problem("decision", "accept beside a corrected output; write edit, or empty the corrected output")
    }
    if (item.output === undefined)
      return problem("decision", "an input without an answer cannot be accepted; write edit and its output in corrected_output")
    // What is accepted of a conflict or of a suspected row is the suggestion, which the next search may change: it goes into the decision.
    return { decision: { ...base, verdict, ...(item.kind === "label-error" || isConflict ? { output: item.output } : {}) } }
  }
  if (isConflict && word === "b") {
    if (isCorrected) return problem("decision", "b beside a corrected output; write edit, or empty the corrected output")
    return { decision: { ...base, verdict, output: item.current } }
  }
  const read = correctedOutput(task, item, answer)
  return "problems" in read ? read : { decision: { ...base, verdict, output: read.output } }
}

/** The output of an edit: the one of the cell, or the proposed one with the corrected leaves in it. */
function correctedOutput(task: TaskSpecification, item: ReviewItem, answer: Answer): { output: unknown } | { problems: AnswerProblem[] } {
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
      : { problems: issues.map(({ path, message }) => ({ column: `corrected${(path ?? "").replace(/^output/, "")}`, message })) }
  }
  const problem = (message: string) => ({ problems: [{ column: "corrected_output", message }] })
  if (answer.corrected === "") return problem("empty beside edit; write the right output")
  const output = parseOutput(task, answer.corrected)
  return output === undefined ? problem(outputProblem(task, answer.corrected)) : { output }
}

function outputProblem(task: TaskSpecification, text: string): string {
  if (labelsOf(task).length > 0)
    return outputIssues(task, task.kind === "label" ? text : text.split(",").map((part) => part.trim()))[0]?.message ?? `got ${show(text)}`
  let value: unknown = text
  try {
    value = JSON.parse(text)
  } catch {
    if (task.kind === "json") return `not valid JSON: ${show(text)}`
  }
  return (
    outputIssues(task, value)
      .map(({ path, message }) => `${path}: ${message}`)
      .join("; ") || `got ${show(text)}`
  )
}

import { canonicalJson } from "../core/canonical.ts"
import { DataError, type Issue } from "../core/errors.ts"
import type { Decision } from "../core/example.ts"
import { outputIssues, parseOutput } from "../core/output.ts"
import { nearest, show } from "../core/parse.ts"
import { labelsOf, type TaskSpecification } from "../core/task.ts"
import type { TableRow } from "../store/table.ts"
import { restore } from "./review-cells.ts"
import { choicesOf, decisionOf, type Choice } from "./review-answer.ts"
import type { ReviewItem } from "./review-items.ts"

const words: Readonly<Record<string, Choice>> = {
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
const wordsOfConflicts: Readonly<Record<string, Choice>> = { a: "a", b: "b", both: "both" }
/** What the words that fit any item mean of two rows. */
const choiceOfConflict: Partial<Record<Choice, Choice>> = { accept: "a", reject: "both" }

/** The decision of a row; undefined when the row is not decided. */
export function readDecision(
  task: TaskSpecification,
  row: TableRow,
  items: ReadonlyMap<string, ReviewItem>,
  givenReviewer: string | undefined,
  file: string,
): { decision: Omit<Decision, "guideline" | "at" | "source"> } | { issues: Issue[] } | undefined {
  const cell = (name: string) => String(row.fields[name] ?? "").trim()
  const problem = (path: string, message: string) => ({ issues: [{ file, line: row.line, path, message }] })
  if (!("id" in row.fields))
    throw new DataError(`${file} has no column "id"`, [], "Import the file that `tuneloop review export` wrote, with its columns' names.")
  if (!("decision" in row.fields))
    throw new DataError(`${file} has no column "decision"`, [], "Import the file that `tuneloop review export` wrote, with its columns' names.")
  const word = cell("decision").toLowerCase()
  const corrected = restore(String(row.fields["corrected_output"] ?? "")).trim()
  if (word === "") return corrected === "" ? undefined : problem("decision", "empty beside a corrected output; write edit")
  const item = items.get(cell("id"))
  const isConflict = item?.kind === "conflict"
  const choice = choiceOf(word, isConflict)
  if (choice === undefined) {
    const allowed = isConflict ? ["a", "b", "both", "edit"] : ["accept", "edit", "reject"]
    const meant = nearest(word, allowed)
    return problem("decision", `got ${show(word)}; allowed: ${allowed.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`)
  }
  if (!item) return problem("id", `${show(cell("id"))} is not an item of the task ${task.task}`)
  const reviewer = cell("reviewer") || givenReviewer
  if (!reviewer) return problem("reviewer", "empty; write who decided, or give --reviewer NAME for the whole file")
  const exported = cell("revision")
  if (exported !== "" && !item.revision.slice("sha256:".length).startsWith(exported))
    return problem("revision", "the item changed since it was exported; export it again")
  const by = { reviewer, comment: cell("comment") }
  if (choice !== "edit") {
    if (choice === "accept" && !choicesOf(item).includes(choice))
      return problem("decision", "an input without an answer cannot be accepted; write edit and its output in corrected_output")
    if (corrected !== "" && (choice === "b" || ((choice === "accept" || choice === "a") && !isOutput(task, corrected, item.output))))
      return problem("decision", `${word === "b" ? "b" : "accept"} beside a corrected output; write edit, or empty the corrected output`)
    return { decision: decisionOf(item, { choice }, by) }
  }
  if (corrected === "") return problem("corrected_output", "empty beside edit; write the right output")
  const output = parseOutput(task, corrected)
  if (output === undefined) return problem("corrected_output", outputProblem(task, corrected))
  return { decision: decisionOf(item, { choice, output }, by) }
}

function choiceOf(word: string, isConflict: boolean): Choice | undefined {
  const choice = words[word]
  if (!isConflict) return choice
  return wordsOfConflicts[word] ?? (choice && (choiceOfConflict[choice] ?? choice))
}

/** Whether the text stands for the output. */
function isOutput(task: TaskSpecification, text: string, output: unknown): boolean {
  const read = parseOutput(task, text)
  return read !== undefined && output !== undefined && canonicalJson(read) === canonicalJson(output)
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

import { canonicalJson } from "../core/canonical.ts"
import { DataError, type Issue } from "../core/errors.ts"
import type { Decision } from "../core/example.ts"
import { outputIssues, parseOutput } from "../core/output.ts"
import { nearest, show } from "../core/parse.ts"
import { labelsOf, type TaskSpecification } from "../core/task.ts"
import type { TableRow } from "../store/table.ts"
import { restore } from "./review-cells.ts"
import type { ReviewItem } from "./review-items.ts"

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

/** The decision of a row; undefined when the row is not decided. */
export function readDecision(
  task: TaskSpecification,
  row: TableRow,
  items: ReadonlyMap<string, ReviewItem>,
  reviewer: string | undefined,
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
  const verdict = (isConflict ? wordsOfConflicts : words)[word]
  if (verdict === undefined) {
    const allowed = isConflict ? ["a", "b", "both", "edit"] : ["accept", "edit", "reject"]
    const meant = nearest(word, allowed)
    return problem("decision", `got ${show(word)}; allowed: ${allowed.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`)
  }
  if (!item) return problem("id", `${show(cell("id"))} is not an item of the task ${task.task}`)
  const by = cell("reviewer") || reviewer
  if (!by) return problem("reviewer", "empty; write who decided, or give --reviewer NAME for the whole file")
  const exported = cell("revision")
  if (exported !== "" && !item.revision.slice("sha256:".length).startsWith(exported))
    return problem("revision", "the item changed since it was exported; export it again")
  const comment = cell("comment")
  const about = item.rows === undefined ? {} : { rows: item.rows.map(({ row }) => row) }
  const base = { item: item.id, ...about, reviewer: by, revision: item.revision, ...(comment === "" ? {} : { reason: comment }) }
  if (verdict === "reject") return { decision: { ...base, verdict } }
  if (verdict === "accept") {
    if (corrected !== "") {
      const output = parseOutput(task, corrected)
      const same = output !== undefined && item.output !== undefined && canonicalJson(output) === canonicalJson(item.output)
      if (!same) return problem("decision", "accept beside a corrected output; write edit, or empty the corrected output")
    }
    if (item.output === undefined)
      return problem("decision", "an input without an answer cannot be accepted; write edit and its output in corrected_output")
    // What is accepted of a conflict or of a suspected row is the suggestion, which the next search may change: it goes into the decision.
    return { decision: { ...base, verdict, ...(item.kind === "label-error" || isConflict ? { output: item.output } : {}) } }
  }
  if (isConflict && word === "b") {
    if (corrected !== "") return problem("decision", "b beside a corrected output; write edit, or empty the corrected output")
    return { decision: { ...base, verdict, output: item.current } }
  }
  if (corrected === "") return problem("corrected_output", "empty beside edit; write the right output")
  const output = parseOutput(task, corrected)
  if (output === undefined) return problem("corrected_output", outputProblem(task, corrected))
  return { decision: { ...base, verdict, output } }
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

import type { Output } from "../rows/example.ts"
import { outputIssues, parseOutput } from "../task/output.ts"
import { labelsOf, type TaskSpecification } from "../task/task.ts"
import { canonicalJson } from "../canonical.ts"
import { objectsIn, withKeysInLowerCase } from "./json-in-answer.ts"

/**
 * The one output that an answer with something around it stands for: `Label: x`, a label and its explanation, a fence,
 * an object with the label in it, JSON between prose. Undefined where it may stand for another as well: the words
 * around it name another label, or deny one. Texts and turns of chats have nothing around them that is not theirs.
 */
export function decoratedOutput(task: TaskSpecification, text: string): Output | undefined {
  if (task.kind === "text" || task.kind === "chat") return undefined
  const objects = objectsIn(text, () => false).values
  if (task.kind === "json") return onlyOne(objects.filter((value) => outputIssues(task, value).length === 0))
  const named = onlyOne(objects.flatMap((value) => labelIn(task, value)))
  return named ?? (objects.length === 0 ? labelInProse(task, text) : undefined)
}

const nouns =
  "labels?|categor(?:y|ies)|class(?:es|ification)?|answer|output|result|prediction|response|intent|sentiment|topics?"
const isNoun = new RegExp(`^(?:${nouns})$`, "i")

/** What comes before a label: `The label is`, `**Category:**`, `Sure! Here is the label for your input:`. */
const lead = new RegExp(
  "^[*_#>\\s-]*(?:(?:sure|ok(?:ay)?|certainly|of course)\\b[!,.]*\\s*)?" +
    `(?:(?:here(?:['’]s| is)|the|my|your|final|correct|predicted|best)\\s+)*(?:${nouns})\\b` +
    "[^:=\\n]{0,60}?[*_]*(?::|=|\\bis\\b)[*_\\s]*",
  "i",
)
const denial = /\b(?:not|no|never|none|except|neither)\b|n['’]t\b/i

function labelIn(task: TaskSpecification, value: Record<string, unknown>): Output[] {
  return Object.entries(withKeysInLowerCase(value)).flatMap(([key, member]) => {
    if (!isNoun.test(key)) return []
    const text = Array.isArray(member) ? member.join(", ") : member
    const output = typeof text === "string" ? parseOutput(task, text) : undefined
    return output === undefined ? [] : [output]
  })
}

/** The label on the first or the last line, where no other is named and none is denied. */
function labelInProse(task: TaskSpecification, text: string): Output | undefined {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^```\w*$/.test(line))
  const ends = [...new Set([0, lines.length - 1])].flatMap((place) => lines[place] ?? [])
  const output = onlyOne(ends.flatMap((line) => labelOnLine(task, line)))
  if (output === undefined) return undefined
  const given = [output].flat()
  const others = labelsOf(task).filter((label) => !given.includes(label))
  return others.some((label) => isNamed(label, text)) ? undefined : output
}

function labelOnLine(task: TaskSpecification, line: string): Output[] {
  const before = lead.exec(line)?.[0] ?? ""
  if (denial.test(before)) return []
  const output = parseOutput(task, line) ?? parseOutput(task, line.slice(before.length))
  return output === undefined ? [] : [output]
}

function isNamed(label: string, text: string): boolean {
  const escaped = label.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
  return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, "iu").test(text)
}

/** The value that all of them are. */
function onlyOne<Value>(values: readonly Value[]): Value | undefined {
  return new Set(values.map((value) => canonicalJson(value))).size === 1 ? values[0] : undefined
}

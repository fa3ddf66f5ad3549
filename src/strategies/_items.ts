import { canonicalValue } from "../core/canonical.ts"
import type { Input, Output } from "../core/rows/example.ts"
import { parseOutput } from "../core/task/output.ts"
import { parseJson } from "../core/json-text.ts"
import { show } from "../core/parse.ts"
import type { Draft, ParsedAnswer, PlannedPrompt } from "../core/contracts/strategy.ts"
import { labelsOf, type TaskSpecification } from "../core/task/task.ts"

/** Raised when `parseExamples` reads another thing from the same answer. */
export const itemSemantics = 2

/** What an answer is made of: whole pairs, or the inputs alone where the prompt gives the output. */
export type ItemForm = "pair" | "input"

/**
 * The drafts in an answer: `{"examples": […]}`, an array, or objects one after the other; in a code fence, with prose
 * around them, cut at the end. An input with a single field may be its text alone. Outputs are read as a person would
 * write them: a label whatever its case.
 */
export function parseExamples(
  text: string,
  prompt: PlannedPrompt,
  { task }: { readonly task: TaskSpecification },
): ParsedAnswer {
  const items = jsonItems(text)
  const form: ItemForm = prompt.given?.output === undefined ? "pair" : "input"
  if (items.length === 0)
    return {
      drafts: [],
      problems: [`the answer holds no JSON object with ${form === "pair" ? "input and output" : "input"}`],
    }
  const problems: string[] = []
  const drafts = items.flatMap((item): Draft[] => {
    if (!("input" in item) || (form === "pair" && !("output" in item))) {
      problems.push(`an object without ${form === "pair" ? "input and output" : "input"}: ${show(item)}`)
      return []
    }
    const input = readInput(task, item["input"])
    if (input === undefined) {
      problems.push(`an input that is not an object: ${show(item["input"])}`)
      return []
    }
    const output = form === "pair" ? readOutput(task, item["output"]) : prompt.given?.output
    return [
      {
        input,
        output,
        parents: prompt.parents,
        ...(prompt.cell === undefined ? {} : { cell: cellOf(task, prompt.cell, output) }),
      },
    ]
  })
  return { drafts, problems }
}

/** JSON Schema of the answer that `parseExamples` reads. */
export function itemSchema(task: TaskSpecification, form: ItemForm): Record<string, unknown> {
  const pair = { input: inputSchema(task), ...(form === "pair" ? { output: outputSchema(task) } : {}) }
  const whole = objectSchema({ examples: { type: "array", items: objectSchema(pair) } })
  // What the output's schema refers to is looked for at the root.
  const shared = task.kind === "json" && form === "pair" ? task.output.schema : {}
  return { ...whole, ...pick(shared, "$defs"), ...pick(shared, "definitions") }
}

function readInput(task: TaskSpecification, value: unknown): Input | undefined {
  const [only, ...more] = task.kind === "chat" ? ["messages"] : Object.keys(task.input)
  if ((typeof value === "string" && task.kind !== "chat") || Array.isArray(value))
    return only !== undefined && more.length === 0 ? { [only]: value } : undefined
  return typeof value === "object" && value !== null ? (value as Input) : undefined
}

function readOutput(task: TaskSpecification, value: unknown): Output {
  return typeof value === "string" ? (parseOutput(task, value) ?? value) : value
}

/** The cell that came of it: a model that was asked for one label may give another. */
function cellOf(
  task: TaskSpecification,
  cell: NonNullable<PlannedPrompt["cell"]>,
  output: Output,
): NonNullable<PlannedPrompt["cell"]> {
  const labels = labelsOf(task)
  const given = (Array.isArray(output) ? output : [output]).filter((label): label is string =>
    labels.includes(label as string),
  )
  const wished = cell["label"]
  return wished === undefined || given.includes(wished) || given[0] === undefined ? cell : { ...cell, label: given[0] }
}

/** The objects in an answer that may be examples. */
function jsonItems(text: string, depth = 0): Record<string, unknown>[] {
  return balanced(text).flatMap((body) => {
    const value = canonicalValue(parseJson(body))
    // One broken example must not take the list around it with it.
    if (!isRecord(value)) return depth < 2 ? jsonItems(body.slice(1, -1), depth + 1) : []
    const [list] =
      "input" in value ? [] : Object.values(value).filter((member) => Array.isArray(member) && member.some(isRecord))
    return list === undefined ? [value] : (list as unknown[]).filter(isRecord)
  })
}

/**
 * The outermost runs from a brace to the brace that closes it; of a run that is not closed, those inside it. One pass.
 */
function balanced(text: string): string[] {
  const open: number[] = []
  const closed: { from: number; to: number }[] = []
  let isString = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    // Quotes in the prose around JSON mean nothing.
    if (isString) {
      if (character === "\\") at++
      else if (character === '"') isString = false
    } else if (character === '"') isString = open.length > 0
    else if (character === "{") open.push(at)
    else if (character === "}") {
      const from = open.pop()
      if (from === undefined) continue
      while ((closed.at(-1)?.from ?? -1) > from) closed.pop()
      closed.push({ from, to: at + 1 })
    }
  }
  return closed.map(({ from, to }) => text.slice(from, to))
}

function inputSchema(task: TaskSpecification): Record<string, unknown> {
  if (task.kind === "chat") {
    const turn = objectSchema({ role: { enum: ["system", "user", "assistant", "tool"] }, content: { type: "string" } })
    return objectSchema({ messages: { type: "array", items: turn } })
  }
  const fields = Object.entries(task.input)
  return objectSchema(
    Object.fromEntries(
      fields.map(([name, { type, description }]) => [
        name,
        { type, ...(description === undefined ? {} : { description }) },
      ]),
    ),
    fields.flatMap(([name, { required }]) => (required ? [name] : [])),
  )
}

function outputSchema(task: TaskSpecification): Record<string, unknown> {
  switch (task.kind) {
    case "label":
      return { enum: labelsOf(task) }
    case "multilabel":
      return { type: "array", items: { enum: labelsOf(task) } }
    case "json": {
      const { $defs: _defs, definitions: _definitions, $schema: _schema, $id: _id, ...schema } = task.output.schema
      return schema
    }
    case "text":
      return { type: "string" }
    case "chat": {
      const calls = task.output.tools.map(({ name, parameters }) =>
        objectSchema({
          type: { enum: ["function"] },
          function: objectSchema({ name: { enum: [name] }, arguments: { type: "object", ...parameters } }),
        }),
      )
      const said = objectSchema({ content: { type: "string" } })
      return calls.length === 0
        ? said
        : { anyOf: [said, objectSchema({ tool_calls: { type: "array", items: { anyOf: calls } } })] }
    }
  }
}

function objectSchema(
  properties: Record<string, unknown>,
  required: readonly string[] = Object.keys(properties),
): Record<string, unknown> {
  return { type: "object", additionalProperties: false, required, properties }
}

function pick(from: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> {
  return from[key] === undefined ? {} : { [key]: from[key] }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
